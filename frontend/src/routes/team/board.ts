import type { BoardListsFragment, BoardProductFragment } from "../../gen/graphql";

/** A line of the board: a table of a product, or a product that has none. */
export interface Row {
  key: string;
  product: BoardProductFragment;
  table?: BoardProductFragment["tables"][number];
  /** Requests of others that wait, for this major. */
  waiting: number;
  /** Holders of active grants on this major. */
  consumers: number;
}

export function boardRows(
  products: readonly BoardProductFragment[],
  lists: Pick<BoardListsFragment, "accessRequests" | "grants">,
): Row[] {
  return products.flatMap((product): Row[] => {
    const of = (item: { product?: { id: string } | null }) => item.product?.id === product.id;
    const requests = lists.accessRequests.nodes.filter(of);
    const grants = lists.grants.nodes.filter((grant) => of(grant) && grant.state === "ACTIVE");
    if (product.tables.length === 0) {
      return [{ key: product.id, product, waiting: requests.length, consumers: holders(grants) }];
    }
    return product.tables.map((table) => ({
      key: table.address,
      product,
      table,
      waiting: requests.filter(({ major }) => major === table.major).length,
      consumers: holders(grants.filter(({ major }) => major === table.major)),
    }));
  });
}

function holders(grants: readonly { principal: { id: string } }[]): number {
  return new Set(grants.map(({ principal }) => principal.id)).size;
}

/** Domains of a list of roles, each once, in the order of their paths. */
export function domainsOf<D extends { path: string }>(roles: readonly { role: string; domain?: D | null }[]): D[] {
  const found = new Map<string, D>();
  for (const { role, domain } of roles) {
    if (domain && (role === "OWNER" || role === "PUBLISHER")) found.set(domain.path, domain);
  }
  return [...found.values()].sort((a, b) => a.path.localeCompare(b.path, "en"));
}
