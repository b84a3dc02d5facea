import { useSyncExternalStore } from "react";
import type { RoleWord, ShellFragment } from "../gen/graphql";

export type Viewer = ShellFragment["viewer"];

let viewer: Viewer | undefined;
const listeners = new Set<() => void>();
let onSignedOut = () => {};

/** Takes the viewer from the answer to any query that spreads `Shell`. */
export function noticeViewer(data: unknown): void {
  const found = (data as Partial<ShellFragment>).viewer;
  if (!found?.principal?.subject || JSON.stringify(found) === JSON.stringify(viewer)) return;
  viewer = found;
  for (const listener of listeners) listener();
}

export function forgetViewer(): void {
  viewer = undefined;
  for (const listener of listeners) listener();
}

/** Who is signed in, as of the last answer; `undefined` before the first. */
export function useViewer(): Viewer | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => viewer,
  );
}

/** What the viewer is to the platform or, with `domain`, to a domain or one above it. It decides what is offered, never
 * what is allowed: that is the server's. */
export function hasRole(viewer: Viewer | undefined, roles: readonly RoleWord[], domain?: string): boolean {
  return (viewer?.roles ?? []).some(
    (held) =>
      roles.includes(held.role) &&
      (!held.domain || (domain !== undefined && `${domain}/`.startsWith(`${held.domain.path}/`))),
  );
}

export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

export function signedOut(): void {
  forgetViewer();
  onSignedOut();
}
