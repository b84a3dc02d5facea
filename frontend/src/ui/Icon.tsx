/** Line icons on a grid of 16. They never stand alone: a word says the same, or the control has a name. */
const shapes = {
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14",
  check: "m3 8.5 3.2 3.2L13 4.8",
  cross: "m4 4 8 8m0-8-8 8",
  warn: "M8 2.2 14.6 13.5H1.4L8 2.2Zm0 4.3v3.2m0 1.7v.2",
  info: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4Zm0-7v4m0-6.2v.2",
  lock: "M4 7.2h8v6.3H4V7.2Zm1.6 0V5a2.4 2.4 0 0 1 4.8 0v2.2",
  open: "M4 7.2h8v6.3H4V7.2Zm1.6 0V5a2.4 2.4 0 0 1 4.6-.9",
  ask: "M2.5 3h11v8H7l-3 2.6V11H2.5V3Z",
  eye: "M1.5 8S4 3.7 8 3.7 14.5 8 14.5 8 12 12.3 8 12.3 1.5 8 1.5 8Zm6.5 1.9a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8Z",
  clock: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM8 4.6V8l2.4 1.6",
  people:
    "M6 7.6a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8Zm-4.3 5.7c0-2.3 1.9-3.8 4.3-3.8s4.3 1.5 4.3 3.8M10.6 3a2.4 2.4 0 0 1 0 4.5m1.5 2.3c1.4.5 2.3 1.8 2.3 3.5",
  person: "M8 7.8A2.7 2.7 0 1 0 8 2.4a2.7 2.7 0 0 0 0 5.4Zm-5 5.8c0-2.6 2.2-4.1 5-4.1s5 1.5 5 4.1",
  down: "m4 6.2 4 4 4-4",
  right: "m6.2 4 4 4-4 4",
  left: "m9.8 4-4 4 4 4",
  up: "m4 9.8 4-4 4 4",
  copy: "M5.5 5.5h8v8h-8v-8Zm-3-3h8v3h-5v5h-3v-8Z",
  file: "M4 1.8h5.2L12.4 5v9.2H4V1.8Zm5 0v3.4h3.4",
  save: "M8 2v7.6m0 0L5 6.7m3 2.9 3-2.9M2.8 13.5h10.4",
  sun: "M8 10.9a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM8 1.2v1.4m0 10.8v1.4M1.2 8h1.4m10.8 0h1.4M3.2 3.2l1 1m7.6 7.6 1 1m0-9.6-1 1m-7.6 7.6-1 1",
  moon: "M13.6 9.6A6 6 0 0 1 6.4 2.4a6 6 0 1 0 7.2 7.2Z",
  screen: "M1.8 2.8h12.4v8.4H1.8V2.8Zm4 10.7h4.4M8 11.2v2.3",
  menu: "M2.5 4.5h11m-11 3.5h11m-11 3.5h11",
  key: "M5.4 10.9a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM8.3 8h6.2v2.3M12 8v1.8",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  reload: "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
  fork: "M4 5.3a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2Zm0 8.6a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2Zm8-8.6a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2ZM4 5.3v5.4m8-5.4c0 3-8 1.4-8 4.6",
  dot: "M8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z",
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={shapes[name]} />
    </svg>
  );
}
