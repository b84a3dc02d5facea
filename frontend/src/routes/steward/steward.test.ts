import { expect, test } from "vitest";
import type { GrantReviewedFragment, ReadersQuery } from "../../gen/graphql";
import { hasWords, inGroup, lastUses, pathsUp, whoCouldRead, windowOf } from "./steward";

const now = Date.parse("2026-11-30T12:00:00Z");
const grant = (over: object) =>
  ({
    id: "g",
    state: "ACTIVE",
    from: "2026-01-01T00:00:00Z",
    until: "2027-06-01T00:00:00Z",
    port: "flights",
    purpose: "ANALYTICS",
    sentence: "late flights",
    principal: { subject: "bob" },
    product: { name: "flights", title: "Flights", domain: { path: "nyc" } },
    ...over,
  }) as GrantReviewedFragment;

test("a group has what is open and fits, and an ended grant is in none", () => {
  const used = new Map([["g", "2026-02-01"]]);
  const none = new Map<string, string>();
  expect(inGroup(grant({}), "open", none, now)).toBe(true);
  expect(inGroup(grant({}), "ending", none, now)).toBe(false);
  expect(inGroup(grant({ until: "2026-12-10T00:00:00Z" }), "ending", none, now)).toBe(true);
  expect(inGroup(grant({}), "unused", none, now)).toBe(true);
  expect(inGroup(grant({}), "unused", used, now)).toBe(false);
  expect(inGroup(grant({ from: "2026-11-20T00:00:00Z" }), "unused", none, now)).toBe(false);
  for (const group of ["open", "ending", "unused"] as const) {
    expect(inGroup(grant({ state: "REVOKED" }), group, none, now)).toBe(false);
  }
});

test("the last use of a grant is its newest lease", () => {
  expect(
    lastUses([
      { issuedAt: "3", grant: { id: "g" } },
      { issuedAt: "2", grant: { id: "g" } },
      { issuedAt: "1", grant: null },
    ]),
  ).toEqual(new Map([["g", "3"]]));
});

test("words are looked for in holder, product, port and purpose, in any order", () => {
  expect(hasWords(grant({}), "flights bob")).toBe(true);
  expect(hasWords(grant({}), "NYC.FLIGHTS")).toBe(true);
  expect(hasWords(grant({}), "bob sales")).toBe(false);
  expect(hasWords(grant({ product: null }), "bob")).toBe(true);
});

test("the domains above are those of the path", () => {
  expect(pathsUp("nyc")).toEqual(["nyc", "nyc", "nyc", "nyc"]);
  expect(pathsUp("sales/emea/dach")).toEqual(["sales/emea/dach", "sales/emea", "sales", "sales"]);
});

test("a day is a window in UTC, and nonsense is none", () => {
  expect(windowOf(undefined, now)).toEqual({ from: now, to: now });
  expect(windowOf("2026-11-30", now)).toEqual({
    from: Date.parse("2026-11-30T00:00:00Z"),
    to: Date.parse("2026-11-30T23:59:59.999Z"),
  });
  expect(windowOf("30.11.2026", now)).toBeUndefined();
  expect(windowOf("2026-13-40", now)).toBeUndefined();
});

const page = { hasNextPage: false, endCursor: null };
const readers = (grants: object[], leases: object[]) =>
  ({
    table: { address: "nyc.flights.flights__v1", major: 1, product: { id: "p" } },
    grants: { pageInfo: page, nodes: grants },
    leases: { pageInfo: page, nodes: leases },
    d0: {
      path: "nyc",
      roles: [
        { id: "r1", role: "OWNER", assignedAt: "2026-11-01T00:00:00Z", principal: { id: "ann", subject: "ann" } },
        { id: "r2", role: "CONSUMER", assignedAt: "2026-11-01T00:00:00Z", principal: { id: "eve", subject: "eve" } },
      ],
    },
    d1: { path: "nyc", roles: [] },
    d2: null,
    d3: null,
  }) as unknown as ReadersQuery;
const held = (over: object) => ({
  id: "g",
  major: 1,
  purpose: "ANALYTICS",
  sentence: "s",
  from: "2026-11-10T00:00:00Z",
  until: "2027-02-01T00:00:00Z",
  revokedAt: null,
  principal: { id: "bob", subject: "bob" },
  product: { id: "p" },
  grantedBy: { subject: "ann" },
  ...over,
});
const on = (day: string) => windowOf(day, now) as { from: number; to: number };
const names = (data: ReadersQuery, day: string) =>
  whoCouldRead(data, on(day)).map(({ principal, by }) => `${principal.subject} by ${by}`);

test("a grant counts in its window, until it is revoked, for its major and product", () => {
  const data = readers([held({})], []);
  // The same domain twice must not name its owners twice, nor lose them.
  data.d1 = data.d0;
  expect(names(data, "2026-11-30")).toEqual(["bob by grant", "ann by role"]);
  expect(names(data, "2026-11-05")).toEqual(["ann by role"]);
  expect(names(data, "2026-10-05")).toEqual([]);
  expect(names(data, "2027-02-02")).toEqual(["ann by role"]);
  const without = (over: object) => names(readers([held(over)], []), "2026-11-30").includes("bob by grant");
  expect(without({ revokedAt: "2026-11-29T10:00:00Z" })).toBe(false);
  expect(without({ revokedAt: "2026-11-30T10:00:00Z" })).toBe(true);
  expect(without({ major: 2 })).toBe(false);
  expect(without({ product: { id: "q" } })).toBe(false);
});

test("a reader has their newest lease up to the day, and a later one does not count", () => {
  const lease = (id: string, issuedAt: string) => ({
    id,
    issuedAt,
    address: "nyc.flights.flights__v1",
    principal: { id: "bob" },
    grant: { id: "g" },
  });
  const data = readers([held({})], [lease("l3", "2026-12-02T00:00:00Z"), lease("l2", "2026-11-20T00:00:00Z")]);
  expect(whoCouldRead(data, on("2026-11-30"))[0]?.lease?.id).toBe("l2");
  expect(whoCouldRead(data, on("2026-11-15"))[0]?.lease).toBeUndefined();
});
