import type { BlockDevice } from "../devices/block-devices.ts";
import type { Undo } from "../drivers/context.ts";
import type { Loader } from "../drivers/loader.ts";
import type { Deriver } from "../keys/deriver.ts";
import type { Machine } from "../machine/machine.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { BootError } from "../problems/errors.ts";
import type { Voice } from "../problems/voice.ts";
import type { HeldTerminals } from "../prompt/held-terminals.ts";

/** What openers need of the module loader. */
export interface OpenerModules extends Pick<Loader, "loadFilesystem"> {
  loadByName(name: string): unknown;
  loadByAlias(alias: string): unknown;
  /** Drivers of everything, keyboards too. */
  loadAll(): void;
}

/** What openers see of a machine whose devices come and go, and what they may use. */
export interface Scene {
  readonly machine: Machine;
  readonly modules: OpenerModules;
  readonly voice: Voice;
  readonly undo: Undo;
  /** Where a person is asked, and types while nobody asks. */
  readonly terminals: HeldTerminals;
  /** What derives keys; it ends with the search. */
  readonly deriver: Deriver;
  /** Every block device that is there. */
  devices(): readonly BlockDevice[];
  /** Those that `spec` names, what lies in an encrypted volume first. */
  find(spec: DeviceSpec): readonly BlockDevice[];
  /** Those of them that may be the root, each taken for what was opened in it. */
  matches(spec: DeviceSpec): readonly BlockDevice[];
  /** Looks at a device anew that has just been made or changed, by the kernel's name; null where nothing is there. */
  look(name: string): BlockDevice | null;
  /** Takes the uevents that wait. */
  takeEvents(): void;
}

/** An encrypted volume that a parameter names: the root has to lie in one of these. */
export interface RequiredVolume {
  /** The kernel's name of the device that holds it; null as long as it has not appeared. */
  readonly outside: string | null;
  /** The kernel's name of what was opened in it; null as long as it is locked. */
  readonly inside: string | null;
}

/** A wait for something other than the root, before which the root is not taken. */
export interface Wait {
  /** For what, in words. */
  readonly text: string;
  /** Milliseconds until it is over even if nothing comes. */
  readonly leftMs: number;
}

/** What came of a round: something is there that was not ("changed"), or something is waited for, or there is nothing to do. */
export type Round = "changed" | "idle" | Wait;

/** One kind of storage that holds other block devices: makes them of what is there, whenever a device appears. */
export interface Opener {
  /** Opens what it can. `root` is the device that the plan calls the root as things are; it may be one that has to be opened itself. Throws BootError where a person gives up. */
  open(root: BlockDevice | null): Round;
  /** The one device that was made of `device`, to be taken in its place; null where it was not opened, or is not this opener's. */
  inside(device: BlockDevice): BlockDevice | null;
  /** True where `device` is of no use before it is opened. */
  isClosed(device: BlockDevice): boolean;
  /** True where only a mount tells whether `device` was opened rightly, and it can be opened anew in another way. */
  isGuess(device: BlockDevice): boolean;
  /** What a report says of `device`: why it is not open. null where there is nothing to say. */
  describe(device: BlockDevice): string | null;
  /** The volumes that the root has to lie in: all that were asked for and cannot be missing. */
  required(): readonly RequiredVolume[];
  /** What was asked for and did not come, a sentence each. */
  missing(): readonly string[];
  /** Why the root cannot come any more, where this opener knows. */
  failure(): BootError | null;
  /** Forgets what is secret. */
  close(): void;
}

/** For an opener that makes several devices of one and never fails. */
export const SIMPLE_OPENER: Omit<Opener, "open"> = {
  inside: () => null,
  isClosed: () => false,
  isGuess: () => false,
  describe: () => null,
  required: () => [],
  missing: () => [],
  failure: () => null,
  close: () => undefined,
};
