import type { CryptSettings, PlainFormat } from "../parameters/crypt/place.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { MemoryRoot } from "../parameters/sources/memory-root.ts";
import type { OverlayPlan, StorePlan, StorePolicy } from "../parameters/stack/overlay.ts";
import type { ExtraMount, TmpfsPlan } from "../parameters/stack/submounts.ts";
import type { LayerPlan } from "../parameters/values.ts";
import type { AssembledPlan } from "./assembled.ts";
import type { ChecksPlan } from "./checks/plan.ts";
import type { FetchedParts } from "./downloads/plan.ts";
import type { HandoverPlan } from "./handover/handover.ts";
import type { NetworkPlan } from "./network/plan.ts";
import type { RemoteParts } from "./remote/plan.ts";
import type { RescuePlan } from "./rescue-plan.ts";
import type { ResumePlan } from "./resume/plan.ts";
import type { RootSource } from "./root.ts";
import type { SlotsPlan } from "./slots.ts";
import type { VerityPlan } from "./verity/volumes.ts";

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
  /** Where the files are unpacked; left out if they are no archives but images. */
  readonly memory?: MemoryRoot;
}

/** A volume that keeps changes, known by its name. */
export interface PersistenceVolume {
  readonly name: string;
  /** "listed": what its persistence.conf lists; "root": all changes; "home": it is mounted at /home. */
  readonly keeps: "listed" | "root" | "home";
}

/** Volumes that keep the changes of a live medium: live-boot's persistence, casper's persistent. */
export interface PersistencePlan {
  /** Of two that keep the same, the first counts. */
  readonly volumes: readonly PersistenceVolume[];
  /** The directory of a volume for the changes to the root, beside "work". */
  readonly upper: "rw" | "upper";
  /** A volume may be a filesystem with the name, or a partition with it. */
  readonly inFilesystems: boolean;
  /** What with the name in the directory `path` of a filesystem is a volume: an image file, a directory, both, or neither. */
  readonly inside: readonly ("file" | "directory")[];
  readonly path: string;
  readonly among: "all" | "removable" | "usb";
  readonly unencrypted: boolean;
  readonly encrypted: boolean;
  /** What happens if there is no volume, or if one cannot be used. */
  readonly policy: StorePolicy;
  /** What they hold is shown, and changes go to memory. */
  readonly readOnly: boolean;
}

/** What is mounted below the root before the real init starts. */
export interface SubmountsPlan {
  /** null: as /etc/fstab of the root says. */
  readonly usr: UsrPlan | null;
  /** rd.fstab=: whether the lines of /etc/fstab of the root for /usr, and those with x-initrd.mount, are mounted. */
  readonly fstab: boolean;
  /** As lines of /etc/fstab, before those of the root. */
  readonly extra: readonly ExtraMount[];
  /** No two for one path. */
  readonly tmpfs: readonly TmpfsPlan[];
  /** No two for one path. */
  readonly unions: readonly UnionPlan[];
}

/** A root that is a tmpfs, with the /usr of the root device. */
export interface VolatilePlan {
  /** As for tmpfs; null for the kernel's default. */
  readonly size: string | null;
}

/** A directory of the root below a tmpfs. */
export interface UnionPlan extends TmpfsPlan {
  /** The place on a disk with the changes of earlier boots, between the two; null if there is none. */
  readonly store: StorePlan | null;
  /** What happens if that cannot be opened. */
  readonly policy: StorePolicy;
  /** True if nothing is written to its device. */
  readonly readOnly: boolean;
}

/** How /usr is mounted, as mount.usr= and the like say. */
export interface UsrPlan {
  /** null: that of the line in /etc/fstab of the root, or the root device if the options name a subvolume. */
  readonly device: DeviceSpec | null;
  /** In the order to try; empty: as probed. */
  readonly types: readonly string[];
  /** Comma-separated. */
  readonly options: string;
}

/** All decisions of a boot, made before its first step. Plain data: printable, comparable. */
export interface BootPlan extends AssembledPlan, FetchedParts, RemoteParts {
  readonly root: RootSource;
  /** null without rd.slots=, and if a person has named another root. */
  readonly slots: SlotsPlan | null;
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
  readonly persistence: PersistencePlan | null;
  /** systemd.volatile=yes: a root in memory; null if the root device or what is stacked on it is the root. */
  readonly volatile: VolatilePlan | null;
  readonly submounts: SubmountsPlan;
  /** What is unlocked before the search for the root. */
  readonly crypt: CryptPlan;
  readonly resume: ResumePlan;
  /** Whether and how the network is brought up before the search for the root. */
  readonly network: NetworkPlan;
  /** What dm-verity verifies: nothing else becomes a part of the root then. */
  readonly verity: VerityPlan;
  /** Which checks of whole files come before an image is used. */
  readonly checks: ChecksPlan;
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
  readonly handover: HandoverPlan;
  /** rd.watchdog=: the time in which the watchdog must be fed; null: it is left alone. */
  readonly watchdogSeconds: number | null;
  readonly rescue: RescuePlan;
  readonly talk: {
    readonly level: "quiet" | "normal" | "debug";
    /** rd.log=: where levain's messages go. */
    readonly log: "kmsg" | "console" | "all";
  };
}
