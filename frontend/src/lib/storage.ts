/** What this browser remembers for its user. Without storage (private windows, blocked) nothing is remembered. */
type Key = "theme" | "keys" | "client";

export function remembered(key: Key): string | undefined {
  try {
    return localStorage.getItem(`charterhouse.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(key: Key, value: string): void {
  try {
    localStorage.setItem(`charterhouse.${key}`, value);
  } catch {
    // Nothing to do: the choice holds until the page is left.
  }
}
