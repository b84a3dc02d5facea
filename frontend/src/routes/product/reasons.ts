import type { GateCheck, LineOutcome, ReasonCode } from "../../gen/graphql";
import type { Tone } from "../../ui/Chip";

/** What lifts a refusal. Reasons without a step here do not refuse. */
const steps: Partial<Record<ReasonCode, string>> = {
  IDENTITY_UNKNOWN: "Sign in again; if your account is disabled, ask an admin.",
  VISIBILITY_HIDDEN: "Ask an owner of the domain.",
  VISIBILITY_CLASSIFIED: "The table is shared with a product of a higher class: ask an owner of its domain.",
  POLICY_DENIED: "The platform's policies do not allow it: ask a steward which role it needs.",
  POLICY_ERROR: "A policy is broken: tell a steward.",
  CONTRACT_PRODUCT_INACTIVE: "The product is not in service: ask an owner when it will be.",
  CONTRACT_DRAFT: "The contract version waits: an owner activates it.",
  CONTRACT_SUNSET: "This major has ended: ask for access to a newer one.",
  CONTRACT_SUPERSEDED: "Load the page again: a newer version is in force.",
  CONTRACT_RETIRED: "This major is no longer served: ask for access to a newer one.",
  GRANT_MISSING: "Ask for access.",
  GRANT_NOT_YET: "Wait for the beginning of your grant.",
  GRANT_ENDED: "Your grant has ended: ask for access again.",
  GRANT_REVOKED: "Your grant was revoked: ask for access again, or ask the owner why.",
  GRANT_OTHER_PURPOSE: "Choose the purpose that your grant is for, or ask for access for this one.",
  GRANT_PURPOSE_NEEDED: "Choose the purpose that you read for.",
  CONFORMANCE_PENDING: "Wait for the first inspection, or ask an owner to start it.",
  CONFORMANCE_BROKEN: "The owners must write the columns that the contract promises, or change the contract.",
  CONFORMANCE_UNKNOWN: "The inspection failed: the owners see why, and can start it again.",
  QUALITY_PENDING: "Wait for the first inspection, or ask an owner to start it.",
  QUALITY_FAILED: "The owners must repair the rows that break the rules below; the next good snapshot opens the gate.",
  QUALITY_ERROR: "A rule could not be measured: the owners see why.",
  QUALITY_HEAD_PENDING: "The newest snapshot waits for its inspection: try again in a few minutes.",
  QUALITY_LATE: "The owners must write new data: it is older than the contract allows.",
  SCOPE_UNBOUND: "Get new credentials.",
  SCOPE_CONSENT_ENDED: "The consent to share the table has ended: ask an owner.",
  SCOPE_OWNER_RETIRED: "The product that owns the table is retired: ask an owner.",
  SCOPE_LOCATION: "The table's folder overlaps with another one: the owners must move it.",
  SCOPE_NOTHING_TO_SERVE: "There is no snapshot to serve yet: the owners must write and inspect one.",
  SCOPE_PURPOSE: "Choose the purpose operations.",
  SCOPE_TOO_SHORT: "Less than a second is left: ask for access for longer.",
};

export function stepFor(code: ReasonCode): string | undefined {
  return steps[code];
}

export const checkWord: Record<GateCheck, string> = {
  IDENTITY: "Who you are",
  VISIBILITY: "May know of it",
  POLICY: "Policies",
  CONTRACT: "Contract",
  GRANT: "Grant",
  CONFORMANCE: "Columns",
  QUALITY: "Quality",
  SCOPE: "Scope",
};

export const outcomeWord: Record<LineOutcome, readonly [Tone, string]> = {
  HOLDS: ["good", "Holds"],
  WARNS: ["warn", "Warns"],
  FAILS: ["bad", "Fails"],
  NOT_BINDING: ["info", "Does not bind"],
  NOT_CHECKED: ["plain", "Not checked"],
};
