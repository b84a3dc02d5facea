-- What producers say of lineage (docs/lineage.md). Names are long, so rows are found by the SHA-256 of what they are about.

-- Who has sent events. A batch holds its speaker's row until it is committed. `revision` moves with every change of what
-- the speaker claims; the sizes are those of the texts in the other tables, for the speaker's bounds.
CREATE TABLE lineage_speakers (
    principal_id {id} NOT NULL PRIMARY KEY REFERENCES principals (id),
    revision {int} NOT NULL,
    n_bytes {int} NOT NULL,
    n_event_bytes {int} NOT NULL
) {table};

-- Events as they came, for a time; `json` is null where it is too long. Their digests tell duplicates.
CREATE TABLE lineage_events (
    principal_id {id} NOT NULL,
    digest {bytes} NOT NULL,
    at {int} NOT NULL,
    received_at {int} NOT NULL,
    json {text},
    PRIMARY KEY (principal_id, digest)
) {table};
CREATE INDEX lineage_events_in_time ON lineage_events (principal_id, received_at);

-- What the events of a run have named so far.
CREATE TABLE lineage_runs (
    principal_id {id} NOT NULL,
    run {bytes} NOT NULL,
    first_at {int} NOT NULL,
    last_at {int} NOT NULL,
    received_at {int} NOT NULL,
    named {text} NOT NULL,
    PRIMARY KEY (principal_id, run)
) {table};
CREATE INDEX lineage_runs_in_time ON lineage_runs (principal_id, received_at);

-- What events of runs claim: only ever added to.
CREATE TABLE lineage_claims (
    principal_id {id} NOT NULL,
    claim {bytes} NOT NULL,
    job {text} NOT NULL,
    body {text} NOT NULL,
    first_at {int} NOT NULL,
    last_at {int} NOT NULL,
    PRIMARY KEY (principal_id, claim)
) {table};

-- What events without a run state: the newest about each thing.
CREATE TABLE lineage_statements (
    principal_id {id} NOT NULL,
    about {bytes} NOT NULL,
    job {text},
    at {int} NOT NULL,
    digest {bytes} NOT NULL,
    claims {text} NOT NULL,
    PRIMARY KEY (principal_id, about)
) {table};

-- The grants on a product, for those who depend on it.
CREATE INDEX grants_of_product ON grants (product_id, id);
