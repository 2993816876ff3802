import type { ReadPlace } from "../machine/async.ts";
import type { Machine } from "../machine/machine.ts";
import type { BlockDevice } from "./block-devices.ts";
import { SLOW_MS } from "./device-probe.ts";
import { createPatientSource, type PatientSource } from "./patient-source.ts";

/** Reads of members of arrays and groups, which go on until the device has answered. */
export function createMemberReads(machine: Machine) {
  const reads = new Map<BlockDevice, PatientSource>();
  const stop = (device: BlockDevice) => {
    reads.get(device)?.close();
    reads.delete(device);
  };
  return {
    /** Returns what to read the device from, most likely at the places `first`: it waits for a slow device the first time only. */
    sourceOf(device: BlockDevice, first: readonly ReadPlace[] = []): PatientSource {
      const read = reads.get(device);
      const source = read ?? createPatientSource(machine, device.node, { first, isBrief: first.length > 0 });
      reads.set(device, source);
      source.allow(read === undefined ? SLOW_MS : 0, "all answers");
      return source;
    },
    stop,
    /** Ends the reads of devices that are not among these. */
    keepOnly(devices: readonly BlockDevice[]): void {
      for (const device of [...reads.keys()]) if (!devices.includes(device)) stop(device);
    },
  };
}
