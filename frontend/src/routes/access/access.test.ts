import { expect, test } from "vitest";
import { askedPort, askedProduct, askedPurpose, dayAfter, isMine, partsOfTable, wrongEnd } from "./access";

const now = Date.parse("2026-11-30T12:00:00Z");

test("a table's address has a domain with slashes, and perhaps a major", () => {
  expect(partsOfTable("nyc/ops.flights.delays__v2")).toEqual({
    domain: "nyc/ops",
    product: "flights",
    table: "delays",
    major: 2,
  });
  expect(partsOfTable("nyc.flights.a__b")).toMatchObject({ table: "a__b", major: undefined });
  for (const wrong of ["", "nyc", "nyc.flights", "nyc..flights", "a.b.c.d"])
    expect(partsOfTable(wrong)).toBeUndefined();
});

test("a link names a product by table or by product", () => {
  expect(askedProduct({ address: "nyc.flights.flights" })).toEqual({ domain: "nyc", name: "flights" });
  expect(askedProduct({ product: "nyc.flights" })).toEqual({ domain: "nyc", name: "flights" });
  expect(askedProduct({ product: "nyc" })).toBeUndefined();
  expect(askedProduct({ product: "a.b.c" })).toBeUndefined();
  expect(askedProduct({})).toBeUndefined();
});

test("the port is the named one, else that of the table, else the newest", () => {
  const ports = [
    { name: "flights", major: 1 },
    { name: "flights", major: 2 },
    { name: "other", major: 3 },
  ];
  expect(askedPort({ product: "nyc.flights" }, ports)).toEqual({ name: "other", major: 3 });
  expect(askedPort({ address: "nyc.flights.flights" }, ports)).toEqual({ name: "flights", major: 2 });
  expect(askedPort({ address: "nyc.flights.flights__v1" }, ports)).toEqual({ name: "flights", major: 1 });
  expect(askedPort({ product: "nyc.flights", port: "flights", major: "1" }, ports)).toEqual(ports[0]);
  expect(askedPort({ product: "nyc.flights", port: "none" }, ports)).toBeUndefined();
});

test("a purpose is a word of the API in either case", () => {
  expect(askedPurpose("machine-learning")).toBe("MACHINE_LEARNING");
  expect(askedPurpose("REPORTING")).toBe("REPORTING");
  expect(askedPurpose("constructor")).toBeUndefined();
  expect(askedPurpose(undefined)).toBeUndefined();
});

test("the end is a day from today on, less than a year away", () => {
  expect(wrongEnd(dayAfter(now, 0), now)).toBeUndefined();
  expect(wrongEnd(dayAfter(now, 364), now)).toBeUndefined();
  expect(wrongEnd(dayAfter(now, 365), now)).toContain("at most 365");
  expect(wrongEnd(dayAfter(now, -1), now)).toContain("has passed");
  for (const wrong of ["", "soon", "2026-13-45", "30.11.2026"]) expect(wrongEnd(wrong, now)).toContain("Give a day");
});

test("what concerns a service account concerns its owner", () => {
  expect(isMine({ id: "a" }, { id: "a" })).toBe(true);
  expect(isMine({ id: "b", owner: { id: "a" } }, { id: "a" })).toBe(true);
  expect(isMine({ id: "b", owner: null }, { id: "a" })).toBe(false);
  expect(isMine(null, { id: "a" })).toBe(false);
});
