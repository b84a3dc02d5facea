import { expect, test } from "vitest";
import { byVersion, meaningOf, needed } from "./changes";
import { type DrawnNode, grouped, layout } from "./layout";
import { depthOf, exactTable, productSearch, productVariables, tableName } from "./search";
import { clientsOf, program, settings } from "./snippets";

test("the table in the URL is a name within the product, so it can be no other product's", () => {
  expect(productVariables("nyc/ops/crews", productSearch({ table: "crews__v2", from: ["1.0.0"], x: "y" }))).toEqual({
    domain: "nyc/ops",
    name: "crews",
    address: "nyc/ops.crews",
    table: "nyc/ops.crews.crews__v2",
    known: true,
  });
  expect(productVariables("nyc/flights", {})?.known).toBe(false);
  expect(productVariables("flights", {})).toBeUndefined();
  expect(tableName("nyc.flights.flights__v12")).toBe("flights");
  expect(exactTable("nyc.flights.flights__v12")).toBe("flights__v12");
  expect(["1", "9", "0", "10", "x", "2.5"].map((depth) => depthOf({ depth }))).toEqual([1, 9, 1, 1, 1, 1]);
});

test("changes are told by what they mean for a reader", () => {
  const check = (consumerSafe: boolean, historySafe: boolean, bump: "PATCH" | "MINOR" | "MAJOR", meaning: string) =>
    expect(meaningOf({ consumerSafe, historySafe, bump })).toBe(meaning);
  check(false, true, "MAJOR", "breaks");
  check(false, false, "MAJOR", "breaks");
  check(true, false, "MAJOR", "history");
  check(true, true, "MINOR", "compatible");
  check(true, true, "PATCH", "words");
  expect(needed([])).toBe("NONE");
  expect(needed([{ bump: "PATCH" }, { bump: "MAJOR" }, { bump: "MINOR" }])).toBe("MAJOR");
  expect(["10.0.0", "2.0.1", "2.0.0", "1.10.0", "1.9.0"].sort(byVersion)).toEqual([
    "1.9.0",
    "1.10.0",
    "2.0.0",
    "2.0.1",
    "10.0.0",
  ]);
});

test("each client reads the formats that it can, and no secret breaks out of its quotes", () => {
  expect(clientsOf("DELTA")).toEqual(["polars", "deltalake", "pyarrow", "shell"]);
  expect(clientsOf("PARQUET")).toEqual(["polars", "pyarrow", "shell"]);
  expect(program("polars", "PARQUET", "a.b.c")).toContain("scan_parquet");
  expect(program("shell", "DELTA", "a.b.c")).toBe('eval "$(charter credentials a.b.c)"');
  const secret = {
    accessKeyId: "id",
    secretAccessKey: "a'b\"c\n",
    sessionToken: "t",
    endpoint: "http://127.0.0.1",
    region: "r",
    tableUri: "s3://lake/1",
    allowHttp: true,
  };
  expect(settings("shell", secret)).toContain(`export AWS_SECRET_ACCESS_KEY='a'\\''b"c\n'`);
  expect(settings("polars", secret)).toContain(String.raw`"AWS_SECRET_ACCESS_KEY": "a'b\"c\n",`);
  expect(settings("polars", secret)).toContain('"AWS_ALLOW_HTTP": "true"');
});

const node = (id: string, layer: number): DrawnNode => ({ id, label: id, detail: "", layer, count: 1 });

test("a drawing has a column for each distance, and no two boxes overlap", () => {
  const nodes = [node("up", -1), node("start", 0), node("a", 1), node("b", 1), node("c", 2)];
  const edges = [
    { from: "up", to: "start" },
    { from: "start", to: "b" },
    { from: "start", to: "a" },
    { from: "b", to: "c" },
    { from: "a", to: "nowhere" },
  ];
  const { nodes: placed, edges: drawn } = layout(nodes, edges);
  const at = new Map(placed.map((node) => [node.id, node]));
  expect(at.get("up")?.x).toBeLessThan(at.get("start")?.x ?? 0);
  expect(at.get("a")?.x).toBe(at.get("b")?.x);
  expect(new Set(placed.map(({ x, y }) => `${x} ${y}`)).size).toBe(nodes.length);
  expect(drawn).toHaveLength(4);
});

test("crossings are taken out where neighbours can stand at one height", () => {
  const nodes = [node("start", 0), node("a", 1), node("b", 1), node("x", 2), node("y", 2)];
  const edges = [
    { from: "start", to: "a" },
    { from: "start", to: "b" },
    { from: "a", to: "y" },
    { from: "b", to: "x" },
  ];
  const at = new Map(layout(nodes, edges).nodes.map((node) => [node.id, node.y]));
  const [a, b, x, y] = ["a", "b", "x", "y"].map((id) => at.get(id) ?? 0) as [number, number, number, number];
  expect(Math.sign(a - b)).toBe(Math.sign(y - x));
});

test("2,000 nodes become at most 300, the rest one group a layer, without losing one, in a moment", () => {
  const nodes = [node("start", 0), ...Array.from({ length: 1999 }, (_, n) => node(`n${n}`, 1 + Math.floor(n / 200)))];
  const edges = nodes.slice(1).map(({ id }, n) => ({ from: n < 200 ? "start" : `n${n - 200}`, to: id }));
  const began = performance.now();
  const kept = grouped(nodes, edges);
  const drawing = layout(kept.nodes, kept.edges);
  expect(performance.now() - began).toBeLessThan(200);
  expect(drawing.nodes.length).toBeLessThanOrEqual(300);
  expect(drawing.nodes.reduce((n, { count }) => n + count, 0)).toBe(2000);
  expect(drawing.nodes.find(({ id }) => id === "rest 10")?.label).toBe("+199 more");
  const ids = new Set(drawing.nodes.map(({ id }) => id));
  for (const { from, to } of drawing.edges) expect(ids.has(from.id) && ids.has(to.id)).toBe(true);
});
