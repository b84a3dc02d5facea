import { expect, test } from "vitest";
import { findSearch, findVariables, toggled } from "../routes/find/search";
import { productOfSplat, productSplat, safeNext } from "./paths";
import { given, many, one, parseSearch, stringifySearch } from "./url";

test("the state in the URL is plain text and comes back as it was", () => {
  const search = { q: 'late & "early" <b>', domain: ["nyc", "nyc/ops"], layer: ["gold"] };
  const text = stringifySearch(search);
  expect(text).toBe("?q=late+%26+%22early%22+%3Cb%3E&domain=nyc&domain=nyc%2Fops&layer=gold");
  expect(findSearch(parseSearch(text))).toEqual(search);
  expect(stringifySearch({ q: undefined, after: "", domain: [] })).toBe("");
});

test("what is not a text in the URL is no state", () => {
  expect(one(["a", "b"])).toBe("a");
  expect(one(undefined)).toBeUndefined();
  expect(one({})).toBeUndefined();
  expect(many(["a", "a", ""])).toEqual(["a"]);
  expect(many("")).toBeUndefined();
  expect(findSearch({ unknown: "x", q: ["late"], domain: "nyc" })).toEqual({ q: "late", domain: ["nyc"] });
});

test("filters become variables, and a changed filter begins at the first page", () => {
  expect(findVariables({})).toEqual({ text: "", filters: null, after: null });
  const search = { q: "late", access: ["read"], after: "cursor" };
  expect(findVariables(search)).toEqual({
    text: "late",
    filters: [{ facet: "ACCESS", values: ["read"] }],
    after: "cursor",
  });
  expect(toggled(search, "access", "know")).toEqual({ q: "late", access: ["read", "know"], after: undefined });
  expect(toggled(search, "access", "read")).toEqual({ q: "late", access: undefined, after: undefined });
});

test("a product's place in the URL is its domain's path and its name", () => {
  expect(productSplat({ domain: { path: "nyc/ops" }, name: "crews" })).toBe("nyc/ops/crews");
  expect(productOfSplat("nyc/ops/crews")).toEqual({ domain: "nyc/ops", name: "crews" });
  for (const wrong of ["", "flights", "/flights", "nyc/"]) expect(productOfSplat(wrong)).toBeUndefined();
});

test("after sign-in the page leads to itself only", () => {
  expect(safeNext("/?q=late")).toBe("/?q=late");
  for (const wrong of [undefined, "", "x", "//x", "/\\x", "https://x", "javascript:x", "/\tx"]) {
    expect(safeNext(wrong)).toBe("/");
  }
});

test("only the asked keys are taken, each with its first value", () => {
  expect(given({ a: ["1", "2"], b: "", c: "3", d: "4" }, ["a", "b", "c"])).toEqual({ a: "1", c: "3" });
});
