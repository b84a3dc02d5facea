import { useEffect, useRef, useState } from "react";
import { remember, remembered } from "../lib/storage";

export interface Shortcut {
  /** `/`, `g h` (one after the other) or `mod+k` (Ctrl, or Cmd on a Mac). */
  keys: string;
  label: string;
  act: () => void;
}

const shortcuts = new Set<{ current: Shortcut }>();
let enabled = remembered("keys") !== "off";

/** The shortcuts that work now, for the help. */
export function activeShortcuts(): Shortcut[] {
  return [...shortcuts].map((ref) => ref.current);
}

export function useShortcut(keys: string, label: string, act: () => void): void {
  const ref = useRef<Shortcut>({ keys, label, act });
  ref.current = { keys, label, act };
  useEffect(() => {
    shortcuts.add(ref);
    return () => {
      shortcuts.delete(ref);
    };
  }, []);
}

/** Single keys can be switched off: they are in the way of speech input. */
export function useSingleKeys(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(enabled);
  return [
    on,
    (next) => {
      enabled = next;
      remember("keys", next ? "on" : "off");
      setOn(next);
    },
  ];
}

let before = "";
let beforeAt = 0;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

export function listenForKeys(): () => void {
  const listen = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (!event.shiftKey) run(`mod+${event.key.toLowerCase()}`, event);
      return;
    }
    if (!enabled || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const sequence = event.timeStamp - beforeAt < 1_200 && before ? `${before} ${event.key}` : event.key;
    before = event.key;
    beforeAt = event.timeStamp;
    if (run(sequence, event) || (sequence !== event.key && run(event.key, event))) before = "";
  };
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}

function run(keys: string, event: KeyboardEvent): boolean {
  for (const { current } of shortcuts) {
    if (current.keys !== keys) continue;
    event.preventDefault();
    current.act();
    return true;
  }
  return false;
}
