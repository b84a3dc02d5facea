import type { RuleOutcome, Severity, TableViewFragment } from "../../gen/graphql";
import { count, grouped, title } from "../../lib/text";
import { absoluteTime, duration } from "../../lib/time";
import { Chip, type Tone } from "../../ui/Chip";
import { Empty } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { VerdictChip, verdictText, verdictTone } from "../../ui/words";

type TableView = NonNullable<TableViewFragment["table"]>;
type Snapshot = TableView["snapshots"]["nodes"][number];
type Result = NonNullable<NonNullable<TableView["head"]>["verdict"]>["results"][number];

export function PromiseAndFact({ table }: { table: TableView }) {
  const { head, freshness } = table;
  const verdict = head?.verdict;
  return (
    <section className="block" aria-labelledby="fact">
      <h2 id="fact">Promise and fact</h2>
      {!head ? (
        <Empty title="No data yet.">
          <p>
            The owners write the table, then run <code>charter inspect {table.address}</code>.
          </p>
        </Empty>
      ) : (
        <>
          <dl className="promises">
            <div>
              <dt>Age</dt>
              <dd>
                {freshness ? (
                  <Chip tone={freshness.late ? "bad" : "good"}>{freshness.late ? "Late" : "In time"}</Chip>
                ) : (
                  <Chip tone="plain">No promise</Chip>
                )}
                <span>
                  {head.committedAt ? (
                    <>
                      written <Time at={head.committedAt} />
                    </>
                  ) : (
                    "not known when it was written"
                  )}
                  {freshness && `, promised every ${duration(Number(freshness.promisedSeconds))}`}
                </span>
              </dd>
            </div>
            <div>
              <dt>Columns</dt>
              <dd>
                {verdict ? (
                  <Chip tone={verdict.conforms ? "good" : "bad"}>
                    {verdict.conforms ? "As the contract says" : "Not as the contract says"}
                  </Chip>
                ) : (
                  <Chip tone="plain">Not inspected</Chip>
                )}
                {verdict && verdict.conformance.length > 0 && (
                  <ul className="plain-list">
                    {verdict.conformance.map((line) => (
                      <li key={line}>{line}</li>
                    ))}
                  </ul>
                )}
              </dd>
            </div>
            <div>
              <dt>Rules</dt>
              <dd>
                {verdict ? <VerdictChip verdict={verdict.verdict} /> : <Chip tone="plain">Not inspected</Chip>}
                {verdict && <span>{summary(verdict.results)}</span>}
              </dd>
            </div>
            <div>
              <dt>Rows</dt>
              <dd>{head.rows === null ? "not counted" : grouped(head.rows)}</dd>
            </div>
          </dl>
          <History snapshots={table.snapshots.nodes} />
          {verdict && verdict.results.length > 0 && (
            <details className="more" open={verdict.verdict !== "PASS"}>
              <summary>{count(verdict.results.length, "rule")} of the newest snapshot</summary>
              <Table
                caption={`Rules measured on ${head.key}`}
                columns={ruleColumns}
                rows={[...verdict.results].sort((a, b) => rank[a.outcome] - rank[b.outcome])}
                rowKey={({ key }) => key}
                file="rules"
              />
            </details>
          )}
        </>
      )}
    </section>
  );
}

function summary(results: readonly Result[]): string {
  const broken = results.filter(({ outcome }) => outcome === "FAIL").length;
  const unmeasured = results.filter(({ outcome }) => outcome === "ERROR").length;
  const parts = [`${results.length - broken - unmeasured} of ${count(results.length, "rule")} hold`];
  if (broken > 0) parts.push(`${broken} broken`);
  if (unmeasured > 0) parts.push(`${unmeasured} not measured`);
  return parts.join(", ");
}

const rank: Record<RuleOutcome, number> = { FAIL: 0, ERROR: 1, NOT_RUN: 2, PASS: 3 };

const outcomes: Record<RuleOutcome, readonly [Tone, string]> = {
  PASS: ["good", "Holds"],
  FAIL: ["bad", "Broken"],
  ERROR: ["warn", "Not measured"],
  NOT_RUN: ["plain", "Not run"],
};

const severities: Record<Severity, string> = { INFO: "reported", WARNING: "warns", ERROR: "shuts the gate" };

const ruleColumns: Column<Result>[] = [
  { name: "Rule", cell: ({ title }) => title, text: ({ title }) => title },
  {
    name: "Outcome",
    short: true,
    cell: ({ outcome }) => <Chip tone={outcomes[outcome][0]}>{outcomes[outcome][1]}</Chip>,
    text: ({ outcome }) => outcomes[outcome][1],
    sort: ({ outcome }) => rank[outcome],
  },
  {
    name: "Measured",
    number: true,
    cell: ({ measured, unit, message }) =>
      measured === null ? <span className="quiet-text">{message ?? "not shown"}</span> : measure(measured, unit),
    text: ({ measured, unit }) => (measured === null ? "" : measure(measured, unit)),
    sort: ({ measured }) => measured ?? -1,
  },
  {
    name: "If broken",
    short: true,
    cell: ({ severity }) => severities[severity],
    text: ({ severity }) => severities[severity],
  },
];

function measure(n: number, unit: Result["unit"]): string {
  return unit === "PERCENT" ? `${grouped(Math.round(n * 100) / 100)} %` : `${grouped(n)} rows`;
}

/** The verdicts over time, the newest last: a drawing to see at once, and the same as a table. */
function History({ snapshots }: { snapshots: readonly Snapshot[] }) {
  const shown = [...snapshots].reverse();
  const most = Math.max(1, ...shown.map(({ rows }) => Number(rows ?? 0)));
  const height = 56;
  const step = 20;
  return (
    <figure className="history">
      <figcaption>Verdicts of the last {count(shown.length, "snapshot")}; the height is the number of rows</figcaption>
      <svg
        viewBox={`0 0 ${shown.length * step} ${height + 14}`}
        width={shown.length * step}
        height={height + 14}
        role="img"
        aria-label={`Verdicts, oldest first: ${shown.map(stateWord).join(", ")}`}
      >
        {shown.map((snapshot, index) => {
          const bar = Math.max(4, (Number(snapshot.rows ?? 0) / most) * height);
          const tone = snapshot.verdict ? verdictTone(snapshot.verdict.verdict) : "plain";
          const x = index * step;
          return (
            <g key={snapshot.id} className={`bar ${tone}`}>
              <title>
                {`${snapshot.key}: ${stateWord(snapshot)}, ${snapshot.rows === null ? "rows not counted" : `${grouped(snapshot.rows)} rows`}, ${absoluteTime(snapshot.committedAt ?? snapshot.noticedAt)}`}
              </title>
              <rect x={x + 1} y={height - bar} width={step - 5} height={bar} rx={2} />
              <path className="sign" d={signs[tone]} transform={`translate(${x + 3.5} ${height + 3})`} />
            </g>
          );
        })}
      </svg>
      <details className="more">
        <summary>As a table</summary>
        <Table
          caption="Snapshots, newest first"
          columns={snapshotColumns}
          rows={snapshots}
          rowKey={({ id }) => id}
          file="snapshots"
        />
      </details>
    </figure>
  );
}

/** A shape for each tone, so that the drawing needs no colour: tick, triangle, cross, dash. */
const signs: Record<Tone, string> = {
  good: "M1 5l3 3 5-7",
  warn: "M5 1l4 8H1z",
  bad: "M1 1l8 8M9 1L1 9",
  info: "M1 5h8",
  plain: "M1 5h8",
};

function stateWord(snapshot: Snapshot): string {
  return snapshot.verdict ? verdictText(snapshot.verdict.verdict).toLowerCase() : title(snapshot.state).toLowerCase();
}

const snapshotColumns: Column<Snapshot>[] = [
  { name: "Snapshot", cell: ({ key }) => <span className="mono">{key}</span>, text: ({ key }) => key },
  {
    name: "Verdict",
    short: true,
    cell: (snapshot) =>
      snapshot.verdict ? (
        <VerdictChip verdict={snapshot.verdict.verdict} />
      ) : (
        <Chip tone="plain">{title(snapshot.state)}</Chip>
      ),
    text: stateWord,
  },
  {
    name: "Rows",
    number: true,
    cell: ({ rows }) => (rows === null ? "" : grouped(rows)),
    text: ({ rows }) => rows ?? "",
    sort: ({ rows }) => Number(rows ?? -1),
  },
  {
    name: "Written",
    short: true,
    cell: ({ committedAt, noticedAt }) => <Time at={committedAt ?? noticedAt} />,
    text: ({ committedAt, noticedAt }) => committedAt ?? noticedAt,
  },
];
