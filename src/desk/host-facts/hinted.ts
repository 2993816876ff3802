import type { DriverStep, Hints, Volume } from "../hints/schema.ts";
import type { DriverNeed, HostNeeds, StackLayer } from "./needs.ts";

/** By the kind of a volume: the modules that make it, besides the device mapper itself. */
const MODULES: Readonly<Record<Volume["kind"], readonly string[]>> = {
  luks: ["dm_crypt"],
  plain: ["dm_crypt"],
  integrity: ["dm_integrity"],
  verity: ["dm_verity"],
  lvm: ["dm_mod"],
  multipath: ["dm_multipath"],
  mapping: ["dm_mod"],
  md: [],
  bcache: ["bcache"],
  loop: ["loop"],
};

/** Returns what the machine needs on which `levain host` printed these hints. */
export function hintedNeeds({ volumes, disks, keyboards }: Hints): HostNeeds {
  const needs = disks.flatMap(({ drivers }) => drivers.map(describeStep));
  return {
    stack: [
      ...volumes.map(describeVolume),
      ...disks.map(({ name }): StackLayer => ({ name, kind: "disk", modules: [], below: [] })),
    ],
    drivers: [...new Map(needs.map((need) => [need.device, need])).values()],
    keyboards: keyboards.map(({ drivers }) => drivers.map(describeStep)),
  };
}

function describeStep({ device, modalias, module }: DriverStep): DriverNeed {
  return { device, modalias: modalias ?? "", module };
}

function describeVolume({ device, kind, detail, on }: Volume): StackLayer {
  const isCrypt = kind === "luks" || kind === "plain";
  const level = detail !== null && /^raid[456]$/.test(detail) ? "raid456" : (detail ?? "md_mod");
  const modules = kind === "md" ? [level] : MODULES[kind];
  return { name: device, kind: isCrypt ? "crypt" : "mapped", modules, below: on };
}
