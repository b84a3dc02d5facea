import type { AccessRequestState, GrantState, LineOutcome, NoticeReply, PurposeCode } from "../gen/graphql";
import type { Tone } from "./Chip";
import type { IconName } from "./Icon";
import { LookChip } from "./words";

/** What people read for the words of access: requests, grants, decisions and notices. */
type Look = readonly [Tone, IconName, string];

export const purposes: Record<PurposeCode, string> = {
  ANALYTICS: "Analytics: exploration and ad-hoc questions",
  REPORTING: "Reporting: recurring reports and dashboards",
  OPERATIONS: "Operations: running a business process",
  MACHINE_LEARNING: "Machine learning: training or applying models",
  COMPLIANCE: "Compliance: demonstrating it",
  SUPPORT: "Support: helping a customer or a colleague",
};

export function purposeWord(purpose: PurposeCode): string {
  return purposes[purpose].replace(/:.*/, "");
}

const requestStates: Record<AccessRequestState, Look> = {
  PENDING: ["info", "clock", "Waits for an owner"],
  APPROVED: ["good", "check", "Approved"],
  REJECTED: ["bad", "cross", "Rejected"],
  WITHDRAWN: ["plain", "minus", "Withdrawn"],
};

const grantStates: Record<GrantState, Look> = {
  UPCOMING: ["info", "clock", "Not begun"],
  ACTIVE: ["good", "open", "Active"],
  ENDED: ["plain", "clock", "Ended"],
  REVOKED: ["bad", "cross", "Revoked"],
};

const outcomes: Record<LineOutcome, Look> = {
  HOLDS: ["good", "check", "Holds"],
  WARNS: ["warn", "warn", "Holds, with a warning"],
  FAILS: ["bad", "cross", "Fails"],
  NOT_BINDING: ["plain", "info", "Fails, does not bind"],
  NOT_CHECKED: ["plain", "minus", "Not checked"],
};

const replies: Record<NoticeReply, Look> = {
  ACKNOWLEDGED: ["good", "check", "Moves in time"],
  NEEDS_TIME: ["warn", "clock", "Needs more time"],
  OBJECTS: ["bad", "cross", "Objects"],
};

export function RequestChip({ state }: { state: AccessRequestState }) {
  return <LookChip look={requestStates[state]} />;
}

export function requestWord(state: AccessRequestState): string {
  return requestStates[state][2];
}

export function GrantChip({ state }: { state: GrantState }) {
  return <LookChip look={grantStates[state]} />;
}

export function grantWord(state: GrantState): string {
  return grantStates[state][2];
}

export function OutcomeChip({ outcome }: { outcome: LineOutcome }) {
  return <LookChip look={outcomes[outcome]} />;
}

export function ReplyChip({ reply }: { reply: NoticeReply }) {
  return <LookChip look={replies[reply]} />;
}

export function replyWord(reply: NoticeReply): string {
  return replies[reply][2];
}
