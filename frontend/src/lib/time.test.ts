import { expect, test } from "vitest";
import { absoluteTime, duration, relativeTime } from "./time";

const now = Date.parse("2026-11-30T12:00:00Z");

test("times are relative in the largest unit that fits", () => {
  const check = (iso: string, expected: string) => expect(relativeTime(iso, now)).toBe(expected);
  check("2026-11-30T11:59:40Z", "just now");
  check("2026-11-30T11:58:00Z", "2 min ago");
  check("2026-11-30T07:30:00Z", "4 hr ago");
  check("2026-12-01T13:00:00Z", "tomorrow");
  check("2026-09-01T12:00:00Z", "2 mo ago");
  check("not a time", "not a time");
});

test("the absolute time is in UTC, for everyone the same", () => {
  expect(absoluteTime("2026-11-30T22:40:12.5+01:00")).toBe("30 November 2026, 21:40:12 UTC");
  expect(absoluteTime("never")).toBe("never");
});

test("spans have one unit", () => {
  expect([45, 600, 129_600, 864_000].map(duration)).toEqual(["45 s", "10 min", "36 h", "10 d"]);
});
