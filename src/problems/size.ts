const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** For a person: one digit after the point at most, in units of 1024, as "4 GiB"; not exact. */
export function formatBytes(bytes: number | bigint): string {
  const value = Number(bytes);
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${Number((value / 1024 ** power).toFixed(1))} ${UNITS[power]}`;
}
