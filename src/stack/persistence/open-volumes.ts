import type { Context } from "../../drivers/context.ts";
import { findDirectoryIn, findFileIn, makeDirectoryIn } from "../../filesystems/resolve.ts";
import { type KeptPath, parsePersistenceConf } from "../../formats/persistence-conf.ts";
import { decodeText } from "../../formats/text.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan, PersistencePlan } from "../../plan/plan.ts";
import { problem } from "../../problems/problem.ts";
import { headline, printable } from "../../problems/report.ts";
import { PARTS, type RootStack } from "../root-stack.ts";
import { type OpenStore, openStore, type StoreOrder } from "../store/open-store.ts";
import { mayFallBack, orGoOn } from "../store/policy.ts";
import { openSettled } from "../store/settled-store.ts";
import type { Candidate, MediumPlace } from "./candidates.ts";
import { describeCandidate, findVolumes } from "./find-volumes.ts";
import { joinKept, type KeptMount, type KeptVolume } from "./kept-mounts.ts";

interface OpenVolume extends KeptVolume {
  readonly store: OpenStore;
  /** The device on which it is a filesystem or a file: "/dev/…". */
  readonly host: string;
}

/** The persistence volumes, mounted, and what they keep of the root. */
export interface Persistence {
  readonly volumes: readonly OpenVolume[];
  readonly mounts: readonly KeptMount[];
}

type PersistentPlan = BootPlan & { readonly persistence: PersistencePlan };

const NOT_KEPT = "changes are not kept there";
const NOTHING: Persistence = { volumes: [], mounts: [] };

/** Finds, unlocks and mounts the persistence volumes. What cannot be used is skipped with a warning, if the policy allows that. Throws BootError. */
export function openPersistence(context: Context, plan: PersistentPlan, medium: MediumPlace): Persistence {
  const { policy, volumes } = plan.persistence;
  const open = orGoOn(context, policy, NOT_KEPT, (inner) => openVolumes(inner, plan, medium));
  if (open === null || open.mounts.length > 0) return open ?? NOTHING;
  const missing = problem("persistence-missing", { names: volumes.map(({ name }) => name) });
  if (!mayFallBack(context, policy, missing)) throw missing;
  context.voice.warn(`${headline(missing)}: changes are lost at shutdown`);
  return NOTHING;
}

function openVolumes(context: Context, plan: PersistentPlan, medium: MediumPlace): Persistence {
  const { policy } = plan.persistence;
  const volumes = findVolumes(context, plan, medium).flatMap((candidate, index) => {
    const open = (inner: Context) => openVolume(inner, plan, { candidate, index, medium });
    return orGoOn(context, policy, NOT_KEPT, open) ?? [];
  });
  const { mounts, rivalries } = joinKept(volumes);
  for (const { path, used, other, isUndecided } of rivalries) {
    if (isUndecided) throw problem("persistence-ambiguous", { volumes: [used.text, other.text] });
    context.voice.warn(`${printable(path)} is kept on ${used.text}, and not on ${other.text}, which has it too`);
  }
  return { volumes, mounts };
}

/** Returns the stack with the persistence volume as the place of all changes, if one keeps the root. */
export function withKeptRoot(
  machine: Machine,
  stack: RootStack,
  { volumes, mounts }: Persistence,
  { policy, readOnly }: PersistencePlan,
): RootStack {
  const root = mounts.find(({ path }) => path === "/");
  const opened = volumes[root?.volume ?? -1]?.store;
  if (root === undefined || opened === undefined || stack.upper?.kind !== "tmpfs") return stack;
  const { place, size } = stack.upper;
  const directory = findKeptDirectory(machine, opened.directory, root.source, readOnly);
  if (directory === null) return stack; // nothing is kept yet
  const store = { device: { by: "path", path: opened.node }, path: null, isNamedByMedium: false, options: "" } as const;
  const places = { place: directory, outer: directory, ram: { place, size } };
  const upper = { kind: "store", store, policy, reset: false, readOnly, ...places } as const;
  return { ...stack, upper: { ...upper, opened: { ...opened, directory } } };
}

/** A symbolic link on the volume leads no further than to another place on it. */
function findKeptDirectory(machine: Machine, volume: string, source: string, readOnly: boolean): string | null {
  if (source === "") return volume;
  return readOnly ? findDirectoryIn(machine, volume, source) : makeDirectoryIn(machine, volume, source);
}

interface VolumeOrder {
  readonly candidate: Candidate;
  readonly index: number;
  readonly medium: MediumPlace;
}

function openVolume(context: Context, plan: PersistentPlan, { candidate, index, medium }: VolumeOrder): OpenVolume {
  const { node, file, volume } = candidate;
  const { readOnly, upper } = plan.persistence;
  // A volume that parameters name holds the root; this one may be another, which only the user can unlock.
  const crypt = medium.isInside ? plan.crypt : { ...plan.crypt, volumes: [], everyLuks: false };
  const order: StoreOrder = {
    store: { device: { by: "path", path: node }, path: file, isNamedByMedium: false, options: "" },
    // levain sync and levain factory-reset know the places of kept changes by the beginning of these paths.
    place: `${PARTS}/store-persistence/${index}`,
    outer: `${PARTS}/store-persistence-disk/${index}`,
    access: readOnly ? "untouched" : "writable",
  };
  const text = describeCandidate(candidate);
  const list = (found: OpenStore) => readList(context.machine, candidate, found, text);
  const listBranches = (found: OpenStore) => listUppers(context.machine, found, list(found).kept, upper);
  const own = { ...plan, crypt };
  const store = readOnly ? openSettled(context, own, order, listBranches) : openStore(context, own, order);
  if (medium.isInside && !store.isInside) throw problem("partly-encrypted", { outside: [store.text] });
  const { kept, ignored } = list(store);
  for (const { line, expected } of ignored) {
    context.voice.warn(`line ${line} of persistence.conf on ${text} is ignored: expected ${expected}`);
  }
  const named = { ...store, names: { upper, work: "work" } };
  return { name: volume?.name ?? null, text, host: node, store: named, kept };
}

/** Returns the trees of changes that an open volume has or may get. */
function listUppers(
  machine: Machine,
  { directory }: OpenStore,
  kept: readonly KeptPath[],
  upper: string,
): readonly string[] {
  const unions = kept.filter(({ method }) => method === "union");
  const places = unions.map(({ source }) => (source === "" ? directory : findDirectoryIn(machine, directory, source)));
  return places.flatMap((place) => (place === null ? [] : `${place}/${upper}`));
}

const CONF = "/persistence.conf";
/** As of a list that is read at once: the volume must not decide how much memory that takes. */
const MOST_CONF_BYTES = 64 * 1024;

/** Returns what the volume keeps. Throws BootError if only its persistence.conf can say so, and there is no such file. */
function readList(
  machine: Machine,
  { volume }: Candidate,
  { directory }: OpenStore,
  text: string,
): ReturnType<typeof parsePersistenceConf> {
  if (volume?.keeps === "root") return { kept: [{ path: "/", source: "", method: "union" }], ignored: [] };
  if (volume?.keeps === "home") return { kept: [{ path: "/home", source: "", method: "bind" }], ignored: [] };
  const file = findFileIn(machine, directory, CONF);
  const bytes = file === null ? 0 : (machine.stat(file)?.size ?? 0);
  if (file === null || bytes > MOST_CONF_BYTES) throw problem("persistence-without-list", { volume: text, bytes });
  return parsePersistenceConf(decodeText(machine.readFile(file)));
}
