import type { LineageNodeViewFragment } from "../../gen/graphql";

/** A table, dataset or job of lineage, in words. */
export interface NodeWords {
  id: string;
  kind: "Table" | "Dataset" | "Job";
  label: string;
  address: string;
  /** The product's page, for a table. */
  splat?: string;
  table?: string;
}

export function nodeWords(node: LineageNodeViewFragment): NodeWords {
  if (node.__typename === "Table") {
    const { product, address, id } = node;
    return {
      id,
      kind: "Table",
      label: product.title ?? product.name,
      address,
      splat: `${product.domain.path}/${product.name}`,
      table: address.slice(address.lastIndexOf(".") + 1),
    };
  }
  const kind = node.__typename === "LineageJob" ? "Job" : "Dataset";
  return { id: `${node.namespace} ${node.name}`, kind, label: node.name, address: `${node.namespace} ${node.name}` };
}

/** The id of an end of an edge: of a table, or of what is known by its producer's names. */
export function endId(end: { id?: string; namespace?: string; name?: string }): string {
  return end.id ?? `${end.namespace} ${end.name}`;
}
