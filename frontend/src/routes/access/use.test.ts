import { expect, test } from "vitest";
import { columnsRead } from "./use";

const bob = { principal: { id: "bob" } };
const table = (columns: Record<string, object[]>, everything: object[] = [], since: string | null = "2026-11-01") => ({
  readers: { since, everything, columns: Object.entries(columns).map(([name, readers]) => ({ name, readers })) },
});

test("what a principal read is named, once, over all tables", () => {
  const tables = [table({ delay: [bob], carrier: [] }), table({ carrier: [bob], delay: [bob] })];
  expect(columnsRead(tables, "bob")).toEqual(["carrier", "delay"]);
  expect(columnsRead(tables, "dan")).toEqual([]);
});

test("files that are read whole count as any column", () => {
  expect(columnsRead([table({ delay: [] }, [bob])], "bob")).toEqual(["*"]);
});

test("what is not recorded or not shown is not called nothing", () => {
  expect(columnsRead([], "bob")).toBeUndefined();
  expect(columnsRead([{ readers: null }], "bob")).toBeUndefined();
  expect(columnsRead([table({ delay: [] }, [], null)], "bob")).toBeUndefined();
});
