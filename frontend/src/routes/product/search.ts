import type { ProductQueryVariables } from "../../gen/graphql";
import { productOfSplat } from "../../lib/paths";
import { one } from "../../lib/url";

/** The state of the product's page. `table` is the name within the product, with or without a major: `flights__v2`. */
export interface ProductSearch {
  table?: string;
  /** The column that lineage and impact are about. */
  column?: string;
  depth?: string;
  /** The two versions that are compared. */
  contract?: string;
  from?: string;
  to?: string;
}

const keys = ["table", "column", "depth", "contract", "from", "to"] as const;

export function productSearch(search: Record<string, unknown>): ProductSearch {
  const found: ProductSearch = {};
  for (const key of keys) {
    const value = one(search[key]);
    if (value) found[key] = value;
  }
  return found;
}

/** `undefined` if the path names no product. */
export function productVariables(splat: string | undefined, search: ProductSearch): ProductQueryVariables | undefined {
  const key = productOfSplat(splat ?? "");
  if (!key) return undefined;
  const address = `${key.domain}.${key.name}`;
  return { ...key, address, table: `${address}.${search.table ?? ""}`, known: search.table !== undefined };
}

/** The table's name in an address, without the major: the server then takes the one that fits the viewer. */
export function tableName(address: string): string {
  return address.slice(address.lastIndexOf(".") + 1).replace(/__v\d+$/, "");
}

/** The table's name in an address with its major. */
export function exactTable(address: string): string {
  return address.slice(address.lastIndexOf(".") + 1);
}

/** How far lineage is followed, 1 to 9. */
export function depthOf(search: ProductSearch): number {
  const depth = Number(search.depth ?? "1");
  return Number.isInteger(depth) && depth >= 1 && depth <= 9 ? depth : 1;
}
