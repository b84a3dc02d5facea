import { sentence } from "../api/error";
import type { DecisionSeenFragment, GateCheck, ReasonCode } from "../gen/graphql";
import { title } from "../lib/text";
import { type Column, Table } from "./Table";
import { OutcomeChip } from "./words-access";

type Line = DecisionSeenFragment["lines"][number];
type Trouble = Exclude<ReasonCode, `${GateCheck}_HOLDS` | `${GateCheck}_NOT_CHECKED`>;

/** What lifts a refusal or a warning of the gate. */
const lifts: Record<Trouble, string> = {
  IDENTITY_UNKNOWN: "An admin enables the principal.",
  VISIBILITY_HIDDEN: "Check the address, or ask an owner of the domain.",
  VISIBILITY_CLASSIFIED: "Ask an owner of the product that shares the table.",
  POLICY_DENIED: "Ask an owner of the domain for a grant or a role.",
  POLICY_ERROR: "Report it to the operator: a policy is at fault.",
  CONTRACT_PRODUCT_INACTIVE: "An owner publishes the product as active.",
  CONTRACT_DRAFT: "An owner activates the version once its reasons are settled.",
  CONTRACT_DEPRECATED: "Move to the successor before the sunset.",
  CONTRACT_SUNSET: "Read the successor, or ask an owner to move the sunset.",
  CONTRACT_SUPERSEDED: "Read the newer version of the same major.",
  CONTRACT_RETIRED: "Read a major that is still served.",
  GRANT_MISSING: "Ask for access.",
  GRANT_NOT_YET: "Wait until the grant begins, or ask for an earlier begin.",
  GRANT_ENDED: "Ask for access again.",
  GRANT_REVOKED: "Ask the one who revoked it, then ask for access again.",
  GRANT_OTHER_PURPOSE: "Read for the purpose of the grant, or ask for this one.",
  GRANT_PURPOSE_NEEDED: "Name the purpose.",
  CONFORMANCE_NOTED: "Declare the columns in the contract, or drop them from the data.",
  CONFORMANCE_PENDING: "Wait for the inspection, or start one.",
  CONFORMANCE_BROKEN: "Write a snapshot that has the declared columns, or publish a contract that fits.",
  CONFORMANCE_UNKNOWN: "Read the error of the inspection, mend the data, and inspect again.",
  QUALITY_PENDING: "Wait for the inspection, or start one.",
  QUALITY_WARNED: "Mend the rows that the rules of severity warning count.",
  QUALITY_FAILED: "Mend the rows that the failed rules count, and write a new snapshot.",
  QUALITY_ERROR: "Read why a rule could not be measured, and inspect again.",
  QUALITY_FAILED_SERVED: "Mind the failed rules; the contract only warns.",
  QUALITY_OLDER_SERVED: "Mend the newest snapshot; until then the last good one is served.",
  QUALITY_HEAD_PENDING: "Start the inspection, or look at the queue.",
  QUALITY_HEAD_WAITS: "Start the inspection, or look at the queue.",
  QUALITY_LATE: "Write newer data, or promise less.",
  SCOPE_UNBOUND: "Ask for credentials again.",
  SCOPE_CONSENT_ENDED: "An owner of the other product renews the consent by publishing.",
  SCOPE_OWNER_RETIRED: "Read the table through another product.",
  SCOPE_LOCATION: "Publish locations that do not overlap.",
  SCOPE_NOTHING_TO_SERVE: "Write a snapshot that passes.",
  SCOPE_PURPOSE: "Name the purpose operations.",
  SCOPE_TOO_SHORT: "Ask for a longer grant.",
};

/** What lifts it; `undefined` where nothing needs to be lifted. */
export function lift({ outcome, code }: { outcome: Line["outcome"]; code: ReasonCode }): string | undefined {
  if (outcome === "HOLDS" || outcome === "NOT_CHECKED") return undefined;
  return Object.hasOwn(lifts, code) ? lifts[code as Trouble] : undefined;
}

const columns: Column<Line>[] = [
  { name: "Check", cell: ({ check }) => title(check), text: ({ check }) => title(check) },
  {
    name: "Outcome",
    cell: ({ outcome }) => <OutcomeChip outcome={outcome} />,
    text: ({ outcome }) => outcome.toLowerCase(),
  },
  {
    name: "Why",
    cell: ({ message, details }) => (
      <>
        {sentence(message)}
        {details.map((detail) => (
          <span key={detail} className="quiet-text block">
            {detail}
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
