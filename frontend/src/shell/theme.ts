import { useState } from "react";
import { remember, remembered } from "../lib/storage";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

function stored(): Theme {
  const found = remembered("theme");
  return themes.find((theme) => theme === found) ?? "system";
}

/** Before the first paint: the stylesheet reads the attribute. */
export function applyTheme(theme: Theme = stored()): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(stored);
  return [
    theme,
    (next) => {
      remember("theme", next);
      applyTheme(next);
      setTheme(next);
    },
  ];
}
