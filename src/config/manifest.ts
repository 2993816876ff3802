/**
 * /etc/levain.json: what the builder knows and the boot obeys. Written by `levain image`, read and validated by the init;
 * a foreign image has none, and everything in it has a default.
 */
export interface Manifest {
  readonly version: 1;
  /** `uname -r` of the kernel whose modules the image holds; null without modules. */
  readonly kernel: string | null;
  /** Command line parameters from levain.toml that come before (so weaker than) those of /proc/cmdline. */
  readonly parameters: readonly string[];
}
