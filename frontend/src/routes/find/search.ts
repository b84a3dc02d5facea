import type { FindQueryVariables, SearchFacet } from "../../gen/graphql";
import { many, one } from "../../lib/url";

/** The facets in the order of the page, each with its key in the URL. */
export const facets = [
  ["ACCESS", "access", "Access"],
  ["DOMAIN", "domain", "Domain"],
  ["VERDICT", "verdict", "Newest data"],
  ["STATE", "state", "State"],
  ["CLASSIFICATION", "classification", "Classification"],
  ["LAYER", "layer", "Layer"],
  ["FORMAT", "format", "Format"],
] as const satisfies readonly (readonly [SearchFacet, string, string])[];

export type FacetKey = (typeof facets)[number][1];

export type FindSearch = { q?: string; after?: string } & { [key in FacetKey]?: string[] };

export function findSearch(search: Record<string, unknown>): FindSearch {
  const found: FindSearch = {};
  const q = one(search.q);
  const after = one(search.after);
  if (q) found.q = q;
  for (const [, key] of facets) {
    const values = many(search[key]);
    if (values) found[key] = values;
  }
  if (after) found.after = after;
  return found;
}

export function findVariables(search: FindSearch): FindQueryVariables {
  const filters = facets.flatMap(([facet, key]) => (search[key] ? [{ facet, values: search[key] }] : []));
  return { text: search.q ?? "", filters: filters.length > 0 ? filters : null, after: search.after ?? null };
}

/** The search with one value of a facet more or less, from its first page. */
export function toggled(search: FindSearch, key: FacetKey, value: string): FindSearch {
  const values = search[key] ?? [];
  const next = values.includes(value) ? values.filter((item) => item !== value) : [...values, value];
  return { ...search, [key]: next.length > 0 ? next : undefined, after: undefined };
}

/** How many values are chosen. */
export function chosen(search: FindSearch): number {
  return facets.reduce((n, [, key]) => n + (search[key]?.length ?? 0), 0);
}
