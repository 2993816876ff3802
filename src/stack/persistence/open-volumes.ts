import type { Context } from "../../drivers/context.ts";
import { findFileIn } from "../../filesystems/resolve.ts";
import { type KeptPath, parsePersistenceConf } from "../../formats/persistence-conf.ts";
import { decodeText } from "../../formats/text.ts";
import type { StorePolicy } from "../../parameters/stack/overlay.ts";
import type { BootPlan, PersistencePlan } from "../../plan/plan.ts";
import { problem } from "../../problems/problem.ts";
import { headline, printable, sentence } from "../../problems/report.ts";
import { PARTS, type RootStack } from "../root-stack.ts";
import { type OpenStore, openStore } from "../store/open-store.ts";
import { attempt, isReported, mayFallBack } from "../store/policy.ts";
import type { Candidate, MediumPlace } from "./candidates.ts";
import { describeCandidate, findVolumes } from "./find-volumes.ts";
import { joinKept, type KeptMount, type KeptVolume } from "./kept-mounts.ts";

/** A persistence volume that is mounted. */
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

/** Finds, unlocks and mounts the persistence volumes. A volume that cannot be used is skipped with a warning, if the policy allows that. Throws BootError. */
export function openPersistence(context: Context, plan: PersistentPlan, medium: MediumPlace): Persistence {
  const { voice } = context;
  const { policy } = plan.persistence;
  const candidates = orSkip(context, policy, () => findVolumes(context, plan, medium)) ?? [];
  const volumes = candidates.flatMap((candidate, index) => {
    const open = () => attempt(context, (inner) => openVolume(inner, plan, { candidate, index, medium }));
    return orSkip(context, policy, open) ?? [];
  });
  const { mounts, rivalries } = joinKept(volumes);
  for (const { path, used, other, isUndecided } of rivalries) {
    if (isUndecided) throw problem("persistence-ambiguous", { volumes: [used.text, other.text] });
    voice.warn(`${printable(path)} is kept on ${used.text}, and not on ${other.text}, which has it too`);
  }
  if (mounts.length > 0) return { volumes, mounts };
  const names = plan.persistence.volumes.map(({ name }) => name);
  const missing = problem("persistence-missing", { names });
  if (!mayFallBack(context, policy, missing)) throw missing;
  voice.warn(`${headline(missing)}: changes are lost at shutdown`);
  return { volumes: [], mounts: [] };
}

/** Returns the stack with the persistence volume as the place of all changes, if one keeps the root. */
export function withKeptRoot(stack: RootStack, { volumes, mounts }: Persistence, plan: PersistencePlan): RootStack {
  const root = mounts.find(({ path }) => path === "/");
  const opened = volumes[root?.volume ?? -1]?.store;
  if (root === undefined || opened === undefined || stack.upper?.kind !== "tmpfs") return stack;
  const { policy, readOnly } = plan;
  const { place, size } = stack.upper;
  const store = { device: { by: "path", path: opened.node }, path: null, isNamedByMedium: false, options: "" } as const;
  const directory = `${opened.directory}${root.source}`;
  const places = { place: directory, outer: directory, ram: { place, size } };
  const upper = { kind: "store", store, policy, reset: false, readOnly, ...places } as const;
  return { ...stack, upper: { ...upper, opened: { ...opened, directory } } };
}

/** Returns null, after a warning, for what the boot can do without. */
function orSkip<T>(context: Context, policy: StorePolicy, act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (!isReported(error) || !mayFallBack(context, policy, error)) throw error;
    context.voice.warn(`${sentence(error)}: changes are not kept there`);
    return null;
  }
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
  const store = openStore(
    context,
    { ...plan, crypt },
    {
      store: { device: { by: "path", path: node }, path: file, isNamedByMedium: false, options: "" },
      // levain sync and levain factory-reset know the places of kept changes by the beginning of these paths.
      place: `${PARTS}/store-persistence/${index}`,
      outer: `${PARTS}/store-persistence-disk/${index}`,
      access: readOnly ? "untouched" : "writable",
    },
  );
  if (medium.isInside && !store.isInside) throw problem("partly-encrypted", { outside: [store.text] });
  const text = describeCandidate(candidate);
  const named = { ...store, names: { upper, work: "work" } };
  return {
    name: volume?.name ?? null,
    text,
    host: node,
    store: named,
    kept: readKept(context, candidate, store, text),
  };
}

const CONF = "/persistence.conf";
/** As of a list that is read at once: the volume must not decide how much memory that takes. */
const MOST_CONF_BYTES = 64 * 1024;

/** Returns what the volume keeps. Throws BootError if only its persistence.conf can say so, and there is no such file. */
function readKept(
  { machine, voice }: Context,
  { volume }: Candidate,
  { directory }: OpenStore,
  text: string,
): readonly KeptPath[] {
  if (volume?.keeps === "root") return [{ path: "/", source: "", method: "union" }];
  if (volume?.keeps === "home") return [{ path: "/home", source: "", method: "bind" }];
  const file = findFileIn(machine, directory, CONF);
  const bytes = file === null ? 0 : (machine.stat(file)?.size ?? 0);
  if (file === null || bytes > MOST_CONF_BYTES) throw problem("persistence-without-list", { volume: text, bytes });
  const { kept, ignored } = parsePersistenceConf(decodeText(machine.readFile(file)));
  for (const { line, expected } of ignored) {
    voice.warn(`line ${line} of persistence.conf on ${text} is ignored: expected ${expected}`);
  }
  return kept;
}
