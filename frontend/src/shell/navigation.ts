import { hasRole, type Viewer } from "../api/session";

interface Place {
  to: "/" | "/inbox" | "/access" | "/team" | "/steward";
  label: string;
  /** After `g`. */
  key: string;
  shown: (viewer: Viewer | undefined) => boolean;
}

/** What the header, the palette and the keys lead to. A new route adds its line here. */
export const places: readonly Place[] = [
  { to: "/", label: "Find", key: "f", shown: () => true },
  { to: "/inbox", label: "Inbox", key: "i", shown: () => true },
  { to: "/access", label: "My access", key: "a", shown: () => true },
  {
    to: "/team",
    label: "Team",
    key: "t",
    shown: (viewer) => (viewer?.roles ?? []).some(({ role }) => role === "OWNER" || role === "PUBLISHER"),
  },
  {
    to: "/steward",
    label: "Steward",
    key: "s",
    shown: (viewer) => hasRole(viewer, ["ADMIN", "STEWARD", "AUDITOR"]),
  },
];

export function placesOf(viewer: Viewer | undefined): Place[] {
  return places.filter(({ shown }) => shown(viewer));
}

export { hasRole };
