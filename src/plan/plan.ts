import type { CryptSettings, PlainFormat } from "../parameters/crypt/place.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { OverlayPlan } from "../parameters/stack/overlay.ts";
import type { LayerPlan, StepName } from "../parameters/values.ts";
import type { RootSource } from "./root.ts";

/** What is unlocked before the search for the root, and how. */
export interface CryptPlan {
  /** rd.luks=0: nothing is unlocked, not even a root= that is a LUKS volume. */
  readonly isOff: boolean;
  /** In the order of the parameters; every device at most once. */
  readonly volumes: readonly CryptVolume[];
  /** rd.auto: every LUKS volume that appears is unlocked as well, as `luks-UUID`. */
  readonly everyLuks: boolean;
  /** For a LUKS volume that no parameter names: one found by `everyLuks`, a root= that is a LUKS volume, and such an image. */
  readonly unnamed: CryptSettings;
}

/** An encrypted volume to unlock. */
export interface CryptVolume extends CryptSettings {
  /** The device with the LUKS header or, if it has none (`plain`, `header`), with the data. */
  readonly device: DeviceSpec;
  /** Of /dev/mapper/NAME; null: luks-UUID. */
  readonly name: string | null;
  /** null: LUKS. */
  readonly plain: PlainFormat | null;
  /** crypttab's nofail: the boot goes on without it if it can. */
  readonly isOptional: boolean;
}

/** The image files that make the root, on the root device. All paths are absolute and without "." and "..". */
export interface ImagePlan {
  /** The ISO file on the root device that contains the images; null: they are on the device itself. */
  readonly iso: string | null;
  /** Tried in this order; the first that exists is used. Empty if `stacked` or `directory` decides. */
  readonly paths: readonly string[];
  /** Layers, the lowest first: each has to exist. */
  readonly stacked: readonly string[];
  /** The layout of live-boot and casper: the images in the directory `path` are layers, those in `LIST.module`, lowest first, or else all in the order of their names. */
  readonly directory: { readonly path: string; readonly list: string | null } | null;
  /** Paths in the image, tried in this order: the first that exists is an image that becomes the root instead. */
  readonly inner: readonly string[];
  readonly copyToRam: boolean;
  /** The project that built the medium, known from the parameters used: its tools expect parts of the medium at certain places below /run. */
  readonly maker: "live-boot" | "casper" | "archiso" | "dracut" | null;
}

/** What to do when a boot fails. */
export type FailurePolicy = "shell" | "reboot" | "poweroff" | "halt";

/** All decisions of a boot, made before its first step. Plain data: printable, comparable. */
export interface BootPlan {
  readonly root: RootSource;
  /** rootfstype= as a list in the order to try; empty: as probed. */
  readonly rootTypes: readonly string[];
  /** rootflags=, comma-separated. */
  readonly rootOptions: string;
  /** fsck.mode=: whether a root without image and overlay is checked first. */
  readonly rootCheck: "auto" | "force" | "skip";
  /** fsck.repair=: what that check repairs. */
  readonly rootRepair: "preen" | "yes" | "no";
  /** rw instead of ro (the default); always false for a root device below an image or an overlay, which is never written to. */
  readonly rootWritable: boolean;
  readonly image: ImagePlan | null;
  /** Lowest first. */
  readonly layers: readonly LayerPlan[];
  readonly overlay: OverlayPlan | null;
  /** What is unlocked before the search for the root. */
  readonly crypt: CryptPlan;
  /** Which arrays of Linux RAID are started; without `uuids` all. */
  readonly arrays: { readonly isOff: boolean; readonly uuids: readonly string[] };
  /** rd.vconsole.keymap=: the keymap for passphrases; null: the kernel's own. */
  readonly keymap: string | null;
  /** Milliseconds to wait for the root device; null: no limit. */
  readonly rootTimeoutMs: number | null;
  readonly modules: {
    /** Modules to load by name: a missing one causes a warning. */
    readonly load: readonly string[];
    /** Parameters by module (every "-" as "_"), such as "a=1 b=2". */
    readonly parameters: Readonly<Record<string, string>>;
    /** Every "-" as "_". */
    readonly blacklist: readonly string[];
  };
  readonly handover: {
    /** auto: switch_root from rootfs, pivot_root from a real mount. */
    readonly mode: "auto" | "switch_root" | "pivot_root" | "stay";
    readonly putOld: string | null;
    /** rd.drivers=: which drivers are loaded before it; auto: all if the root has no udev. */
    readonly drivers: "auto" | "root" | "all";
    /** null: the kernel's list. */
    readonly init: string | null;
    /** argv from argv[1] on. */
    readonly arguments: readonly string[];
    /** The whole environment, "NAME=value" each: HOME=/, TERM=linux and the unknown name=value parameters of the command line. */
    readonly environment: readonly string[];
  };
  readonly rescue: {
    /** False: never a shell (rdshell=0), so `onFailure` is not "shell" and `breaks` is empty. "keep": volumes that a passphrase unlocked in this boot stay open in a shell. */
    readonly shell: boolean | "keep";
    /** rd.break=: steps to stop before. */
    readonly breaks: readonly StepName[];
    /** rd.emergency=, else reboot with panic=, else shell, or halt if there is no shell. */
    readonly onFailure: FailurePolicy;
    /** panic=: seconds until that reboot; null if not given. */
    readonly panicSeconds: number | null;
  };
  readonly talk: {
    readonly level: "quiet" | "normal" | "debug";
    /** rd.log=: where levain's messages go. */
    readonly log: "kmsg" | "console" | "all";
  };
}

/** Returns the texts of a list whose items are texts, or false or null for those that do not apply. */
export function onlyTexts(...items: readonly (string | false | null | undefined)[]): readonly string[] {
  return items.filter((item) => typeof item === "string");
}
