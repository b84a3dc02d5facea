/** Where nodes of lineage are drawn: a layer for each distance, in the server's order, kept apart by barycentres. */
export interface DrawnNode {
  id: string;
  label: string;
  detail: string;
  /** Negative upstream, 0 for the start, positive downstream. */
  layer: number;
  /** More than one for a group that stands for the rest. */
  count: number;
}

export interface DrawnEdge {
  from: string;
  to: string;
}

export interface Placed extends DrawnNode {
  x: number;
  y: number;
}

export interface Drawing {
  nodes: Placed[];
  edges: { from: Placed; to: Placed }[];
  width: number;
  height: number;
}

export const box = { width: 190, height: 40, gapX: 72, gapY: 12 } as const;
export const most_nodes = 300;

/**
 * Keeps at most `most` nodes, the nearest first; the rest of each layer becomes one group. Edges of nodes in a group
 * lead to the group.
 */
export function grouped(
  nodes: readonly DrawnNode[],
  edges: readonly DrawnEdge[],
  most: number = most_nodes,
): { nodes: DrawnNode[]; edges: DrawnEdge[] } {
  if (nodes.length <= most)
    return { nodes: [...nodes], edges: unique(edges, (id) => id, new Set(nodes.map(({ id }) => id))) };
  const layers = new Set(nodes.map(({ layer }) => layer)).size;
  const kept = [...nodes].sort((a, b) => Math.abs(a.layer) - Math.abs(b.layer)).slice(0, Math.max(1, most - layers));
  const ids = new Set(kept.map(({ id }) => id));
  const groups = new Map<number, DrawnNode>();
  const groupOf = new Map<string, string>();
  for (const node of nodes) {
    if (ids.has(node.id)) continue;
    const group = groups.get(node.layer) ?? {
      id: `rest ${node.layer}`,
      label: "",
      detail: "",
      layer: node.layer,
      count: 0,
    };
    group.count += node.count;
    group.label = `+${group.count} more`;
    groups.set(node.layer, group);
    groupOf.set(node.id, group.id);
  }
  const all = [...kept, ...groups.values()];
  return { nodes: all, edges: unique(edges, (id) => groupOf.get(id) ?? id, new Set(all.map(({ id }) => id))) };
}

function unique(edges: readonly DrawnEdge[], place: (id: string) => string, known: ReadonlySet<string>): DrawnEdge[] {
  const found = new Map<string, DrawnEdge>();
  for (const edge of edges) {
    const [from, to] = [place(edge.from), place(edge.to)];
    if (from !== to && known.has(from) && known.has(to)) found.set(`${from} ${to}`, { from, to });
  }
  return [...found.values()];
}

export function layout(nodes: readonly DrawnNode[], edges: readonly DrawnEdge[]): Drawing {
  const layers = new Map<number, DrawnNode[]>();
  for (const node of nodes) layers.set(node.layer, [...(layers.get(node.layer) ?? []), node]);
  const order = [...layers.keys()].sort((a, b) => a - b);
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of edges) {
    neighbours.set(from, [...(neighbours.get(from) ?? []), to]);
    neighbours.set(to, [...(neighbours.get(to) ?? []), from]);
  }
  const row = new Map<string, number>();
  const number = (layer: readonly DrawnNode[]) => {
    for (const [index, { id }] of layer.entries()) row.set(id, index - (layer.length - 1) / 2);
  };
  for (const layer of layers.values()) number(layer);
  // A few sweeps outwards and back bring neighbours to the same height.
  for (let sweep = 0; sweep < 4; sweep++) {
    for (const key of sweep % 2 === 0 ? order : [...order].reverse()) {
      const layer = layers.get(key) ?? [];
      const centre = new Map(
        layer.map(({ id }) => {
          const rows = (neighbours.get(id) ?? []).map((other) => row.get(other) ?? 0);
          return [id, rows.length > 0 ? rows.reduce((a, b) => a + b, 0) / rows.length : (row.get(id) ?? 0)];
        }),
      );
      layer.sort((a, b) => (centre.get(a.id) ?? 0) - (centre.get(b.id) ?? 0));
      number(layer);
    }
  }
  const tallest = Math.max(1, ...[...layers.values()].map(({ length }) => length));
  const height = tallest * (box.height + box.gapY) - box.gapY;
  const placed = new Map<string, Placed>();
  for (const [column, key] of order.entries()) {
    const layer = layers.get(key) ?? [];
    const used = layer.length * (box.height + box.gapY) - box.gapY;
    for (const [index, node] of layer.entries()) {
      placed.set(node.id, {
        ...node,
        x: column * (box.width + box.gapX),
        y: (height - used) / 2 + index * (box.height + box.gapY),
      });
    }
  }
  return {
    nodes: [...placed.values()],
    edges: edges.flatMap(({ from, to }) => {
      const [a, b] = [placed.get(from), placed.get(to)];
      return a && b ? [{ from: a, to: b }] : [];
    }),
    width: Math.max(box.width, order.length * (box.width + box.gapX) - box.gapX),
    height,
  };
}
