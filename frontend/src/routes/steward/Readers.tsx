import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useQuery } from "../../api/query";
import { type PurposeCode, ReadersDocument, type ReadersQuery } from "../../gen/graphql";
import { addressOf, productSplat } from "../../lib/paths";
import { count, words } from "../../lib/text";
import { absoluteTime } from "../../lib/time";
import { useTitle } from "../../shell/Shell";
import { Button } from "../../ui/Button";
import { Chip } from "../../ui/Chip";
import { CopyAs } from "../../ui/CopyAs";
import { DecisionLines } from "../../ui/DecisionLines";
import { Field } from "../../ui/Field";
import { AddressField } from "../../ui/inputs";
import { Answered, Day, OnlyNewest, PageHead, Part } from "../../ui/Page";
import { Empty, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time, useNow } from "../../ui/Time";
import { ClassificationChip } from "../../ui/words";
import { purposeWord } from "../../ui/words-access";
import { partsOfTable } from "../access/access";
import { StewardNav } from "./StewardNav";
import { type CanRead, readersVariables, whoCouldRead, windowOf } from "./steward";

const route = getRouteApi("/steward/readers");

type TableSeen = NonNullable<ReadersQuery["table"]>;
type Lease = ReadersQuery["leases"]["nodes"][number];

/** Who can read a table now, or could on a day: why, and whether they did. */
export function Readers() {
  const { address } = route.useSearch();
  const known = address !== undefined && partsOfTable(address) !== undefined;
  const variables = readersVariables(address ?? "");
  const query = useQuery(ReadersDocument, variables, known);
  useTitle(address ? `${address} · Who can read` : "Who can read");
  return (
    <div className="page stack">
      <PageHead
        title="Who can read"
        tools={
          known &&
          address && (
            <CopyAs
              command={`charter product readers ${address.split(".").slice(0, 2).join(".")}`}
              operation={ReadersDocument}
              variables={variables}
            />
          )
        }
      >
        Who can read a table now, or could on a day: by which right, by which decision, and whether they did.
      </PageHead>
      <StewardNav />
      <Choose key={address} />
      {!address && (
        <Empty title="Which table?">
          <p>Type its address: a domain, a product and a table, with dots between.</p>
        </Empty>
      )}
      {address && !known && (
        <Empty title={`${address} is no address of a table.`}>
          <p>
            An address is a domain, a product and a table, with dots between:{" "}
            <span className="mono">nyc.flights.flights</span>
          </p>
        </Empty>
      )}
      {known && (
        <Answered query={query} what="the readers">
          {(data) =>
            data.table ? (
              <Loaded data={data} table={data.table} />
            ) : (
              <Empty title={`No table ${address} that you may know of.`}>
                <p>
                  <Link to="/">Find the product</Link>, and take the address from there.
                </p>
              </Empty>
            )
          }
        </Answered>
      )}
    </div>
  );
}

function Choose() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [address, setAddress] = useState(search.address ?? "");
  const [day, setDay] = useState(search.day ?? "");
  return (
    <form
      className="fields"
      onSubmit={(event) => {
        event.preventDefault();
        void navigate({ search: { address: address.trim() || undefined, day: day || undefined } });
      }}
    >
      <AddressField label="Table" form="domain.product.table" value={address} onChange={setAddress} />
      <Field label="On the day (UTC), empty for now">
        {(aria) => <input {...aria} type="date" value={day} onInput={(event) => setDay(event.currentTarget.value)} />}
      </Field>
      <Button type="submit">Show</Button>
    </form>
  );
}

function Loaded({ data, table }: { data: ReadersQuery; table: TableSeen }) {
  const { day, lease: chosen } = route.useSearch();
  const now = useNow();
  const window = windowOf(day, now);
  if (!window) {
    return (
      <Note tone="bad">
        <p>
          <q>{day}</q> is no day. Choose one above, such as 2026-11-30.
        </p>
      </Note>
    );
  }
  const rows = whoCouldRead(data, window);
  const reads = lastReads(table);
  const leases = data.leases.nodes.filter(
    ({ address, issuedAt, action }) =>
      address === table.address &&
      action !== "INSPECT" &&
      (day === undefined || (Date.parse(issuedAt) >= window.from && Date.parse(issuedAt) <= window.to)),
  );
  const shown =
    data.leases.nodes.find(({ id }) => id === chosen) ?? rows.flatMap(({ lease }) => (lease ? [lease] : []))[0];
  const when = day ? `on ${day}` : "now";
  return (
    <>
      <Part
        title={`Who could read it ${when}`.replace("could read it now", "can read it now")}
        note={
          <>
            <span className="mono">{table.address}</span> of{" "}
            <Link to="/products/$" params={{ _splat: productSplat(table.product) }}>
              {table.product.title ?? addressOf(table.product)}
            </Link>
          </>
        }
      >
        <p>
          <ClassificationChip classification={table.product.classification} />{" "}
          <span className="quiet-text">
            {count(rows.length, "right")}: grants as they were then, roles as they are now. A role that was taken away
            since is in the{" "}
            <Link to="/steward/records" search={{ action: "ROLE_UNASSIGN" }}>
              records
            </Link>
            .
          </span>
        </p>
        <Table
          caption={`Who could read it ${when}`}
          columns={canReadColumns(reads)}
          rows={rows}
          rowKey={({ key }) => key}
          file="who-can-read"
          empty={<Empty title={`There was no right to read it ${when}.`} />}
        />
        <OnlyNewest of={data.grants} n={100} what="grants" />
      </Part>
      {shown?.decision && (
        <Part
          title={`Why ${shown.principal.subject} could`}
          note={
            <>
              the decision of <Time at={shown.decision.at} /> ({absoluteTime(shown.decision.at)})
            </>
          }
        >
          <DecisionLines decision={shown.decision} caption="Checks of the gate" file="decision" />
        </Part>
      )}
      <Part title="Who did" note={day ? `leases of ${day}` : "newest leases"}>
        <Table
          caption="Leases"
          columns={leaseColumns}
          rows={leases}
          rowKey={({ id }) => id}
          file="leases"
          empty={<Empty title={day ? "No lease was issued on that day." : "No lease was issued lately."} />}
        />
        <OnlyNewest of={data.leases} n={100} what="leases" />
      </Part>
      <ColumnsRead table={table} />
    </>
  );
}

/** When each principal read the table last, by id. */
function lastReads(table: TableSeen): Map<string, string> {
  const found = new Map<string, string>();
  const all = [
    ...(table.readers?.everything ?? []),
    ...(table.readers?.columns ?? []).flatMap(({ readers }) => readers),
  ];
  for (const { principal, lastReadAt } of all) {
    if (principal && lastReadAt > (found.get(principal.id) ?? "")) found.set(principal.id, lastReadAt);
  }
  return found;
}

function canReadColumns(reads: ReadonlyMap<string, string>): Column<CanRead>[] {
  return [
    { name: "Who", cell: ({ principal }) => principal.subject, text: ({ principal }) => principal.subject },
    {
      name: "By",
      cell: ({ by, why, givenBy }) => (
        <>
          {by === "grant" ? `a grant of ${givenBy ?? ""}` : `the role ${why}`}
          {by === "grant" && <span className="quiet-text block">{why}</span>}
        </>
      ),
      text: ({ by, why, givenBy }) => (by === "grant" ? `grant of ${givenBy ?? ""}: ${why}` : `role ${why}`),
    },
    {
      name: "For",
      cell: ({ purpose }) => purposeWord(purpose as PurposeCode),
      text: ({ purpose }) => purposeWord(purpose as PurposeCode),
    },
    {
      name: "From",
      cell: ({ from }) => <Day at={from} />,
      text: ({ from }) => from,
    },
    {
      name: "Until",
      cell: ({ until }) => (until ? <Day at={until} /> : <span className="quiet-text">the role ends</span>),
      text: ({ until }) => until ?? "",
    },
    {
      name: "Read last",
      cell: ({ principal }) => {
        const at = reads.get(principal.id);
        return at ? <Time at={at} /> : <span className="quiet-text">No read recorded</span>;
      },
      text: ({ principal }) => reads.get(principal.id) ?? "",
    },
    {
      name: "Decision",
      cell: ({ lease, principal }) =>
        lease?.decision ? (
          <Link
            to="/steward/readers"
            search={(before: Record<string, unknown>) => ({ ...before, lease: lease.id })}
            resetScroll={false}
            aria-label={`Line by line: the decision for ${principal.subject}`}
          >
            Line by line
          </Link>
        ) : (
          <span className="quiet-text">Did not ask</span>
        ),
      text: ({ lease }) => lease?.issuedAt ?? "",
    },
  ];
}

const leaseColumns: Column<Lease>[] = [
  { name: "Who", cell: ({ principal }) => principal.subject, text: ({ principal }) => principal.subject },
  { name: "Issued", cell: ({ issuedAt }) => <Time at={issuedAt} />, text: ({ issuedAt }) => issuedAt },
  { name: "Ends", cell: ({ expiresAt }) => <Time at={expiresAt} />, text: ({ expiresAt }) => expiresAt },
  { name: "To", cell: ({ action }) => words(action), text: ({ action }) => words(action) },
  {
    name: "Snapshot",
    cell: ({ snapshot }) => <span className="mono">{snapshot?.key ?? "the folder"}</span>,
    text: ({ snapshot }) => snapshot?.key ?? "",
  },
  { name: "By", cell: ({ grant }) => (grant ? "grant" : "role"), text: ({ grant }) => (grant ? "grant" : "role") },
  {
    name: "State",
    cell: ({ state }) => (
      <Chip tone={state === "REVOKED" ? "bad" : state === "ISSUED" ? "good" : "plain"}>{words(state)}</Chip>
    ),
    text: ({ state }) => words(state),
  },
  {
    name: "Decision",
    cell: ({ id, decision, principal }) =>
      decision && (
        <Link
          to="/steward/readers"
          search={(before: Record<string, unknown>) => ({ ...before, lease: id })}
          resetScroll={false}
          aria-label={`Line by line: the decision for the lease of ${principal.subject}`}
        >
          Line by line
        </Link>
      ),
  },
];

function ColumnsRead({ table: { readers } }: { table: TableSeen }) {
  if (!readers) return null;
  const read = readers.columns.filter((column) => column.readers.length > 0);
  return (
    <Part title="Columns read" note="in 400 days">
      {!readers.since && (
        <Note tone="info">
          <p>Reads are not recorded: the storage is not read through the gateway, or there was no read.</p>
        </Note>
      )}
      {!readers.complete && readers.since && (
        <Note tone="warn">
          <p>Recorded since {absoluteTime(readers.since)}, and not without gaps: a reader may be missing here.</p>
        </Note>
      )}
      {readers.everything.length > 0 && (
        <p>
          May have read any column:{" "}
          {readers.everything.map(({ principal }) => principal?.subject ?? "a principal that is gone").join(", ")}
        </p>
      )}
      <Table
        caption="Columns read"
        columns={[
          { name: "Column", cell: ({ name }) => <span className="mono">{name}</span>, text: ({ name }) => name },
          {
            name: "Read by",
            cell: ({ readers }) =>
              readers.map(({ principal, lastReadAt }) => (
                <span key={principal?.id ?? lastReadAt} className="block">
                  {principal?.subject ?? "a principal that is gone"}{" "}
                  <span className="quiet-text">
                    <Time at={lastReadAt} />
                  </span>
                </span>
              )),
            text: ({ readers }) => readers.map(({ principal }) => principal?.subject ?? "").join(" "),
          },
          {
            name: "Leases",
            number: true,
            cell: ({ readers }) => readers.reduce((n, { leases }) => n + Number(leases), 0),
            text: ({ readers }) => String(readers.reduce((n, { leases }) => n + Number(leases), 0)),
            sort: ({ readers }) => readers.reduce((n, { leases }) => n + Number(leases), 0),
          },
        ]}
        rows={read}
        rowKey={({ name }) => name}
        file="columns-read"
        empty={<Empty title="No column was read, as far as it is recorded." />}
      />
    </Part>
  );
}
