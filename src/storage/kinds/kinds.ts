import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { Opener, Scene } from "../opener.ts";
import { createCryptOpener, type Guesses } from "./crypt/crypt.ts";
import { createPartitionOpener } from "./partitions.ts";

/** What of a plan openers obey. */
export type OpenerWish = Pick<BootPlan, "crypt" | "keymap" | "layers"> & { readonly roots: readonly DeviceSpec[] };

/** THE table of openers: each kind of storage that holds other devices is a file and a line here. Storage nests in any order, so their order says little; but who may have to ask a person comes last. */
const OPENERS: readonly ((scene: Scene, wish: OpenerWish, guesses: Guesses) => Opener)[] = [
  createPartitionOpener,
  createCryptOpener,
];

/** All openers, for one search. */
export function createOpeners(scene: Scene, wish: OpenerWish, guesses: Guesses): readonly Opener[] {
  return OPENERS.map((create) => create(scene, wish, guesses));
}
