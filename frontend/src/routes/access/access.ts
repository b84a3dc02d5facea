import type { PurposeCode } from "../../gen/graphql";
import { given } from "../../lib/url";
import { purposes } from "../../ui/words-access";

/** A table's address in parts: the domain's path, the product, the table, and the major if it has one. */
export function partsOfTable(
  address: string,
): { domain: string; product: string; table: string; major?: number } | undefined {
  const [domain, product, rest, more] = address.split(".");
  if (!domain || !product || !rest || more !== undefined) return undefined;
  const [, table = rest, major] = /^(.+?)__v(\d+)$/.exec(rest) ?? [];
  return { domain, product, table, major: major ? Number(major) : undefined };
}

/**
 * What a link may fill in of the form: `/ask?address=nyc.flights.flights&purpose=reporting`, or
 * `/ask?product=nyc.flights&port=flights&major=1`.
 */
export interface AskSearch {
  address?: string;
  product?: string;
  port?: string;
  major?: string;
  purpose?: string;
  sentence?: string;
  until?: string;
}

export function askSearch(search: Record<string, unknown>): AskSearch {
  return given(search, ["address", "product", "port", "major", "purpose", "sentence", "until"]);
}

/** The product that the form is about; `undefined` if the link names none. */
export function askedProduct({ address, product }: AskSearch): { domain: string; name: string } | undefined {
  if (address) {
    const parts = partsOfTable(address);
    return parts && { domain: parts.domain, name: parts.product };
  }
  const [domain, name, more] = (product ?? "").split(".");
  return domain && name && more === undefined ? { domain, name } : undefined;
}

/** The output port that the form begins with: the one that is named, else that of the table, else the newest. */
export function askedPort<P extends { name: string; major: number }>(
  { address, port, major }: AskSearch,
  ports: readonly P[],
): P | undefined {
  const parts = address ? partsOfTable(address) : undefined;
  const wanted = major ? Number(major) : parts?.major;
  const fits = ports.filter((p) => (!port || p.name === port) && (wanted === undefined || p.major === wanted));
  const ofTable = fits.filter((p) => p.name === parts?.table);
  return [...(ofTable.length > 0 ? ofTable : fits)].sort((a, b) => b.major - a.major)[0];
}

/** A purpose of a link, in either case; `undefined` if there is no such purpose. */
export function askedPurpose(text: string | undefined): PurposeCode | undefined {
  const word = text?.toUpperCase().replaceAll("-", "_");
  return word !== undefined && Object.hasOwn(purposes, word) ? (word as PurposeCode) : undefined;
}

export const longest_days = 365;
export const usual_days = 90;

/** The day so many days after a moment: `2026-11-30`. */
export function dayAfter(now: number, days: number): string {
  return new Date(now + days * 86_400_000).toISOString().slice(0, 10);
}

/** Why a day cannot be the end of access. */
export function wrongEnd(day: string, now: number): string | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(Date.parse(day))) return "Give a day, such as 2027-02-28";
  if (day < dayAfter(now, 0)) return "The day has passed: give a later one";
  if (day >= dayAfter(now, longest_days)) return `Access lasts at most ${longest_days} days: give an earlier day`;
  return undefined;
}

/** The last moment of a day. */
export function endOfDay(day: string): string {
  return `${day}T23:59:59Z`;
}

interface Person {
  id: string;
  owner?: { id: string } | null;
}

/** Whether it concerns the viewer: themself, or a service account of theirs. */
export function isMine(principal: Person | null | undefined, viewer: { id: string }): boolean {
  return principal?.id === viewer.id || principal?.owner?.id === viewer.id;
}
