/** Returns a module's name as the kernel writes it: '-' and '_' are the same to every tool, the kernel writes '_'. */
export function normalizeName(name: string): string {
  return name.replaceAll("-", "_");
}

/** Returns the module name of a file: its base name up to the first dot, "drivers/ata/libata.ko.xz" → "libata". */
export function moduleNameOf(path: string): string {
  const base = path.slice(path.lastIndexOf("/") + 1);
  const dot = base.indexOf(".");
  return normalizeName(dot === -1 ? base : base.slice(0, dot));
}

/**
 * Normalizes an alias as kmod's alias_normalize does: '-' becomes '_' except between brackets, where it is a range. null if the
 * brackets do not pair.
 */
export function normalizeAlias(alias: string): string | null {
  if (!alias.includes("[") && !alias.includes("]")) return normalizeName(alias);
  let normal = "";
  for (let place = 0; place < alias.length; ) {
    const open = alias.indexOf("[", place);
    const outside = alias.slice(place, open === -1 ? alias.length : open);
    if (outside.includes("]")) return null;
    normal += normalizeName(outside);
    if (open === -1) break;
    const close = alias.indexOf("]", open);
    if (close === -1) return null;
    normal += alias.slice(open, close + 1);
    place = close + 1;
  }
  return normal;
}
