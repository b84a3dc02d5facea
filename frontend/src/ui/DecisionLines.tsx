import { sentence } from "../api/error";
import type { DecisionSeenFragment, GateCheck, ReasonCode } from "../gen/graphql";
import { title } from "../lib/text";
import { type Column, Table } from "./Table";
import { Message } from "./Time";
import { OutcomeChip } from "./words-access";

type Line = DecisionSeenFragment["lines"][number];
type Trouble = Exclude<ReasonCode, `${GateCheck}_HOLDS` | `${GateCheck}_NOT_CHECKED`>;

/** What lifts a refusal or a warning of the gate. */
const lifts: Record<Trouble, string> = {
  IDENTITY_UNKNOWN: "Sign in again; a disabled principal is enabled by an admin.",
  VISIBILITY_HIDDEN: "Check the address, or ask an owner of the domain.",
  VISIBILITY_CLASSIFIED: "Ask an owner of the product that shares the table.",
  POLICY_DENIED: "Ask an owner of the domain for a grant or a role.",
  POLICY_ERROR: "Report it to a steward: a policy is broken.",
  CONTRACT_PRODUCT_INACTIVE: "An owner publishes the product as active.",
  CONTRACT_DRAFT: "An owner activates the version once its reasons are settled.",
  CONTRACT_DEPRECATED: "Move to the successor before the sunset.",
  CONTRACT_SUNSET: "Ask for a newer major, or ask an owner to move the sunset.",
  CONTRACT_SUPERSEDED: "Load the page again: a newer version of the same major is in force.",
  CONTRACT_RETIRED: "Ask for a major that is still served.",
  GRANT_MISSING: "Ask for access.",
  GRANT_NOT_YET: "Wait until the grant begins, or ask for an earlier begin.",
  GRANT_ENDED: "Ask for access again.",
  GRANT_REVOKED: "Ask the person who revoked it, then ask for access again.",
  GRANT_OTHER_PURPOSE: "Read for the purpose of the grant, or ask for access for this one.",
  GRANT_PURPOSE_NEEDED: "Name the purpose.",
  CONFORMANCE_NOTED: "An owner declares the columns in the contract, or drops them from the data.",
  CONFORMANCE_PENDING: "Wait for the inspection; an owner can start it.",
  CONFORMANCE_BROKEN: "An owner writes a snapshot with the declared columns, or publishes a contract that fits.",
  CONFORMANCE_UNKNOWN: "An owner reads the error of the inspection, mends the data, and inspects again.",
  QUALITY_PENDING: "Wait for the inspection; an owner can start it.",
  QUALITY_WARNED: "An owner mends the rows that the rules of severity warning count.",
  QUALITY_FAILED: "An owner mends the rows that break the rules; the next good snapshot opens the gate.",
  QUALITY_ERROR: "An owner reads why a rule could not be measured, and inspects again.",
  QUALITY_FAILED_SERVED: "Mind the failed rules; the contract only warns.",
  QUALITY_OLDER_SERVED: "An owner mends the newest snapshot; until then the last good one is served.",
  QUALITY_HEAD_PENDING: "Try again in a few minutes: the newest snapshot waits for its inspection.",
  QUALITY_HEAD_WAITS: "Try again in a few minutes: the newest snapshot waits for its inspection.",
  QUALITY_LATE: "An owner writes newer data, or promises less.",
  SCOPE_UNBOUND: "Ask for credentials again.",
  SCOPE_CONSENT_ENDED: "An owner of the other product renews the consent by publishing.",
  SCOPE_OWNER_RETIRED: "Read the table through another product.",
  SCOPE_LOCATION: "An owner publishes locations that do not overlap.",
  SCOPE_NOTHING_TO_SERVE: "An owner writes a snapshot that passes.",
  SCOPE_PURPOSE: "Name the purpose operations.",
  SCOPE_TOO_SHORT: "Ask for a longer grant.",
};

/** What lifts it; `undefined` where nothing needs to be lifted. */
export function lift({ outcome, code }: { outcome: Line["outcome"]; code: ReasonCode }): string | undefined {
  if (outcome === "HOLDS" || outcome === "NOT_CHECKED") return undefined;
  return Object.hasOwn(lifts, code) ? lifts[code as Trouble] : undefined;
}

const columns: Column<Line>[] = [
  {
    name: "Check",
    cell: ({ check, code }) => (
      <>
        {title(check)} <code className="quiet-text block">{code.toLowerCase().replace("_", ".")}</code>
      </>
    ),
    text: ({ check }) => title(check),
  },
  {
    name: "Outcome",
    cell: ({ outcome }) => <OutcomeChip outcome={outcome} />,
    text: ({ outcome }) => outcome.toLowerCase(),
  },
  {
    name: "Why",
    cell: ({ message, details }) => (
      <>
        <Message text={sentence(message)} />
        {details.map((detail) => (
          <span key={detail} className="quiet-text block">
            <Message text={detail} />
          </span>
        ))}
      </>
    ),
    text: ({ message, details }) => [message, ...details].join("; "),
  },
  { name: "What lifts it", cell: lift, text: (line) => lift(line) ?? "" },
];

/** A decision of the gate, line by line in the order of its checks. */
export function DecisionLines({
  decision,
  caption,
  file,
}: {
  decision: Pick<DecisionSeenFragment, "lines">;
  caption: string;
  file: string;
}) {
  return <Table caption={caption} columns={columns} rows={decision.lines} rowKey={({ check }) => check} file={file} />;
}
