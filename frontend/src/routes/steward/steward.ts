import type { GrantReviewedFragment, ReadersQuery } from "../../gen/graphql";
import { addressOf } from "../../lib/paths";

const day_ms = 86_400_000;
export const soon_days = 30;
/** A grant that is younger is not called unused. */
export const settled_days = 30;

export const groups = ["open", "ending", "unused"] as const;
export type Group = (typeof groups)[number];

/** Grants of a group: all that are open, those that end soon, those that are old enough and have no lease. */
export function inGroup(
  grant: Pick<GrantReviewedFragment, "id" | "state" | "until" | "from">,
  group: Group,
  lastUse: ReadonlyMap<string, string>,
  now: number,
): boolean {
  if (grant.state !== "ACTIVE" && grant.state !== "UPCOMING") return false;
  switch (group) {
    case "open":
      return true;
    case "ending":
      return Date.parse(grant.until) - now < soon_days * day_ms;
    case "unused":
      return !lastUse.has(grant.id) && now - Date.parse(grant.from) > settled_days * day_ms;
  }
}

/** The newest lease under each grant; leases come newest first. */
export function lastUses(leases: readonly { issuedAt: string; grant?: { id: string } | null }[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { grant, issuedAt } of leases) if (grant && !found.has(grant.id)) found.set(grant.id, issuedAt);
  return found;
}

/** Whether a grant has the words: in the holder, the product, the port or the purpose. */
export function hasWords(grant: GrantReviewedFragment, text: string): boolean {
  const all = [
    grant.principal.subject,
    grant.product ? addressOf(grant.product) : "",
    grant.product?.title ?? "",
    grant.port,
    grant.purpose,
    grant.sentence,
  ]
    .join(" ")
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

/** The paths of a domain and of those above it, nearest first, always four: the last is repeated. */
export function pathsUp(domain: string): [string, string, string, string] {
  const names = domain.split("/");
  const at = (n: number) => names.slice(0, Math.max(1, names.length - n)).join("/");
  return [at(0), at(1), at(2), at(3)];
}

/** The window of a day in UTC; without a day, the moment now. */
export function windowOf(day: string | undefined, now: number): { from: number; to: number } | undefined {
  if (day === undefined) return { from: now, to: now };
  const from = Date.parse(`${day}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(from) ? { from, to: from + day_ms - 1 } : undefined;
}

type Lease = ReadersQuery["leases"]["nodes"][number];

/** A principal who could read a table, by a grant or by a role. */
export interface CanRead {
  key: string;
  principal: { id: string; subject: string };
  by: "grant" | "role";
  /** Purpose and sentence of the grant, or the role and its domain. */
  why: string;
  purpose: string;
  from: string;
  until?: string;
  /** By whom a grant was given. */
  givenBy?: string;
  /** The newest lease before the end of the window, with the decision that allowed it. */
  lease?: Lease;
}

/** Who could read a table in a window of time, as far as the lists go. */
export function whoCouldRead(data: ReadersQuery, window: { from: number; to: number }): CanRead[] {
  const { table } = data;
  if (!table) return [];
  const leases = data.leases.nodes.filter(
    ({ address, issuedAt }) => address === table.address && Date.parse(issuedAt) <= window.to,
  );
  const overlaps = (from: string, until?: string | null) =>
    Date.parse(from) <= window.to && (!until || Date.parse(until) > window.from);
  const byGrant = data.grants.nodes
    .filter(
      ({ product, major, from, until, revokedAt }) =>
        product?.id === table.product.id &&
        major === table.major &&
        overlaps(from, until) &&
        (!revokedAt || Date.parse(revokedAt) > window.from),
    )
    .map(
      (grant): CanRead => ({
        key: grant.id,
        principal: grant.principal,
        by: "grant",
        why: grant.sentence,
        purpose: grant.purpose,
        from: grant.from,
        until: grant.revokedAt ?? grant.until,
        givenBy: grant.grantedBy.subject,
        lease: leases.find((lease) => lease.grant?.id === grant.id),
      }),
    );
  const domains = new Map(
    [data.d0, data.d1, data.d2, data.d3].flatMap((domain) => (domain ? [[domain.path, domain]] : [])),
  );
  const byRole = [...domains.values()].flatMap(({ path, roles }) =>
    (roles ?? [])
      .filter(({ role, assignedAt }) => (role === "OWNER" || role === "PUBLISHER") && overlaps(assignedAt))
      .map(
        ({ id, role, principal, assignedAt }): CanRead => ({
          key: id,
          principal,
          by: "role",
          why: `${role.toLowerCase()} of ${path}`,
          purpose: "OPERATIONS",
          from: assignedAt,
          lease: leases.find((lease) => lease.principal.id === principal.id && !lease.grant),
        }),
      ),
  );
  return [...byGrant, ...byRole];
}

/** The variables of the page for a table; empty paths find nothing. */
export function readersVariables(address: string): { address: string; d0: string; d1: string; d2: string; d3: string } {
  const [d0, d1, d2, d3] = pathsUp(address.split(".")[0] ?? "");
  return { address, d0, d1, d2, d3 };
}
