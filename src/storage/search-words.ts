import { type DeviceSpec, formatDeviceSpec } from "../parameters/device-spec.ts";
import { printable } from "../problems/report.ts";

/** Returns the spec as the command line spells it, safe to print. */
export function specText(spec: DeviceSpec): string {
  return printable(formatDeviceSpec(spec));
}

const NOUNS: Readonly<Record<"label" | "uuid" | "partlabel" | "partuuid", string>> = {
  label: "device with label",
  uuid: "device with UUID",
  partlabel: "partition named",
  partuuid: "partition with PARTUUID",
};

/** Returns what the spec names, as a noun: `device with label "ROOT"`. */
export function describeSpec(spec: DeviceSpec): string {
  switch (spec.by) {
    case "path":
    case "number":
    case "sibling":
    case "luks":
      return `device ${specText(spec)}`;
    case "file": {
      const noun = { all: "device", removable: "removable device", usb: "USB device" }[spec.among];
      const mark = spec.mark === undefined ? "" : ` of the medium ${spec.mark.uuid}`;
      return `${noun} with ${printable(`${spec.paths.join(" or ")}${mark}`)}`;
    }
    case "discoverable":
      return spec.esp === null
        ? "root partition (the boot loader does not say which disk it is on: no LoaderDevicePartUUID)"
        : `partition of type ${spec.type} on the disk of the EFI partition ${printable(spec.esp)}`;
    default:
      return `${NOUNS[spec.by]} "${specText(spec).replace(/^[A-Z]+=/, "")}"`;
  }
}
