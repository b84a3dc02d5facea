import { expect, test } from "vitest";
import type { BoardListsFragment, BoardProductFragment } from "../../gen/graphql";
import { boardRows, domainsOf } from "./board";

const page = { hasNextPage: false, endCursor: null };
const grant = (product: string, major: number, principal: string, state: "ACTIVE" | "ENDED" = "ACTIVE") => ({
  state,
  major,
  product: { id: product },
  principal: { id: principal },
});
const lists: Pick<BoardListsFragment, "accessRequests" | "grants"> = {
  accessRequests: {
    pageInfo: page,
    nodes: [
      { id: "r1", major: 1, requester: { id: "dan" }, product: { id: "p" } },
      { id: "r2", major: 2, requester: { id: "dan" }, product: null },
    ],
  },
  grants: {
    pageInfo: page,
    nodes: [
      grant("p", 1, "bob"),
      grant("p", 1, "bob"),
      grant("p", 1, "eve", "ENDED"),
      grant("p", 2, "dan"),
      grant("q", 1, "dan"),
    ],
  },
};
const product = (id: string, majors: number[]) =>
  ({ id, tables: majors.map((major) => ({ address: `nyc.${id}.t__v${major}`, major })) }) as BoardProductFragment;

test("each major has its own requests and consumers, and a person counts once", () => {
  const rows = boardRows([product("p", [1, 2])], lists);
  expect(rows.map(({ key, waiting, consumers }) => [key, waiting, consumers])).toEqual([
    ["nyc.p.t__v1", 1, 1],
    ["nyc.p.t__v2", 0, 1],
  ]);
});

test("a product without tables has a line too", () => {
  expect(boardRows([product("q", [])], lists)).toMatchObject([{ key: "q", waiting: 0, consumers: 1 }]);
});

test("a domain is shown once, and only to its owners and publishers", () => {
  const nyc = { path: "nyc" };
  expect(
    domainsOf([
      { role: "PUBLISHER", domain: nyc },
      { role: "OWNER", domain: nyc },
      { role: "OWNER", domain: { path: "a" } },
      { role: "CONSUMER", domain: { path: "sales" } },
      { role: "STEWARD", domain: null },
    ]).map(({ path }) => path),
  ).toEqual(["a", "nyc"]);
});
