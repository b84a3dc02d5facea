import { expect, test } from "vitest";
import { count, grouped, parts, title } from "./text";

test("highlights count characters, not UTF-16 units, and may touch, overlap and overrun", () => {
  const check = (text: string, highlights: [number, number][], expected: string) =>
    expect(
      parts(
        text,
        highlights.map(([start, end]) => ({ start, end })),
      )
        .map(({ text, hit }) => (hit ? `[${text}]` : text))
        .join(""),
    ).toBe(expected);
  check("late flights", [[5, 12]], "late [flights]");
  check("🛫 late 🛬", [[2, 6]], "🛫 [late] 🛬");
  check(
    "abcdef",
    [
      [3, 5],
      [0, 2],
    ],
    "[ab]c[de]f",
  );
  check(
    "abcdef",
    [
      [0, 4],
      [2, 6],
    ],
    "[abcd][ef]",
  );
  check("abc", [[1, 99]], "a[bc]");
  check("abc", [], "abc");
  check("", [[0, 1]], "");
});

test("numbers are grouped", () => {
  expect(grouped(1234567)).toBe("1\u202f234\u202f567");
  expect(grouped("12345678901234567890")).toBe("12\u202f345\u202f678\u202f901\u202f234\u202f567\u202f890");
  expect(grouped(1234.5678)).toBe("1\u202f234.5678");
  expect(count(1, "reader")).toBe("1 reader");
  expect(count(0, "reader")).toBe("0 readers");
  expect(title("MACHINE_LEARNING")).toBe("Machine learning");
});
