import { useSyncExternalStore } from "react";
import { absoluteTime, relativeTime } from "../lib/time";

const listeners = new Set<() => void>();
let now = Date.now();
setInterval(() => {
  now = Date.now();
  for (const listener of listeners) listener();
}, 30_000);

export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => now,
  );
}

/** A point in time: relative to read, absolute in reach (pointer, and readers of the page by voice). */
export function Time({ at }: { at: string }) {
  const text = relativeTime(at, useNow());
  return (
    <time dateTime={at} title={absoluteTime(at)}>
      {text}
    </time>
  );
}
