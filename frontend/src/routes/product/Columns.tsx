import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { TableViewFragment } from "../../gen/graphql";
import { count, words } from "../../lib/text";
import { Chip } from "../../ui/Chip";
import { Empty } from "../../ui/states";
import { type Column, Table } from "../../ui/Table";
import type { Found } from "./Product";
import { exactTable } from "./search";

const route = getRouteApi("/products/$");

type TableView = NonNullable<TableViewFragment["table"]>;

/** The columns of the newest inspected snapshot, and who reads them, for those who may see that. */
export function Columns({ table, product }: { table: TableView; product: Found }) {
  const { _splat } = route.useParams();
  const search = route.useSearch();
  const found = table.head?.columns;
  const readers = table.readers;
  const rows = useMemo(() => {
    const byName = new Map(readers?.columns.map(({ name, readers }) => [name, readers]));
    return (found ?? []).map((column) => ({ ...column, readers: byName.get(column.name) }));
  }, [found, readers]);
  const columns: Column<(typeof rows)[number]>[] = [
    { name: "Column", cell: ({ name }) => <span className="mono">{name}</span>, text: ({ name }) => name },
    { name: "Type", cell: ({ type }) => <span className="mono quiet-text">{type}</span>, text: ({ type }) => type },
    {
      name: "May be null",
      cell: ({ nullable }) => (nullable ? <span className="quiet-text">yes</span> : "no"),
      text: ({ nullable }) => (nullable ? "yes" : "no"),
    },
    ...(readers
      ? [
          {
            name: "Read by, 90 days",
            cell: ({ readers }: (typeof rows)[number]) =>
              names(readers) || <span className="quiet-text">no reader</span>,
            text: ({ readers }: (typeof rows)[number]) => names(readers),
          },
        ]
      : []),
    {
      name: "Who is affected",
      cell: ({ name }) => (
        <Link
          to="/products/$"
          params={{ _splat }}
          search={{ ...search, table: exactTable(table.address), column: name }}
          hash="lineage"
          aria-label={`Lineage of the column ${name}`}
        >
          Lineage
        </Link>
      ),
    },
  ];
  const version = table.contractVersion;
  return (
    <section className="block" aria-labelledby="columns">
      <h2 id="columns">
        Columns of <span className="mono">{exactTable(table.address)}</span>
      </h2>
      <p className="facts">
        {version ? (
          <>
            <span>
              Contract <span className="mono">{version.version}</span>
            </span>
            <Chip tone={version.state === "ACTIVE" ? "good" : "warn"}>{words(version.state)}</Chip>
          </>
        ) : (
          <Chip tone="plain">no version in force</Chip>
        )}
        <span className="quiet-text">{table.format === "DELTA" ? "Delta Lake" : "Parquet"}</span>
        {found && <span className="quiet-text">{count(found.length, "column")} in the newest inspected snapshot</span>}
        {readers && !readers.complete && <span className="quiet-text">Some reads were not counted.</span>}
      </p>
      <Table
        caption={`Columns of ${table.address}`}
        columns={columns}
        rows={rows}
        rowKey={({ name }) => name}
        file={`${product.name}-columns`}
        empty={
          <Empty title="No snapshot is inspected yet.">
            <p>The columns are shown after the first inspection. The contract is below, under Versions.</p>
          </Empty>
        }
      />
    </section>
  );
}

function names(readers: { principal: { subject: string } | null }[] | undefined): string {
  return (readers ?? []).map(({ principal }) => principal?.subject ?? "someone").join(", ");
}
