import { useNavigate } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { useQuery } from "../../api/query";
import { type DrawnFragment, LineageDrawingDocument } from "../../gen/graphql";
import { count } from "../../lib/text";
import { IconButton } from "../../ui/Button";
import { Empty, Failure, Loading } from "../../ui/states";
import { Cut } from "./Lineage";
import { box, type DrawnEdge, type DrawnNode, grouped, layout, type Placed } from "./layout";
import { endId, type NodeWords, nodeWords } from "./node";

interface Props {
  start: { product?: string; table?: string; columns?: string[] };
  depth: number;
  label: string;
}

/** Lineage as a drawing beside the table, which says the same. Arrow keys walk along the edges, Enter opens. */
export default function LineageDrawing({ start, depth, label }: Props) {
  const up = useQuery(LineageDrawingDocument, { ...start, depth, direction: "UPSTREAM" });
  const down = useQuery(LineageDrawingDocument, { ...start, depth, direction: "DOWNSTREAM" });
  const [upstream, downstream] = [up.data?.lineage, down.data?.lineage];
  const error = up.error ?? down.error;
  const drawing = useMemo(() => {
    if (!upstream || !downstream) return undefined;
    const { nodes, edges, words } = collect(upstream, downstream, label);
    const kept = grouped(nodes, edges);
    return { ...layout(kept.nodes, kept.edges), words };
  }, [upstream, downstream, label]);
  if (error) {
    const retry = () => {
      up.retry();
      down.retry();
    };
    return <Failure what="The drawing failed." error={error} retry={retry} />;
  }
  if (!drawing) return <Loading what="the drawing" lines={8} />;
  const cut = [upstream?.cut, downstream?.cut].find((cut) => cut);
  return (
    <div aria-busy={up.loading || down.loading}>
      {cut && <Cut cut={cut} />}
      {drawing.nodes.length === 1 ? (
        <Empty title="Nothing to draw: it has no source, and nothing that you may know of is made from it." />
      ) : (
        <Picture drawing={drawing} label={label} />
      )}
    </div>
  );
}

const start_id = "start";

function collect(upstream: DrawnFragment, downstream: DrawnFragment, label: string) {
  const words = new Map<string, NodeWords>();
  const nodes = new Map<string, DrawnNode>();
  const edges: DrawnEdge[] = [];
  const starts = new Set([...upstream.start, ...downstream.start].map(({ id }) => id));
  const place = (id: string) => (starts.has(id) ? start_id : id);
  nodes.set(start_id, { id: start_id, label, detail: count(starts.size, "table"), layer: 0, count: 1 });
  for (const [answer, sign] of [
    [upstream, -1],
    [downstream, 1],
  ] as const) {
    for (const found of answer.found) {
      const node = nodeWords(found.node);
      words.set(node.id, node);
      // In a circle the first place counts.
      if (!nodes.has(node.id) && !starts.has(node.id)) {
        nodes.set(node.id, {
          id: node.id,
          label: node.label,
          detail: node.address,
          layer: sign * found.distance,
          count: 1,
        });
      }
      for (const { from, to } of found.edges) edges.push({ from: place(endId(from)), to: place(endId(to)) });
    }
    // What the answer counted and did not list.
    for (const { distance, total } of answer.counts) {
      const layer = sign * distance;
      const listed = answer.found.filter((found) => found.distance === distance).length;
      if (total > listed) {
        const id = `rest ${layer}`;
        nodes.set(id, { id, label: `+${total - listed} more`, detail: "not drawn", layer, count: total - listed });
      }
    }
  }
  return { nodes: [...nodes.values()], edges, words };
}

function Picture({
  drawing,
  label,
}: {
  drawing: ReturnType<typeof layout> & { words: Map<string, NodeWords> };
  label: string;
}) {
  const navigate = useNavigate();
  const [zoom, setZoom] = useState(1);
  const [at, setAt] = useState(start_id);
  const frame = useRef<HTMLDivElement>(null);
  const pad = 6;
  const open = (node: Placed) => {
    const words = drawing.words.get(node.id);
    if (words?.splat)
      void navigate({ to: "/products/$", params: { _splat: words.splat }, search: { table: words.table } });
  };
  const step = (node: Placed, key: string): Placed | undefined => {
    if (key === "ArrowRight") return drawing.edges.find(({ from }) => from.id === node.id)?.to;
    if (key === "ArrowLeft") return drawing.edges.find(({ to }) => to.id === node.id)?.from;
    const layer = drawing.nodes.filter(({ layer }) => layer === node.layer).sort((a, b) => a.y - b.y);
    return layer[layer.findIndex(({ id }) => id === node.id) + (key === "ArrowDown" ? 1 : -1)];
  };
  return (
    <div className="drawing">
      <div className="drawing-tools">
        <IconButton icon="minus" label="Smaller" onClick={() => setZoom(Math.max(0.4, zoom - 0.2))} />
        <IconButton icon="plus" label="Larger" onClick={() => setZoom(Math.min(2, zoom + 0.2))} />
        <span className="hint">Arrow keys walk along the edges, Enter opens.</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard */}
      <section ref={frame} className="drawing-frame" tabIndex={0} aria-label={`Drawing of the lineage of ${label}`}>
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields */}
        <svg
          viewBox={`${-pad} ${-pad} ${drawing.width + 40} ${drawing.height + 2 * pad}`}
          width={(drawing.width + 40) * zoom}
          height={(drawing.height + 2 * pad) * zoom}
          role="group"
          aria-label={count(drawing.nodes.length, "node")}
        >
          <g className="edges">
            {drawing.edges.map(({ from, to }) => (
              <path
                key={`${from.id} ${to.id}`}
                className={from.id === at || to.id === at ? "near" : undefined}
                d={curve(from, to)}
              />
            ))}
          </g>
          {drawing.nodes.map((node) => {
            const opens = drawing.words.get(node.id)?.splat !== undefined;
            return (
              // biome-ignore lint/a11y/noStaticElementInteractions: it has a role; HTML's links do not exist in a drawing
              <g
                key={node.id}
                id={`node-${node.id}`}
                role={opens ? "link" : "img"}
                tabIndex={node.id === at ? 0 : -1}
                className={`node${node.id === start_id ? " start" : ""}${node.id.startsWith("rest ") ? " rest" : ""}`}
                transform={`translate(${node.x} ${node.y})`}
                onFocus={() => setAt(node.id)}
                onClick={() => open(node)}
                onKeyDown={(event) => {
                  if (event.key === "Enter") open(node);
                  if (!event.key.startsWith("Arrow")) return;
                  const next = step(node, event.key);
                  if (!next) return;
                  event.preventDefault();
                  setAt(next.id);
                  const element = frame.current?.querySelector<SVGGElement>(`[id="node-${CSS.escape(next.id)}"]`);
                  element?.focus();
                }}
              >
                {/* Its name, in full: what is seen is shortened. */}
                <title>{`${node.label}, ${node.detail}, ${where(node.layer)}`}</title>
                <rect width={box.width} height={box.height} rx={6} />
                <text x={10} y={17}>
                  {short(node.label, 26)}
                </text>
                <text x={10} y={31} className="detail">
                  {short(node.detail, 31)}
                </text>
              </g>
            );
          })}
        </svg>
      </section>
    </div>
  );
}

function curve(from: Placed, to: Placed): string {
  if (from.layer >= to.layer) {
    // Within a layer or back: around the side, so that it is not hidden behind the boxes.
    const [x, y, other, end] = [from.x + box.width, from.y + box.height / 2, to.x + box.width, to.y + box.height / 2];
    const out = Math.max(x, other) + 40;
    return `M${x} ${y}C${out} ${y} ${out} ${end} ${other} ${end}`;
  }
  const [x1, y1, x2, y2] = [from.x + box.width, from.y + box.height / 2, to.x, to.y + box.height / 2];
  const bend = Math.max(24, Math.abs(x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

function where(layer: number): string {
  if (layer === 0) return "the start";
  return `${count(Math.abs(layer), "step")} ${layer < 0 ? "upstream" : "downstream"}`;
}

function short(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}
