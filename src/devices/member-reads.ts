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
    /** Returns what to read the device from: it waits for a slow device the first time only. */
    sourceOf(device: BlockDevice): PatientSource {
      const read = reads.get(device);
      const source = read ?? createPatientSource(machine, device.node, {});
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
