import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { idempotencyKey, useChange, useQuery } from "../../api/query";
import { hasRole } from "../../api/session";
import { GateDocument, type GateQuery, InspectTableDocument, type RuleOutcome, type Severity } from "../../gen/graphql";
import { productSplat } from "../../lib/paths";
import { count, grouped, words } from "../../lib/text";
import { duration } from "../../lib/time";
import { useTitle } from "../../shell/Shell";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Chip, type Tone } from "../../ui/Chip";
import { CopyAs, shellWord } from "../../ui/CopyAs";
import { DecisionLines } from "../../ui/DecisionLines";
import { AddressField } from "../../ui/inputs";
import { Answered, Day, PageHead, Part } from "../../ui/Page";
import { Empty, Failure, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { VerdictChip, verdictText } from "../../ui/words";
import { askedPurpose } from "../access/access";
import { TeamNav } from "./TeamNav";

const route = getRouteApi("/team/gate");

type TableSeen = NonNullable<GateQuery["table"]>;
type Verdict = NonNullable<NonNullable<TableSeen["head"]>["verdict"]>;
type Rule = Verdict["results"][number];

export function Gate() {
  const { address, purpose } = route.useSearch();
  const variables = { address: address ?? "", purpose: askedPurpose(purpose) ?? null };
  const query = useQuery(GateDocument, variables, address !== undefined);
  useTitle(address ? `${address} · Gate` : "Gate");
  return (
    <div className="page stack">
      <PageHead
        title="Gate"
        tools={
          address && (
            <CopyAs
              command={`charter why ${shellWord(address)}${variables.purpose ? ` --purpose ${variables.purpose.toLowerCase()}` : ""}`}
              operation={GateDocument}
              variables={variables}
            />
          )
        }
      >
        Whether you can read a table now, check by check, and which rows of which rule shut the gate.
      </PageHead>
      <TeamNav />
      <Choose key={address} />
      {address ? (
        <Answered query={query} what="the gate">
          {(data) =>
            data.table ? (
              <Loaded data={data} table={data.table} />
            ) : (
              <Empty title={`No table ${address} that you may know of.`}>
                <p>
                  An address is a domain, a product and a table, with dots between; <code>__v2</code> names a major.
                </p>
                <p>
                  <Link to="/team">See the board of your domains</Link>
                </p>
              </Empty>
            )
          }
        </Answered>
      ) : (
        <Empty title="Which table?">
          <p>
            Type its address, or come from the <Link to="/team">board</Link>.
          </p>
        </Empty>
      )}
    </div>
  );
}

function Choose() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState(search.address ?? "");
  return (
    <form
      className="fields"
      onSubmit={(event) => {
        event.preventDefault();
        void navigate({ search: { ...search, address: text.trim() || undefined } });
      }}
    >
      <AddressField label="Table" form="domain.product.table" value={text} onChange={setText} />
      <Button type="submit">Show</Button>
    </form>
  );
}

function Loaded({ data, table }: { data: GateQuery; table: TableSeen }) {
  const { why } = data;
  const { head, freshness, contractVersion } = table;
  const verdict = head?.verdict;
  const inspects = hasRole(data.viewer, ["OWNER", "PUBLISHER"], table.product.domain.path);
  return (
    <>
      {why && (
        <Note tone={why.allowed ? "good" : "bad"}>
          <p>
            <strong>{why.allowed ? "Open" : "Shut"}</strong> for you: <span className="mono">{table.address}</span> of{" "}
            <Link to="/products/$" params={{ _splat: productSplat(table.product) }}>
              {table.product.title ?? table.product.name}
            </Link>
            {why.served && (
              <>
                , serving <span className="mono">{why.served.key}</span>
                {why.served.committedAt && (
                  <>
                    {" "}
                    of <Time at={why.served.committedAt} />
                  </>
                )}
              </>
            )}
            .
          </p>
          {why.retryAt && (
            <p>
              Trying again may help from <Time at={why.retryAt} />.
            </p>
          )}
          {why.lines.some(({ code, outcome }) => outcome === "FAILS" && code === "GRANT_MISSING") && (
            <p>
              <Link to="/ask" search={{ address: table.address }}>
                Ask for access
              </Link>
            </p>
          )}
        </Note>
      )}
      {why && (
        <Part title="The decision">
          <DecisionLines decision={why} caption="Checks of the gate" file="decision" />
        </Part>
      )}
      <Part
        title="Newest data"
        note={
          verdict ? (
            <>
              inspected <Time at={verdict.at} /> by {verdict.engine}
            </>
          ) : undefined
        }
      >
        <dl className="pairs">
          <dt>Snapshot</dt>
          <dd>
            {head ? (
              <>
                <span className="mono">{head.key}</span> {verdict && <VerdictChip verdict={verdict.verdict} />}{" "}
                {head.state !== "INSPECTED" && <Chip tone="info">{words(head.state)}</Chip>}{" "}
                {head.committedAt && <Time at={head.committedAt} />}
                {head.rows && <span className="quiet-text"> {count(Number(head.rows), "row")}</span>}
              </>
            ) : (
              "None: nothing was written yet, or it was not noticed"
            )}
          </dd>
          <dt>Promise</dt>
          <dd>
            {freshness ? (
              <>
                at most {duration(Number(freshness.promisedSeconds))} old{" "}
                <Chip tone={freshness.late ? "bad" : "good"}>{freshness.late ? "Late" : "Kept"}</Chip>
              </>
            ) : (
              "None about its age"
            )}
          </dd>
          <dt>Contract</dt>
          <dd>
            {contractVersion ? (
              <>
                {contractVersion.version} {words(contractVersion.state)}, if the newest data is not good:{" "}
                {contractVersion.gateMode === "BLOCK"
                  ? "shut"
                  : contractVersion.gateMode === "LAST_GOOD"
                    ? "serve the last good data"
                    : "serve it with a warning"}
                {contractVersion.sunset && (
                  <>
                    , served until <Day at={contractVersion.sunset} />
                  </>
                )}
                {contractVersion.reasons.map((reason) => (
                  <span key={reason} className="block">
                    Waits: {reason}
                  </span>
                ))}
              </>
            ) : (
              "Drafts only: activate one"
            )}
          </dd>
        </dl>
        {head?.error && (
          <Note tone="bad">
            <p>The inspection failed: {head.error}</p>
          </Note>
        )}
        {verdict && verdict.conformance.length > 0 && (
          <Note tone={verdict.conforms ? "warn" : "bad"}>
            <p>
              <strong>
                {verdict.conforms
                  ? "It has the declared columns, with remarks"
                  : "It does not have the declared columns"}
              </strong>
            </p>
            <ul>
              {verdict.conformance.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </Note>
        )}
        {inspects && <InspectButton address={table.address} />}
        {verdict && (
          <Table
            caption="Rules of the newest data"
            columns={ruleColumns}
            rows={[...verdict.results].sort((a, b) => rank(a) - rank(b))}
            rowKey={({ key }) => key}
            file="rules"
            empty={<Empty title="The contract has no rules." />}
          />
        )}
      </Part>
      <Part title="Before">
        <Table
          caption="The newest snapshots"
          columns={snapshotColumns}
          rows={table.snapshots.nodes}
          rowKey={({ id }) => id}
          file="snapshots"
          empty={<Empty title="No snapshot is known yet." />}
        />
      </Part>
    </>
  );
}

function InspectButton({ address }: { address: string }) {
  const change = useChange(InspectTableDocument);
  const inspect = async () => {
    const done = await change.run({ input: { address, idempotencyKey: idempotencyKey() } });
    if (done) announce("The inspection is queued");
  };
  return (
    <div className="row-tools">
      <Button icon="reload" busy={change.running} onClick={() => void inspect()}>
        Inspect now
      </Button>
      {change.error && <Failure what="The inspection was not queued." error={change.error} />}
    </div>
  );
}

const outcomeLooks: Record<RuleOutcome, readonly [Tone, string]> = {
  FAIL: ["bad", "Broken"],
  ERROR: ["bad", "Not measured"],
  PASS: ["good", "Holds"],
  NOT_RUN: ["plain", "Not run"],
};
const severities: Record<Severity, string> = { ERROR: "Shuts the gate", WARNING: "Warns", INFO: "Reports" };

function rank({ outcome, severity }: { outcome: RuleOutcome; severity: Severity }): number {
  const outcomes: RuleOutcome[] = ["FAIL", "ERROR", "NOT_RUN", "PASS"];
  const order: Severity[] = ["ERROR", "WARNING", "INFO"];
  return outcomes.indexOf(outcome) * 3 + order.indexOf(severity);
}

function measured({ measured, unit }: { measured?: number | null; unit: Rule["unit"] }): string {
  if (measured === null || measured === undefined) return "";
  const rounded = Math.round(measured * 100) / 100;
  return unit === "PERCENT" ? `${rounded} %` : grouped(rounded);
}

const ruleColumns: Column<Rule>[] = [
  {
    name: "Rule",
    cell: ({ title, key }) => (
      <>
        {title}
        <span className="mono quiet-text block">{key}</span>
      </>
    ),
    text: ({ title }) => title,
  },
  {
    name: "Outcome",
    cell: ({ outcome }) => <Chip tone={outcomeLooks[outcome][0]}>{outcomeLooks[outcome][1]}</Chip>,
    text: ({ outcome }) => outcomeLooks[outcome][1],
    sort: rank,
  },
  {
    name: "Counted",
    number: true,
    cell: measured,
    text: ({ measured }) => String(measured ?? ""),
    sort: ({ measured }) => measured ?? -1,
  },
  { name: "If broken", cell: ({ severity }) => severities[severity], text: ({ severity }) => severities[severity] },
  { name: "Remark", cell: ({ message }) => message, text: ({ message }) => message ?? "" },
];

type Snapshot = TableSeen["snapshots"]["nodes"][number];

function broken(snapshot: Snapshot): string {
  return (snapshot.verdict?.results ?? [])
    .filter(({ outcome }) => outcome === "FAIL" || outcome === "ERROR")
    .map((rule) => `${rule.title}: ${rule.outcome === "ERROR" ? "not measured" : measured(rule)}`)
    .join("; ");
}

const snapshotColumns: Column<Snapshot>[] = [
  { name: "Snapshot", cell: ({ key }) => <span className="mono">{key}</span>, text: ({ key }) => key },
  {
    name: "Written",
    cell: ({ committedAt }) => committedAt && <Time at={committedAt} />,
    text: ({ committedAt }) => committedAt ?? "",
  },
  {
    name: "Verdict",
    cell: ({ verdict, state }) =>
      verdict ? <VerdictChip verdict={verdict.verdict} /> : <Chip tone="plain">{words(state)}</Chip>,
    text: ({ verdict, state }) => (verdict ? verdictText(verdict.verdict) : words(state)),
  },
  {
    name: "Rows",
    number: true,
    cell: ({ rows }) => (rows ? grouped(rows) : ""),
    text: ({ rows }) => rows ?? "",
    sort: ({ rows }) => Number(rows ?? -1),
  },
  { name: "Broken rules", cell: broken, text: broken },
];
