import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

export type Tone = "good" | "warn" | "bad" | "info" | "plain";

const icons: Record<Tone, IconName> = { good: "check", warn: "warn", bad: "cross", info: "info", plain: "dot" };

/** A state: a word with an icon. The colour only repeats it. */
export function Chip({ tone, icon, children }: { tone: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <span className={`chip ${tone}`}>
      <Icon name={icon ?? icons[tone]} size={14} />
      {children}
    </span>
  );
}
