import type { Settings } from "../../parameters/parameters.ts";
import type { BootPlan } from "../plan.ts";
import { decideOverlay } from "./overlay.ts";
import { decidePersistence } from "./persistence.ts";
import { decideSubmounts, decideVolatile, NO_SUBMOUNTS } from "./submounts.ts";

/** The parts of a plan that decide how the root tree is made. */
type StackParts = Pick<
  BootPlan,
  "rootWritable" | "image" | "layers" | "overlay" | "persistence" | "volatile" | "submounts"
>;

/** Of an initramfs that is the final system. */
export const NO_STACK: StackParts = {
  rootWritable: false,
  image: null,
  layers: [],
  overlay: null,
  persistence: null,
  volatile: null,
  submounts: NO_SUBMOUNTS,
};

/** Decides how the root tree is made of the root device, or of the image on it. `machine` as in `uname -m`. */
export function decideStack(settings: Settings, image: BootPlan["image"], machine: string): StackParts {
  const { layers, writable } = settings;
  const isUnwritable = image !== null || layers.length > 0;
  const volatile = decideVolatile(settings);
  const overlay = decideOverlay(settings, { isUnwritable: volatile === null && isUnwritable, machine });
  const rootWritable = writable === true && !isUnwritable && overlay === null && volatile === null;
  const persistence = decidePersistence(settings, { overlay });
  return { rootWritable, image, layers, overlay, persistence, volatile, submounts: decideSubmounts(settings) };
}
