interface Reads {
  readers?: {
    since?: string | null;
    everything: { principal?: { id: string } | null }[];
    columns: { name: string; readers: { principal?: { id: string } | null }[] }[];
  } | null;
}

/**
 * The columns that a principal read of some tables, by name; `*` where they may have read any. `undefined` if reads are
 * not recorded, or the viewer does not see them.
 */
export function columnsRead(tables: readonly Reads[], principal: string): string[] | undefined {
  const known = tables.flatMap(({ readers }) => (readers?.since ? [readers] : []));
  if (known.length === 0) return undefined;
  const names = new Set<string>();
  for (const { everything, columns } of known) {
    if (everything.some((reader) => reader.principal?.id === principal)) names.add("*");
    for (const { name, readers } of columns) {
      if (readers.some((reader) => reader.principal?.id === principal)) names.add(name);
    }
  }
  return [...names].sort();
}
