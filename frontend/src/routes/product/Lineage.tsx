import { getRouteApi, Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useQuery } from "../../api/query";
import {
  ImpactDocument,
  type ImpactQuery,
  type LineageCut,
  type ProductQuery,
  type ReachedFragment,
  type TableViewFragment,
} from "../../gen/graphql";
import { count, words } from "../../lib/text";
import { Button } from "../../ui/Button";
import { CopyAs, shellWord } from "../../ui/CopyAs";
import { Empty, Failure, Loading, Note } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import { type NodeWords, nodeWords } from "./node";
import { depthOf } from "./search";

const LineageDrawing = lazy(() => import("./LineageDrawing"));
const route = getRouteApi("/products/$");

type TableView = NonNullable<TableViewFragment["table"]>;

export function Lineage({
  data,
  address,
  table,
}: {
  data: ProductQuery;
  address: string;
  table: TableView | undefined;
}) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { column } = search;
  const depth = depthOf(search);
  const [drawn, setDrawn] = useState(false);
  const [impact, setImpact] = useState(false);
  const start = column && table ? { table: table.address, columns: [column] } : { product: address };
  const rows = [
    ...data.upstream.found.map((found) => ({ ...found, way: "Made from" })),
    ...data.downstream.found.map((found) => ({ ...found, way: "Goes into" })),
  ];
  return (
    <section className="block" aria-labelledby="lineage">
      <h2 id="lineage">Made from and used by</h2>
      <p className="facts">
        <span>{sum(data.upstream, "source")}</span>
        <span>
          {sum(data.downstream, "table, dataset or job made from it", "tables, datasets and jobs made from it")}
        </span>
        <span>{count(data.downstream.consumerCount, "consumer")}</span>
      </p>
      {[data.upstream, data.downstream].map(({ cut }) => cut && cut !== "DEPTH" && <Cut key={cut} cut={cut} />)}
      <Table
        caption={`What ${address} is made from and goes into, one step each way`}
        columns={reachedColumns}
        rows={rows}
        rowKey={({ way, node }) => way + nodeWords(node).id}
        file="lineage"
        empty={
          <Empty title="Nothing that you may know of is made from it, and it names no source.">
            <p>Sources are the input ports of the product's document; jobs report theirs with OpenLineage events.</p>
          </Empty>
        }
      />
      <div className="row">
        <label className="inline-field">
          Start
          <select
            value={column ?? ""}
            onChange={(event) =>
              void navigate({
                search: { ...search, column: event.currentTarget.value || undefined },
                replace: true,
                resetScroll: false,
              })
            }
          >
            <option value="">The whole product</option>
            {(table?.head?.columns ?? []).map(({ name }) => (
              <option key={name} value={name}>
                Column {name}
              </option>
            ))}
          </select>
        </label>
        <label className="inline-field">
          Steps
          <select
            value={String(depth)}
            onChange={(event) =>
              void navigate({
                search: { ...search, depth: event.currentTarget.value === "1" ? undefined : event.currentTarget.value },
                replace: true,
                resetScroll: false,
              })
            }
          >
            {[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => (
              <option key={n} value={String(n)}>
                {n}
              </option>
            ))}
          </select>
        </label>
        <Button icon="fork" aria-expanded={drawn} onClick={() => setDrawn(!drawn)}>
          {drawn ? "Hide the drawing" : "Draw it"}
        </Button>
        <Button icon="people" aria-expanded={impact} onClick={() => setImpact(!impact)}>
          {impact ? "Hide who is affected" : "Who is affected"}
        </Button>
      </div>
      {drawn && (
        <Suspense fallback={<Loading what="the drawing" lines={8} />}>
          <LineageDrawing start={start} depth={depth} label={column ? `${address}, column ${column}` : address} />
        </Suspense>
      )}
      {impact && <Impact start={start} what={column ? `the column ${column}` : address} />}
    </section>
  );
}

function sum({ total, found }: ReachedFragment, one: string, many?: string): string {
  return total === null ? "counting is in progress" : count(Math.max(total, found.length), one, many);
}

const cuts: Record<LineageCut, string> = {
  DEPTH: "There is more beyond the steps that are shown: choose more steps.",
  LIMIT: "There is more than one answer holds.",
  BEHIND: "The newest edges are not in the graph yet: look again in a minute.",
};

export function Cut({ cut }: { cut: LineageCut }) {
  return (
    <Note tone="warn">
      <p>{cuts[cut]}</p>
    </Note>
  );
}

export function NodeLink({ node }: { node: NodeWords }) {
  return node.splat ? (
    <Link to="/products/$" params={{ _splat: node.splat }} search={{ table: node.table }}>
      {node.label}
    </Link>
  ) : (
    <span>{node.label}</span>
  );
}

type Row = ReachedFragment["found"][number] & { way: string };

const reachedColumns: Column<Row>[] = [
  { name: "Name", cell: ({ node }) => <NodeLink node={nodeWords(node)} />, text: ({ node }) => nodeWords(node).label },
  { name: "Way", short: true, cell: ({ way }) => way, text: ({ way }) => way },
  {
    name: "Address",
    cell: ({ node }) => <span className="mono">{nodeWords(node).address}</span>,
    text: ({ node }) => nodeWords(node).address,
  },
  {
    name: "Known by",
    short: true,
    cell: ({ edges }) => known(edges),
    text: ({ edges }) => known(edges),
  },
  { name: "Columns", cell: (row) => columnsText(row), text: (row) => columnsText(row) },
];

function known(edges: Row["edges"]): string {
  return [...new Set(edges.map(({ kind, standing }) => words(kind) + (standing === "CLAIM" ? " (a claim)" : "")))].join(
    ", ",
  );
}

export function columnsText({ columns, moreColumns }: { columns: string[] | null; moreColumns: number }): string {
  if (columns === null) return "all, or not known which";
  return columns.join(", ") + (moreColumns > 0 ? ` and ${moreColumns} more` : "");
}

function Impact({ start, what }: { start: { product?: string; table?: string; columns?: string[] }; what: string }) {
  const query = useQuery(ImpactDocument, start);
  const impact = query.data?.impact;
  const command = start.table
    ? `charter impact ${start.table} --column ${shellWord(start.columns?.[0] ?? "")}`
    : `charter impact --product ${start.product}`;
  return (
    <div className="impact" aria-busy={query.loading}>
      <div className="head-row">
        <h3>Who is affected if {what} changes</h3>
        <CopyAs command={command} operation={ImpactDocument} variables={start} />
      </div>
      {query.error && <Failure what="It is not known." error={query.error} retry={query.retry} />}
      {!impact && !query.error && <Loading what="who is affected" lines={5} />}
      {impact?.cut && <Cut cut={impact.cut} />}
      {impact && (
        <>
          <p>
            {impact.total === null
              ? "Counting is in progress"
              : count(impact.total, "table, dataset or job", "tables, datasets and jobs")}
            , {count(impact.consumerCount, "consumer")}.
          </p>
          <Table
            caption={`Consumers affected by ${what}`}
            columns={consumerColumns}
            rows={impact.consumers}
            rowKey={({ principal, distance, ports }) => `${principal?.subject} ${distance} ${ports.length}`}
            file="consumers"
            empty={<Empty title="No consumer that you may see." />}
          />
          <Table
            caption={`Tables, datasets and jobs affected by ${what}`}
            columns={affectedColumns}
            rows={impact.found}
            rowKey={({ node }) => nodeWords(node).id}
            file="impact"
            empty={<Empty title="Nothing is made from it." />}
          />
        </>
      )}
    </div>
  );
}

type ImpactAnswer = ImpactQuery["impact"];
type Consumer = ImpactAnswer["consumers"][number];
type Affected = ImpactAnswer["found"][number];

const consumerColumns: Column<Consumer>[] = [
  {
    name: "Consumer",
    cell: ({ principal }) => principal?.subject ?? "hidden",
    text: ({ principal }) => principal?.subject ?? "hidden",
  },
  {
    name: "Steps",
    number: true,
    cell: ({ distance }) => distance,
    text: ({ distance }) => String(distance),
    sort: ({ distance }) => distance,
  },
  { name: "Reads", cell: ({ ports }) => portsText(ports), text: ({ ports }) => portsText(ports) },
];

function portsText(ports: Consumer["ports"]): string {
  return ports
    .map(({ product, name, major, columns }) => {
      const of = product ? `${product.domain.path}.${product.name}` : "";
      const which =
        columns === null ? "columns not known" : columns.length > 0 ? columns.join(", ") : "none of these columns";
      return `${of} port ${name} major ${major}: ${which}`;
    })
    .join("; ");
}

const affectedColumns: Column<Affected>[] = [
  { name: "Name", cell: ({ node }) => <NodeLink node={nodeWords(node)} />, text: ({ node }) => nodeWords(node).label },
  { name: "Kind", cell: ({ node }) => nodeWords(node).kind, text: ({ node }) => nodeWords(node).kind },
  {
    name: "Address",
    cell: ({ node }) => <span className="mono">{nodeWords(node).address}</span>,
    text: ({ node }) => nodeWords(node).address,
  },
  {
    name: "Steps",
    number: true,
    cell: ({ distance }) => distance,
    text: ({ distance }) => String(distance),
    sort: ({ distance }) => distance,
  },
  { name: "Columns", cell: (row) => columnsText(row), text: (row) => columnsText(row) },
];
