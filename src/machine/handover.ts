/** The task of stage0, PID 1, after this process has ended. Paths are as seen from the root of the initramfs. */
export interface Handover {
  readonly mode: "switch_root" | "pivot_root" | "stay";
  /** The mount point of the new root; "/" for stay. */
  readonly root: string;
  /** For pivot_root: a directory of the new root, as "/initrd", where the old root is kept; null unmounts it. */
  readonly putOld: string | null;
  /** The program, a path in the new root. */
  readonly init: string;
  /** The init is systemd: stage0 tells it when the initramfs began. */
  readonly isSystemd: boolean;
  /** argv from argv[0] on. */
  readonly argv: readonly string[];
  /** "NAME=value" each. */
  readonly environment: readonly string[];
}
