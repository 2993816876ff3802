import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { LAST_WAVE, waveOf } from "../../drivers/waves.ts";
import { describeNoFilesystem, unsupportedLayer } from "../../formats/contents.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { SearchCause } from "../../problems/causes/search.ts";
import type { VainSearch } from "../../problems/diagnoses/storage.ts";
import { createNamer } from "../inventory.ts";
import type { Search } from "../search.ts";
import { findDriverCauses } from "./driver-causes.ts";
import { findNearMisses, findOnlyRoot } from "./near-misses.ts";

type Found = Omit<SearchCause, "parameter">;

interface Vain {
  readonly context: Pick<Context, "machine" | "drivers">;
  readonly search: Pick<Search, "inventory" | "unsearched" | "state" | "matches">;
  readonly specs: readonly DeviceSpec[];
}

const PARAMETERS: Readonly<Record<VainSearch["wanted"], string>> = {
  root: "root=",
  layer: "rd.layer=",
  image: "",
  submount: "mount.usr= or /etc/fstab of the root",
  store: "rd.overlay=",
};

/** Returns what may be the reason that none of `specs` was found, the likeliest first. */
export function findSearchCauses(vain: Vain, wanted: VainSearch["wanted"]): readonly SearchCause[] {
  if (wanted === "image") return [];
  const devices = [...vain.search.inventory.values()];
  const name = createNamer(vain.context.machine, vain.search.inventory);
  const near = vain.specs.flatMap((spec) => findNearMisses(spec, devices, name));
  const found = [
    ...findBlocked(vain),
    ...near,
    ...(near.length === 0 && wanted === "root" && vain.specs.some(({ by }) => by === "uuid")
      ? findOnlyRoot(devices)
      : []),
    ...findDriverCauses(vain.context.machine, devices.length > 0),
    ...findUnsearched(vain),
    ...findUnreadable(devices),
    ...findAmbivalent(devices),
    ...findIncomplete(vain, devices),
    ...findLayers(devices),
  ];
  return found.map((cause) => ({ ...cause, parameter: PARAMETERS[wanted] }));
}

/** The drivers that may bring a disk: those of the first waves. */
function findBlocked({ context: { drivers } }: Vain): readonly Found[] {
  const ofDisks = drivers.blocked().filter(({ path }) => path !== null && waveOf(path) < LAST_WAVE);
  return ofDisks.map(({ module, by, place }) => ({ kind: "blacklist", subject: module, detail: [by, place] }));
}

function findUnsearched({ search, specs }: Vain): readonly Found[] {
  if (!specs.some(({ by }) => by === "file")) return [];
  return search.unsearched().map(({ text, why, drivers }) => {
    return { kind: "unsearched", subject: text, detail: [why, ...drivers] };
  });
}

/** An optical drive is unreadable without a disc. */
function findUnreadable(devices: readonly BlockDevice[]): readonly Found[] {
  const failing = devices.filter(({ unreadable, name }) => unreadable !== null && !/^sr\d/.test(name));
  return failing.map(({ node }) => ({ kind: "unreadable", subject: node, detail: [] }));
}

function findAmbivalent(devices: readonly BlockDevice[]): readonly Found[] {
  const isFilesystem = (type: string) => describeNoFilesystem(type) === null;
  return devices.flatMap(({ node, facts: { ambivalent } }) => {
    const types = [...ambivalent.filter(isFilesystem), ...ambivalent.filter((type) => !isFilesystem(type))];
    return types.length === 0 ? [] : [{ kind: "ambivalent" as const, subject: node, detail: types }];
  });
}

/** One for each array, however many of its members are there; a member that was asked for is a reason already. */
function findIncomplete({ search, specs }: Vain, devices: readonly BlockDevice[]): readonly Found[] {
  const causeOf = (device: BlockDevice): Found | readonly [] => {
    const known = search.state(device);
    if (known?.kind !== "incomplete") return [];
    return { kind: known.isRefused === true ? "refused" : "incomplete", subject: known.text, detail: [] };
  };
  const said = specs.flatMap((spec) => search.matches(spec).slice(0, 1).flatMap(causeOf));
  const isNew = ({ subject }: Found) => !said.some((one) => one.subject === subject);
  return [...new Map(devices.flatMap(causeOf).map((found) => [found.subject, found])).values()].filter(isNew);
}

/** One for each layer, however many members it has. */
function findLayers(devices: readonly BlockDevice[]): readonly Found[] {
  const members = devices.map(({ node, facts }) => ({ node, layer: unsupportedLayer(facts.type) }));
  const layers = new Set(members.flatMap(({ layer }) => layer ?? []));
  return [...layers].map((layer) => {
    const nodes = members.filter((member) => member.layer === layer).map(({ node }) => node);
    return { kind: "layer", subject: nodes.join(" and "), detail: [layer] };
  });
}
