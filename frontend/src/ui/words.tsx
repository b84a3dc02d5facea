import type { Classification, ProductAccess, ProductState, VerdictWord } from "../gen/graphql";
import { Chip, type Tone } from "./Chip";
import type { IconName } from "./Icon";

/** The one place where the API's words become what people read: a tone, a sign and a word for each. */
type Look = readonly [Tone, IconName, string];

const accesses: Record<ProductAccess, Look> = {
  READ: ["good", "open", "You can read it"],
  REQUEST: ["info", "ask", "Ask for access"],
  KNOW: ["plain", "eye", "Know of it only"],
};

const verdicts: Record<VerdictWord, Look> = {
  PASS: ["good", "check", "Passes"],
  WARN: ["warn", "warn", "Passes with warnings"],
  FAIL: ["bad", "cross", "Fails"],
  ERROR: ["bad", "warn", "Not inspected in full"],
};

const states: Record<ProductState, Look> = {
  PROPOSED: ["plain", "dot", "Proposed"],
  DRAFT: ["plain", "dot", "Draft"],
  ACTIVE: ["good", "check", "Active"],
  DEPRECATED: ["warn", "clock", "Deprecated"],
  RETIRED: ["bad", "cross", "Retired"],
};

const classifications: Record<Classification, string> = {
  PUBLIC: "Public",
  INTERNAL: "Internal",
  CONFIDENTIAL: "Confidential",
  RESTRICTED: "Restricted",
};

export function LookChip({ look: [tone, icon, word] }: { look: Look }) {
  return (
    <Chip tone={tone} icon={icon}>
      {word}
    </Chip>
  );
}

export function AccessChip({ access }: { access: ProductAccess }) {
  return <LookChip look={accesses[access]} />;
}

export function VerdictChip({ verdict }: { verdict: VerdictWord }) {
  return <LookChip look={verdicts[verdict]} />;
}

export function verdictTone(verdict: VerdictWord): Tone {
  return verdicts[verdict][0];
}

export function verdictText(verdict: VerdictWord): string {
  return verdicts[verdict][2];
}

export function StateChip({ state }: { state: ProductState }) {
  return <LookChip look={states[state]} />;
}

/** Every class has a sign of its own strength: more bars, fewer readers. */
export function ClassificationChip({ classification }: { classification: Classification }) {
  const strong = classification === "CONFIDENTIAL" || classification === "RESTRICTED";
  return (
    <Chip tone="plain" icon={strong ? "lock" : "eye"}>
      {classifications[classification]}
    </Chip>
  );
}
