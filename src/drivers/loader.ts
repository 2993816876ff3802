import { takeQueuedEvents } from "../devices/device-events.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { describeGap } from "../problems/diagnoses/drivers.ts";
import { headline, printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { normalizeName } from "./index/names.ts";
import { type Loader, makeLoader } from "./make-loader.ts";
import { findModuleGap, type ImageModules, readImageModules } from "./module-source.ts";
import { findUnpackFailure } from "./unpack-failure.ts";

/** Creates the loader and loads the modules that the plan names and the first wave for the hardware. Listens for uevents from here on. */
export function createLoader(machine: Machine, wishes: BootPlan["modules"], voice: Voice): Loader {
  machine.listenForDevices();
  const image = readImageModules(machine, wishes);
  if (image === null || image.isScanned) warnOfMissingModules(machine, image, voice);
  for (const problem of image?.config.problems ?? []) voice.warn(printable(problem));
  const loader = makeLoader(machine, image, voice, wishes.blacklist.map(normalizeName));
  for (const name of wishes.load) {
    if (loader.loadByName(name) === "unknown") {
      const shown = printable(name);
      const cure = image === null ? "it contains none for this kernel" : `add it with levain image --module ${shown}`;
      voice.warn(`this image has no module ${shown}: ${cure}`);
    }
  }
  loader.coldplug();
  drainEvents(machine, loader);
  return loader;
}

/** Loads the drivers that the boot did not need, for a shell that starts before the boot has its loader. */
export function loadAllDrivers(machine: Machine, wishes: BootPlan["modules"], voice: Voice): void {
  const image = readImageModules(machine, wishes);
  const loader = makeLoader(machine, image, voice);
  loader.coldplug();
  loader.loadAll();
}

/** Creates a loader for the drivers of filesystems where the boot's own is not there: before it, and after a failure. */
export function filesystemLoader(machine: Machine, voice: Voice): Pick<Loader, "loadFilesystem" | "blocked"> {
  return makeLoader(machine, readImageModules(machine, { load: [], parameters: {}, blacklist: [] }), voice);
}

/** Rounds of events: each driver may announce devices that need another driver. */
const MOST_TURNS = 16;

/** Handles the devices that buses announced when their drivers were loaded. Disks are looked up in /sys later. */
function drainEvents(machine: Machine, loader: Loader): void {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const events = takeQueuedEvents(machine);
    if (events.length === 0) return;
    for (const event of events) loader.handleEvent(event);
    if (events.some(({ action }) => action === "overflow")) loader.coldplug();
  }
}

/** An image without modules is for a kernel that has all drivers built in; one with another kernel's modules is a mistake. */
function warnOfMissingModules(machine: Machine, image: ImageModules | null, voice: Voice): void {
  const failure = findUnpackFailure(machine);
  if (failure !== null) {
    voice.warn(`${headline(failure)}: drivers are missing`);
    return;
  }
  if (image !== null) return;
  const gap = findModuleGap(machine);
  if (gap === null || gap.kernels.length === 0) return;
  voice.warn(
    `${describeGap(gap)}: no driver can be loaded; rebuild the image with levain image --kernel ${gap.release}`,
  );
}
