/** A file that is left in /run for the programs of the real system. */
export interface LeftFile {
  readonly path: string;
  readonly content: string;
  /** 0644 by default. */
  readonly isSecret?: boolean;
}

/** Returns the lines of a section as systemd and GLib read them, without those that have no value. */
export function section(
  name: string,
  entries: readonly (readonly [key: string, value: string | null])[],
): readonly string[] {
  const lines = entries.flatMap(([key, value]) => (value === null || value === "" ? [] : [`${key}=${value}`]));
  return lines.length === 0 ? [] : [`[${name}]`, ...lines, ""];
}
