import { type ReactNode, useMemo, useState } from "react";
import { download, toCsv } from "../lib/export";
import { Button } from "./Button";
import { Icon } from "./Icon";

export interface Column<Row> {
  name: string;
  cell: (row: Row) => ReactNode;
  /** The same as text: for files and for sorting. Without it the column is in neither. */
  text?: (row: Row) => string;
  /** What to sort by, if not the text. */
  sort?: (row: Row) => number | string;
  /** Numbers stand at the end of their cell. */
  number?: boolean;
  /** A few words that stay on one line. */
  short?: boolean;
}

interface Props<Row> {
  caption: string;
  /** Whether the caption is seen; it is always read out. */
  showCaption?: boolean;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** The name of the files; without it the table is not for export. */
  file?: string;
  /** What stands instead of rows. */
  empty?: ReactNode;
}

/** A table: its first column names the row, its heads sort, it scrolls sideways on its own, it exports CSV and JSON. */
export function Table<Row>({ caption, showCaption, columns, rows, rowKey, file, empty }: Props<Row>) {
  const [order, setOrder] = useState<{ column: string; up: boolean }>();
  const sorted = useMemo(() => {
    const column = columns.find(({ name }) => name === order?.column);
    const by = column?.sort ?? column?.text;
    if (!by) return rows;
    const sign = order?.up ? 1 : -1;
    return [...rows].sort((a, b) => {
      const [x, y] = [by(a), by(b)];
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en"));
    });
  }, [rows, columns, order]);
  if (rows.length === 0 && empty) return <>{empty}</>;
  const texts = columns.filter((column) => column.text);
  const asText = (row: Row) => texts.map((column) => column.text?.(row) ?? "");
  return (
    <div className="table-box">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, also by keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label={caption}>
        <table>
          <caption className={showCaption ? undefined : "visually-hidden"}>{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => {
                const up = order?.column === column.name ? order.up : undefined;
                return (
                  <th
                    key={column.name}
                    scope="col"
                    className={column.number ? "number" : undefined}
                    aria-sort={up === undefined ? undefined : up ? "ascending" : "descending"}
                  >
                    {column.text ? (
                      <button type="button" onClick={() => setOrder({ column: column.name, up: !(up ?? false) })}>
                        {column.name}
                        {up !== undefined && <Icon name={up ? "up" : "down"} size={12} />}
                      </button>
                    ) : (
                      column.name
                    )}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <tr key={rowKey(row)}>
                {columns.map((column, index) =>
                  index === 0 ? (
                    <th key={column.name} scope="row">
                      {column.cell(row)}
                    </th>
                  ) : (
                    <td key={column.name} className={column.number ? "number" : column.short ? "short" : undefined}>
                      {column.cell(row)}
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {file && rows.length > 0 && (
        <div className="table-export">
          <Button
            look="quiet"
            icon="save"
            aria-label={`Save as CSV: ${caption}`}
            onClick={() =>
              download(
                `${file}.csv`,
                "text/csv",
                toCsv(
                  texts.map(({ name }) => name),
                  sorted.map(asText),
                ),
              )
            }
          >
            CSV
          </Button>
          <Button
            look="quiet"
            icon="save"
            aria-label={`Save as JSON: ${caption}`}
            onClick={() =>
              download(
                `${file}.json`,
                "application/json",
                `${JSON.stringify(
                  sorted.map((row) => Object.fromEntries(texts.map((column) => [column.name, column.text?.(row)]))),
                  null,
                  2,
                )}\n`,
              )
            }
          >
            JSON
          </Button>
        </div>
      )}
    </div>
  );
}
