import type { AuditAction, AuditOutcome, RecordFault } from "../../gen/graphql";
import type { Tone } from "../../ui/Chip";

/** What people read for the actions of the audit log, in the order of the list. */
export const actions: Record<AuditAction, string> = {
  CREDENTIAL_VEND: "Credentials asked for",
  ACCESS_REQUEST: "Access requested",
  ACCESS_APPROVE: "Request approved",
  ACCESS_REJECT: "Request rejected",
  ACCESS_WITHDRAW: "Request withdrawn",
  ACCESS_REVOKE: "Grant revoked",
  LEASE_END: "Leases ended by a change",
  OVERRIDE_CREATE: "Breaking change accepted",
  OVERRIDE_REVOKE: "Override revoked",
  PRODUCT_PUBLISH: "Product published",
  PRODUCT_CLASSIFY: "Product classified",
  PRODUCT_RETIRE: "Product retired",
  TABLE_SHARE: "Table shared",
  CONTRACT_PUBLISH: "Version published",
  CONTRACT_ACTIVATE: "Version activated",
  CONTRACT_SUPERSEDE: "Version superseded",
  CONTRACT_DEPRECATE: "Version deprecated",
  CONTRACT_EXTEND: "Sunset moved",
  CONTRACT_RETIRE: "Version retired",
  NOTICE_OPEN: "Notice opened",
  NOTICE_ANSWER: "Notice answered",
  NOTICE_UPDATE: "Notice changed",
  NOTICE_CLOSE: "Notice closed",
  ROLE_ASSIGN: "Role assigned",
  ROLE_UNASSIGN: "Role taken away",
  TOKEN_CREATE: "Token issued",
  TOKEN_REVOKE: "Token revoked",
  SIGN_IN_CODE_CREATE: "Sign-in code issued",
  SESSION_CREATE: "Signed in to the page",
  PRINCIPAL_CREATE: "Principal created",
  PRINCIPAL_ENABLE: "Principal enabled",
  PRINCIPAL_DISABLE: "Principal disabled",
  DOMAIN_CREATE: "Domain created",
  DOMAIN_SET_ENFORCEMENT: "Enforcement changed",
  BOOTSTRAP_REDEEM: "First admin made",
  ADMIN_RECOVER: "Admin recovered",
  SNAPSHOT_NOTICE: "Snapshot found",
  SNAPSHOT_RETURN: "Snapshot came back",
  SNAPSHOT_COLLECT: "Old files removed",
  TABLE_INSPECT: "Table inspected",
  TABLE_LEASE_FOR_INSPECTION: "Lease for an inspection",
  SCHEMA_REGISTER: "Schema registered",
  SCHEMA_DELETE: "Schemas deleted",
  SUBJECT_RELEASE: "Subject released",
  REGISTRY_CONFIGURE: "Registry set",
  LINEAGE_RECEIVE: "Lineage received",
};

export function actionOf(text: string | undefined): AuditAction | undefined {
  return text !== undefined && Object.hasOwn(actions, text) ? (text as AuditAction) : undefined;
}

/** `CREDENTIAL_VEND` -> `credential.vend`, as commands and the log have it. */
export function dotted(action: AuditAction): string {
  return action.toLowerCase().replace("_", ".");
}

export const outcomes: Record<AuditOutcome, readonly [Tone, string]> = {
  DONE: ["good", "Done"],
  REFUSED: ["warn", "Refused"],
  FAILED: ["bad", "Failed"],
  INTENDED: ["info", "End unknown"],
};

export const faults: Record<RecordFault, string> = {
  CHANGED: "its signature does not fit: it was changed, or the key is another",
  NOT_A_RECORD: "it is signed and not in the form of a record",
  UNKNOWN_WORD: "a newer version of the server wrote it",
  ROW_DIFFERS: "its row says something else than what was signed",
};

/** Details are JSON; short ones are read as `name: value`. */
export function detailText(detail: string): string {
  try {
    const value: unknown = JSON.parse(detail);
    if (typeof value !== "object" || value === null) return detail;
    return Object.entries(value)
      .map(([name, item]) => `${name}: ${typeof item === "string" ? item : JSON.stringify(item)}`)
      .join(", ");
  } catch {
    return detail;
  }
}
