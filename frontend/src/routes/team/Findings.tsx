import type { Bump, FindingSeenFragment } from "../../gen/graphql";
import { words } from "../../lib/text";
import { Chip, type Tone } from "../../ui/Chip";
import { type Column, Table } from "../../ui/Table";

const bumps: Record<Bump, Tone> = { NONE: "plain", PATCH: "good", MINOR: "info", MAJOR: "bad" };

export function BumpChip({ bump }: { bump: Bump }) {
  return <Chip tone={bumps[bump]}>{words(bump)}</Chip>;
}

/** Differences between two versions, each with its rule, its reason and the bump that it needs. */
export function Findings({ caption, findings }: { caption: string; findings: readonly FindingSeenFragment[] }) {
  return (
    <Table
      caption={caption}
      columns={findingColumns}
      rows={findings}
      rowKey={(row) => JSON.stringify([row.path, row.rule, row.before, row.after])}
      file="findings"
    />
  );
}

const findingColumns: Column<FindingSeenFragment>[] = [
  { name: "Where", cell: ({ path }) => <span className="mono">{path}</span>, text: ({ path }) => path },
  {
    name: "Reason",
    cell: ({ message, rule, before, after, proof }) => (
      <>
        {message}
        <span className="mono quiet-text block">{rule}</span>
        {(before !== null || after !== null) && (
          <span className="mono quiet-text block">
            {before ?? "—"} → {after ?? "—"}
          </span>
        )}
        {proof && <span className="quiet-text block">A MINOR is enough if this holds for every row: {proof}</span>}
      </>
    ),
    text: ({ message, rule, before, after }) => `${message} [${rule}] ${before ?? ""} -> ${after ?? ""}`,
  },
  {
    name: "Old readers",
    cell: ({ consumerSafe }) => <Chip tone={consumerSafe ? "good" : "bad"}>{consumerSafe ? "Safe" : "Break"}</Chip>,
    text: ({ consumerSafe }) => (consumerSafe ? "safe" : "break"),
  },
  {
    name: "Old data",
    cell: ({ historySafe }) => <Chip tone={historySafe ? "good" : "bad"}>{historySafe ? "Safe" : "Breaks"}</Chip>,
    text: ({ historySafe }) => (historySafe ? "safe" : "breaks"),
  },
  { name: "Needs", cell: ({ bump }) => <BumpChip bump={bump} />, text: ({ bump }) => words(bump) },
];
