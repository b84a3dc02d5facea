/** A text in parts, as the server's highlights cut it; they count characters, not UTF-16 units. */
export function parts(
  text: string,
  highlights: readonly { start: number; end: number }[],
): { text: string; hit: boolean }[] {
  const characters = Array.from(text);
  const found: { text: string; hit: boolean }[] = [];
  let at = 0;
  const push = (end: number, hit: boolean) => {
    if (end > at) found.push({ text: characters.slice(at, end).join(""), hit });
    at = Math.max(at, end);
  };
  for (const { start, end } of [...highlights].sort((a, b) => a.start - b.start)) {
    push(Math.min(start, characters.length), false);
    push(Math.min(end, characters.length), true);
  }
  push(characters.length, false);
  return found;
}

/** `1 reader`, `12 readers`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

/** A number with thin groups: `1 234 567`. */
export function grouped(n: number | string): string {
  const [whole = "", rest] = String(n).split(".");
  const digits = whole.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
  return rest === undefined ? digits : `${digits}.${rest}`;
}

/** `MACHINE_LEARNING` -> `machine learning`. */
export function words(constant: string): string {
  return constant.toLowerCase().replaceAll("_", " ");
}

/** The same as the beginning of a text. */
export function title(constant: string): string {
  const text = words(constant);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
