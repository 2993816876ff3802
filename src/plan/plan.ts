import type { LayerPlan, OverlayPlan } from "../parameters/layer.ts";
import type { StepName } from "../parameters/step-names.ts";
import type { CryptPlan } from "./crypt/crypt-plan.ts";
import type { RootSource } from "./root.ts";

/**
 * Where the image files that make the root lie on the root device, and what is done with them. All paths are absolute
 * and without "." and "..".
 */
export interface ImagePlan {
  /** An ISO file on the root device in which everything else is looked for; null: on the device itself. */
  readonly iso: string | null;
  /** Tried in this order; the first that exists is taken. Empty where `directory` is given. */
  readonly paths: readonly string[];
  /**
   * live-boot's layout: the images in the directory `path` are layers, those that `LIST.module` names, lowest first,
   * or else all of them in the order of their names.
   */
  readonly directory: { readonly path: string; readonly list: string } | null;
  /** Paths in the image, tried in this order: the first that exists is an image too, and the root in its place. */
  readonly inner: readonly string[];
  readonly copyToRam: boolean;
  /** Whose medium it is, by the words that asked for it: their tools look for its parts at places of their own below /run. */
  readonly maker: "live-boot" | "archiso" | "dracut" | null;
}

/** What is done when a boot fails. */
export type FailurePolicy = "shell" | "reboot" | "poweroff" | "halt";

/** Everything that a boot decides, before the first of it is done. Plain data: printable, comparable. */
export interface BootPlan {
  readonly root: RootSource;
  /** rootfstype= as a list in the order to try; empty: whatever the probe finds. */
  readonly rootTypes: readonly string[];
  /** rootflags=, comma-separated. */
  readonly rootOptions: string;
  /** fsck.mode=: whether a root that is used as it is gets checked first. */
  readonly rootCheck: "auto" | "force" | "skip";
  /**
   * rw instead of ro (the default); false too where the root device lies below an image or an overlay: it is never
   * written to.
   */
  readonly rootWritable: boolean;
  readonly image: ImagePlan | null;
  /** Lowest first. */
  readonly layers: readonly LayerPlan[];
  readonly overlay: OverlayPlan | null;
  /** What is unlocked before the root is looked for. */
  readonly crypt: CryptPlan;
  /** rd.vconsole.keymap=: the name of the keymap in which passphrases are typed; null: the kernel's own. */
  readonly keymap: string | null;
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
    /** False: no shell, ever (rdshell=0): `onFailure` is then never "shell", and `breaks` is empty. "keep": a shell finds the volumes open that a passphrase has opened in this boot. */
    readonly shell: boolean | "keep";
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
