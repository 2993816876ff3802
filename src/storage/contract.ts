import type { BlockDevice } from "../devices/block-devices.ts";
import type { Context } from "../drivers/context.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { BootPlan } from "../plan/plan.ts";
import type { VerityVolume } from "../plan/verity/volumes.ts";
import type { VainSearch } from "../problems/diagnoses/storage.ts";
import type { BootError } from "../problems/errors.ts";
import type { HeldTerminals } from "../prompt/held-terminals.ts";

/** What a plan says of all storage: what may be opened, and for how long it is waited for. */
export type OpeningPlan = Pick<
  BootPlan,
  "rootTimeoutMs" | "crypt" | "arrays" | "lvm" | "integrity" | "multipath" | "remote" | "keymap"
>;

/** The part of a plan that storage obeys: which device is wanted, for how long, and what has to be opened before it. */
export interface StoragePlan extends OpeningPlan, Pick<BootPlan, "rootOptions" | "image" | "layers"> {
  /** The wanted device, then each fallback. */
  readonly roots: readonly DeviceSpec[];
  /** The volumes that dm-verity verifies, and that the device has to lie in. */
  readonly verity: readonly VerityVolume[];
  /** True before a resume: nothing begins that changes a filesystem, and what the kernel writes to when it is activated comes last. */
  readonly isForResume?: boolean;
  /** What the device is a part of, for a report; the root by default. */
  readonly part?: VainSearch["wanted"];
}

/** How often the user was asked in vain, by what was asked for. It outlives a search: a mount that fails may mean a wrong passphrase. */
export type Tries = Map<string, number>;

/** The context of a search: what a kind of storage sees of a machine whose devices come and go, and what it may use. */
export interface StorageContext extends Context {
  /** Where the user is asked, and types while no prompt is open. */
  readonly terminals: HeldTerminals;
  readonly tries: Tries;
  /** Every block device that is present and can be used, those in an encrypted volume first: before what anyone may have plugged in. */
  devices(): readonly BlockDevice[];
  /** Those of `devices`, and what shows a part of something else, as `Assembly.isShown` says. */
  present(): readonly BlockDevice[];
  named(name: string): BlockDevice | null;
  find(spec: DeviceSpec): readonly BlockDevice[];
  /** Those of them that may be a part of the root, each replaced by what was opened in it. */
  matches(spec: DeviceSpec): readonly BlockDevice[];
  /** All devices that may belong to the same filesystem as `device`, itself included. */
  companions(device: BlockDevice): readonly BlockDevice[];
  /** The state of a device as its assembly sees it; null if none knows it. */
  state(device: BlockDevice): DeviceState | null;
  /** True if every device has answered. */
  isSettled(): boolean;
  /** Probes a device that was just made or changed, by the kernel's name, and waits for it; null if it is gone. */
  look(name: string): BlockDevice | null;
  /** Handles the uevents that are queued. */
  takeEvents(): void;
  /** Called before the kernel is asked for something that makes it write to a disk. Throws what ends the search if a hibernated system may use the disk. */
  beforeWriting(): void;
}

/** Says what `to` was made of, by the kernel's names: partitions are 1 to N, LUKS is 1 to 1, RAID is N to 1, LVM is N to M. */
export interface Link {
  readonly from: readonly string[];
  /** null: no device of its own. The devices are members of one filesystem, the most suitable first, and any of them is mounted for all. */
  readonly to: string | null;
  /** True if a spec that names one of `from` means `to`: so for a LUKS volume, but not for the disk of a partition. */
  readonly isReplacement: boolean;
}

/** The state of one device; `text` is for a report, safe to print. */
export type DeviceState =
  /** It is open: its content is another device. `closes`: the failure of the step closes it again. */
  | { readonly kind: "open"; readonly text: string; readonly closes: boolean }
  /** It is open, but only a mount can prove that it was opened correctly; it can be opened again in another way. `doubt` says what may be wrong. */
  | { readonly kind: "unproven"; readonly text: string; readonly closes: boolean; readonly doubt: string }
  /** It is of no use before it is opened. `isWanted`: a parameter asks for that. */
  | { readonly kind: "closed"; readonly isWanted: boolean; readonly text: string }
  /** A parameter asks to open it, but it may be used as it is as well. */
  | { readonly kind: "unopened"; readonly text: string }
  /** Other members are missing, or the members present must not be used: then no further one would help. */
  | { readonly kind: "incomplete"; readonly text: string; readonly isRefused?: boolean };

/** A volume that the root has to lie in: in one of the encrypted ones that parameters name, and in the verified one. */
export interface RequiredVolume {
  /** The kernel's name of the device that holds it; null until it appears. */
  readonly outside: string | null;
  /** The kernel's name of what was opened in it; null while it is locked. */
  readonly inside: string | null;
  /** True if dm-verity verifies it; false if it is encrypted. */
  readonly isVerified: boolean;
}

/** A wait for something other than the root, which ends before the root is accepted. */
export interface Wait {
  /** What is missing, in words. */
  readonly text: string;
  /** Milliseconds until the wait ends even if nothing appears. */
  readonly leftMs: number;
}

/** The result of a round: a device was made or changed, there is nothing to do, or something has to appear first. */
export type Round = "changed" | "idle" | Wait;

/** Why something that was asked for did not come. */
export interface Trouble {
  readonly error: BootError;
  /** True if waiting any longer is in vain. */
  readonly isFatal: boolean;
  /** True if the device that is looked for comes from there, so that its hints count, not those about disks and their drivers. */
  readonly isCause?: boolean;
}

/** One kind of storage at work in one search. What it does not define, it has no part in. */
export interface Assembly {
  /** Does what can be done now. `candidate` is the device that the plan calls the root at present; it may be closed or incomplete. Throws BootError if the user gives up. */
  advance(candidate: BlockDevice | null): Round;
  /** Called when the root has not appeared for long: from now on what could find it in the wrong place may be tried too. */
  lastResort?(): void;
  links?(): readonly Link[];
  /** null for a device of another kind. Changes nothing. */
  state?(device: BlockDevice): DeviceState | null;
  /** True for a device that only shows a part of another one, which is used in its place. */
  isShown?(device: BlockDevice): boolean;
  problems?(): readonly Trouble[];
  /** The time at which it wants to go on even if nothing appears, as `Clock.nowMs`; infinite by default. */
  dueMs?(): number;
  /** What it has asked and who has not answered, in words, for the line about the wait. */
  seen?(): readonly string[];
  /** The volumes that the root has to lie in: all that parameters name and do not call optional. */
  required?(): readonly RequiredVolume[];
  /** Called before `device` is mounted: makes sure that the kernel uses nothing for it but its companions. */
  claim?(device: BlockDevice): void;
  /** What mount(2) takes for the device and its companions; null if that is the node of the device. */
  mountSource?(device: BlockDevice): string | null;
  /** Stops what it has started and `claim` does not keep, unless something uses it. Called before all `close` and after them: storage nests in any order. */
  stopUnused?(): void;
  /** Ends what still runs for it, and wipes what is secret. */
  close?(): void;
}

/** Starts a kind of storage for one search. */
export type StorageKind = (context: StorageContext, plan: StoragePlan) => Assembly;
