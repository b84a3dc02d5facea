import { expect, test } from "vitest";
import { toCsv } from "./export";

test("cells are quoted, and no cell is a formula", () => {
  const text = toCsv(
    ["name", "n"],
    [
      ['a "b", c', "1"],
      ["=1+1", "-2"],
      ["-x", "@y"],
      ["line\nbreak", "+1"],
    ],
  );
  expect(text).toBe('name,n\r\n"a ""b"", c",1\r\n\'=1+1,-2\r\n\'-x,\'@y\r\n"line\nbreak",\'+1\r\n');
});
