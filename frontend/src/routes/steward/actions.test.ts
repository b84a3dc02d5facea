import { expect, test } from "vitest";
import { actionOf, detailText, dotted } from "./actions";

test("an action is written as the command takes it", () => {
  expect(dotted("CREDENTIAL_VEND")).toBe("credential.vend");
  expect(dotted("DOMAIN_SET_ENFORCEMENT")).toBe("domain.set_enforcement");
});

test("only an action of the log is one", () => {
  expect(actionOf("ROLE_ASSIGN")).toBe("ROLE_ASSIGN");
  expect(actionOf("role.assign")).toBeUndefined();
  expect(actionOf("toString")).toBeUndefined();
  expect(actionOf(undefined)).toBeUndefined();
});

test("details are read as names and values, and what is no JSON as it is", () => {
  expect(detailText('{"what":"1.1.0","rows":[1]}')).toBe("what: 1.1.0, rows: [1]");
  for (const odd of ["", "7", "null", "{", '"<b>"']) expect(detailText(odd)).toBe(odd);
});
