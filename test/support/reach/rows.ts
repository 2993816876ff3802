import type { KernelFlavour } from "../kernels.ts";

/** A kernel that all scenarios are booted on. */
export interface Row {
  readonly architecture: "x86-64";
  /** Debian's, and which Linux it has. */
  readonly release: string;
  readonly flavour: "cloud" | "full";
  readonly kernel: KernelFlavour;
}

const RELEASES = [
  ["Debian 11", "bullseye", "bullseye-full"],
  ["Debian 12", "cloud", "full"],
  ["Debian 13", "trixie", "trixie-full"],
  ["Debian sid", "sid", "sid-full"],
] as const;

/** The rows of the table in docs/kernels.md. */
export const ROWS: readonly Row[] = RELEASES.flatMap(([release, cloud, full]) => [
  { architecture: "x86-64", release, flavour: "cloud", kernel: cloud },
  { architecture: "x86-64", release, flavour: "full", kernel: full },
]);
