/** How a block device is named: by what it carries (LABEL=, UUID=, …), by path, or by number. */
export type DeviceSpec =
  | { readonly by: "path"; readonly path: string }
  | { readonly by: "label" | "uuid" | "partlabel"; readonly value: string }
  | { readonly by: "partuuid"; readonly value: string /** /PARTNROFF=n */; readonly partitionOffset: number }
  | { readonly by: "number"; readonly major: number; readonly minor: number };

/** Where the image files that make the root lie on the root device, and what is done with them. */
export interface ImagePlan {
  /** Absolute paths on the root device, without "." and "..", tried in this order; the first that exists is taken. */
  readonly paths: readonly string[];
  readonly copyToRam: boolean;
}

/** What is stacked over a root that is not written to. */
export interface OverlayPlan {
  readonly kind: "tmpfs";
  /** tmpfs size= as given ("100M", "50%"); null for the kernel's default. */
  readonly size: string | null;
}

/** What is done when a boot fails. */
export type FailurePolicy = "shell" | "reboot" | "poweroff" | "halt";

/** Everything that a boot decides, before the first of it is done. Plain data: printable, comparable. */
export interface BootPlan {
  /** root= and then each rootfallback=; empty: the initramfs itself is the final system. */
  readonly roots: readonly DeviceSpec[];
  /** rootfstype= as a list in the order to try; empty: whatever the probe finds. */
  readonly rootTypes: readonly string[];
  /** rootflags=, comma-separated. */
  readonly rootOptions: string;
  /**
   * rw instead of ro (the default); false too where the root device lies below an image or an overlay: it is never
   * written to.
   */
  readonly rootWritable: boolean;
  readonly image: ImagePlan | null;
  readonly overlay: OverlayPlan | null;
  /** Milliseconds to wait for the root device; null: for ever. */
  readonly rootTimeoutMs: number | null;
  readonly modules: {
    /** Asked for by name: a missing one is worth a warning. */
    readonly load: readonly string[];
    /** module, every "-" in its name as "_" → parameters, as "a=1 b=2". */
    readonly parameters: Readonly<Record<string, string>>;
    /** Every "-" as "_". */
    readonly blacklist: readonly string[];
  };
  readonly handover: {
    /** auto: switch_root from rootfs, pivot_root from a real mount. */
    readonly mode: "auto" | "switch_root" | "pivot_root" | "stay";
    readonly putOld: string | null;
    /** null: the kernel's list. */
    readonly init: string | null;
    /** argv from argv[1] on. */
    readonly arguments: readonly string[];
    /** All of it, "NAME=value" each: HOME=/, TERM=linux and the unknown name=value words of the command line. */
    readonly environment: readonly string[];
  };
  readonly rescue: {
    /** False: no shell, ever (rdshell=0): `onFailure` is then never "shell", and `breaks` is empty. */
    readonly shell: boolean;
    /** rd.break=: names of steps to stop before. */
    readonly breaks: readonly StepName[];
    /**
     * What is done when the boot fails, everything considered: rd.emergency=, else reboot with panic=, else shell, or
     * halt without one.
     */
    readonly onFailure: FailurePolicy;
    /** panic=: seconds until that reboot; null where not given. */
    readonly panicSeconds: number | null;
  };
  readonly talk: {
    readonly level: "quiet" | "normal" | "debug";
    /** rd.log=: where our lines go. */
    readonly log: "kmsg" | "console" | "all";
  };
}

/** The steps of a boot in their order, as rd.break=, /run/levain/boot.json and the console name them. */
export const STEP_NAMES = ["prepare", "modules", "root", "mount", "layers", "init", "handover"] as const;
export type StepName = (typeof STEP_NAMES)[number];
