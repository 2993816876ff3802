const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];
const MIB = 2 ** 20;

/** Formats a size for the user: at most one digit after the point, in units of 1024, as "4 GiB"; not exact. */
export function formatBytes(bytes: number | bigint): string {
  const value = Number(bytes);
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${Number((value / 1024 ** power).toFixed(1))} ${UNITS[power]}`;
}

/** Says how much memory is free: "295 MiB of 512 MiB are free"; `totalBytes` is null if unknown. */
export function describeFree(freeBytes: number, totalBytes: number | null): string {
  return `${formatBytes(freeBytes)}${totalBytes === null ? "" : ` of ${formatBytes(totalBytes)}`} are free`;
}

/** Formats a size in whole MiB, rounded up: what must be there, as "1056 MiB". */
export function formatMib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
