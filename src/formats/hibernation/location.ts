/** Where systemd says that it has hibernated (HibernateLocation, an EFI variable in JSON). */
export interface HibernateLocation {
  /** Of the filesystem with the swap file, or of the swap space. */
  readonly uuid: string;
  /** In pages. */
  readonly offset: number;
  /** `uname -r` of the hibernated system; null if it does not say. */
  readonly kernel: string | null;
}

/** Parses the value of HibernateLocation, UTF-16; null for anything else. */
export function parseHibernateLocation(value: Uint8Array): HibernateLocation | null {
  const text = new TextDecoder("utf-16le").decode(value).replace(/\0+$/, "");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof json !== "object" || json === null) return null;
  const { uuid, offset, kernelVersion } = json as Readonly<Record<string, unknown>>;
  const digits = typeof uuid === "string" ? uuid.toLowerCase().replaceAll("-", "") : "";
  if (!/^[0-9a-f]{32}$/.test(digits) || !Number.isSafeInteger(offset) || (offset as number) < 0) return null;
  return {
    uuid: digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
    offset: offset as number,
    kernel: typeof kernelVersion === "string" ? kernelVersion : null,
  };
}
