/** What a filesystem asks for at mount when its options say nothing (CONFIG_FAT_DEFAULT_*, CONFIG_NLS_DEFAULT of the distributions). */
const CHARSETS: Readonly<Record<string, readonly string[]>> = {
  vfat: ["nls_cp437", "nls_ascii", "nls_iso8859-1", "nls_utf8"],
  msdos: ["nls_cp437"],
  iso9660: ["nls_utf8"],
  udf: ["nls_utf8"],
  ntfs3: ["nls_utf8"],
  hfs: ["nls_utf8"],
  hfsplus: ["nls_utf8"],
  jfs: ["nls_utf8"],
};

/** The modules of the character sets that a mount of `type` with these options (comma-separated) may ask for. */
export function charsetsFor(type: string, options: string): readonly string[] {
  if (!Object.hasOwn(CHARSETS, type)) return [];
  const asked = options.split(",").flatMap((option) => {
    const [, name, value] = /^(codepage|iocharset|nls)=(?:cp)?([\w-]+)$/.exec(option) ?? [];
    if (value === undefined) return [];
    return [name === "codepage" || /^\d+$/.test(value) ? `nls_cp${value}` : `nls_${value}`];
  });
  return [...new Set([...(CHARSETS[type] ?? []), ...asked])];
}
