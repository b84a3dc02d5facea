import { useSyncExternalStore } from "react";
import { absoluteTime, relativeTime, shortDay } from "../lib/time";

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
export function Time({
  at,
  day,
}: {
  at: string /** The day first: for ends, which people put into calendars. */;
  day?: boolean;
}) {
  const text = relativeTime(at, useNow());
  return (
    <time dateTime={at} title={absoluteTime(at)}>
      {day ? `${shortDay(at)}, ${text}` : text}
    </time>
  );
}

/** A message of the server; points in time in it are shown as such. */
export function Message({ text }: { text: string }) {
  return (
    <span>
      {text.split(/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/).map((part, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other key
        index % 2 === 1 ? <Time key={index} at={part} day /> : part,
      )}
    </span>
  );
}
