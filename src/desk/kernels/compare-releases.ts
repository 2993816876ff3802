/** Compares two releases of kernels, as "6.1.0-9" and "6.1.0-10", numbers by their value; positive if the first is newer. */
export function compareReleases(one: string, other: string): number {
  const [parts, others] = [split(one), split(other)];
  for (let index = 0; index < Math.max(parts.length, others.length); index += 1) {
    const [part = "", against = ""] = [parts[index], others[index]];
    const difference = Number(part) - Number(against);
    if (!Number.isNaN(difference) && difference !== 0) return difference;
    if (Number.isNaN(difference) && part !== against) return part > against ? 1 : -1;
  }
  return 0;
}

const split = (release: string) => release.match(/\d+|\D+/g) ?? [];
