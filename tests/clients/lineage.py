"""Sends lineage as jobs do, with the unchanged `openlineage-python` client. Where to, and the token, come from the client's own
variables (OPENLINEAGE__TRANSPORT__...).

    lineage.py run FOLDER                  a run that reads the table in this folder, and names the columns that it uses
    lineage.py name NAMESPACE NAME URI     what a producer calls the table at this address of the gateway
"""

import sys
from datetime import datetime, timezone
from uuid import uuid4

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Dataset, DatasetEvent, InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import column_lineage_dataset, symlinks_dataset

PRODUCER = "https://example.org/jobs"


def now():
    return datetime.now(timezone.utc).isoformat()


def run(client, folder):
    source = InputDataset(namespace="file", name=folder)
    field = column_lineage_dataset.InputField(namespace="file", name=folder, field="distance", transformations=[
        column_lineage_dataset.Transformation(type="DIRECT", subtype="AGGREGATION")])
    columns = column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={"miles": column_lineage_dataset.Fields(inputFields=[field])})
    target = OutputDataset(namespace="postgres://db.example:5432", name="mart.public.miles",
                           facets={"columnLineage": columns})
    this, job = Run(runId=str(uuid4())), Job(namespace="etl", name="miles")
    # The first event does not know yet what it writes.
    for state, outputs in [(RunState.START, []), (RunState.COMPLETE, [target])]:
        client.emit(RunEvent(eventType=state, eventTime=now(), run=this, job=job, producer=PRODUCER, inputs=[source],
                             outputs=outputs))


def name(client, namespace, own_name, uri):
    place, table = uri.rsplit("/", 1)
    symlinks = symlinks_dataset.SymlinksDatasetFacet(
        identifiers=[symlinks_dataset.Identifier(namespace=place, name=table, type="LOCATION")])
    client.emit(DatasetEvent(eventTime=now(), producer=PRODUCER, dataset=Dataset(
        namespace=namespace, name=own_name, facets={"symlinks": symlinks})))


if __name__ == "__main__":
    sender = OpenLineageClient()
    {"run": run, "name": name}[sys.argv[1]](sender, *sys.argv[2:])
    sender.close()
