import { GUEST_ARCHITECTURE } from "../guest-architecture.ts";
import type { KernelFlavour } from "../kernels.ts";

/** A kernel that all scenarios are booted on. */
export interface Row {
  readonly architecture: "x86-64" | "AArch64";
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

const rowsOf = (architecture: Row["architecture"], releases: readonly (typeof RELEASES)[number][]): readonly Row[] =>
  releases.flatMap(([release, cloud, full]) => [
    { architecture, release, flavour: "cloud", kernel: cloud },
    { architecture, release, flavour: "full", kernel: full },
  ]);

/** The rows of the table in docs/kernels.md. */
export const ROWS: readonly Row[] = [...rowsOf("x86-64", RELEASES), ...rowsOf("AArch64", RELEASES.slice(1, 2))];

/** Those that this process boots, as `GUEST_ARCH` says. */
export const OWN_ROWS = ROWS.filter(
  ({ architecture }) => (architecture === "AArch64") === (GUEST_ARCHITECTURE === "aarch64"),
);
