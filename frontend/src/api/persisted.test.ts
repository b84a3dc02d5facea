import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import persisted from "../../persisted.json";
import * as generated from "../gen/graphql";

test("each text is filed under its hash, and the page knows no other", () => {
  for (const [id, text] of Object.entries(persisted)) {
    expect(createHash("sha256").update(text).digest("hex")).toBe(id);
  }
  const ids = Object.values(generated).map(({ id }) => id);
  expect(new Set(ids)).toEqual(new Set(Object.keys(persisted)));
});
