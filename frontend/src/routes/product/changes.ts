import type { Bump } from "../../gen/graphql";

/** What a reader of the old version must know first. */
export type Meaning = "breaks" | "history" | "compatible" | "words";

export const meanings: readonly (readonly [Meaning, string, string])[] = [
  ["breaks", "Breaks readers", "a reader of the old version cannot read new data as before"],
  ["history", "Breaks old data", "a reader of the new version cannot read data written before"],
  ["compatible", "Compatible", "readers go on; the promise changed"],
  ["words", "Words and settings", "nothing that a reader sees changed"],
];

interface Change {
  consumerSafe: boolean;
  historySafe: boolean;
  bump: Bump;
}

export function meaningOf({ consumerSafe, historySafe, bump }: Change): Meaning {
  if (!consumerSafe) return "breaks";
  if (!historySafe) return "history";
  return bump === "PATCH" || bump === "NONE" ? "words" : "compatible";
}

const order: readonly Bump[] = ["NONE", "PATCH", "MINOR", "MAJOR"];

/** The bump that all changes together require. */
export function needed(changes: readonly { bump: Bump }[]): Bump {
  return changes.reduce<Bump>((most, { bump }) => (order.indexOf(bump) > order.indexOf(most) ? bump : most), "NONE");
}

/** Semantic versions in order, the lowest first. */
export function byVersion(a: string, b: string): number {
  const [x, y] = [a.split(".").map(Number), b.split(".").map(Number)];
  for (let i = 0; i < 3; i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
