import { problem } from "../../../problems/problem.ts";
import type { Assembly, StorageContext, StoragePlan } from "../../contract.ts";
import { createPathMaps } from "./maps.ts";
import { findMultipath, listPaths, runMultipath } from "./program.ts";

/** A program that hangs must not keep the root away: one path works without it. */
const LIMIT_MS = 30_000;
/** The boots in which it hung, by their drivers: each further search would wait as long. */
const hung = new WeakSet<StorageContext["drivers"]>();
/** The names of multipath-tools with user_friendly_names. */
const FRIENDLY = /^\/dev\/(?:mapper\/|disk\/by-id\/dm-name-)mpath[a-z]+(?:-part\d+|p?\d+)?$/;

/**
 * Has multipath(8) of the image make a device of the paths to each disk, by its own configuration, before anything else uses a path.
 * Without the program one path is used (`createDiskPaths`).
 */
export function startMultipath(
  context: StorageContext,
  { multipath, roots }: Pick<StoragePlan, "multipath" | "roots">,
): Assembly {
  if (multipath.isOff) return { advance: () => "idle" };
  const program = findMultipath(context.machine);
  if (program !== null) return combinePaths(context, program);
  const isNamed = roots.some((spec) => spec.by === "path" && FRIENDLY.test(spec.path));
  const trouble = { error: problem("no-multipath", {}), isFatal: false, isCause: true };
  return { advance: () => "idle", problems: () => (isNamed ? [trouble] : []) };
}

function combinePaths(context: StorageContext, program: string): Assembly {
  const { machine, voice, drivers } = context;
  const maps = createPathMaps(context);
  const judged = new Set(maps.paths());
  return {
    advance() {
      const disks = hung.has(drivers) ? [] : listPaths(machine);
      if (disks.every((disk) => judged.has(disk))) return "idle";
      // All else waits: what has opened a path keeps it from multipath.
      const answer = runMultipath(context, program, disks, LIMIT_MS);
      if (answer === undefined) hung.add(drivers);
      const why = answer === undefined ? `no answer for ${LIMIT_MS / 1000} s` : answer;
      if (why !== null) voice.warn(`multipath made no device of the paths to disks: ${why}; using one path to each`);
      for (const disk of disks) judged.add(disk);
      maps.adopt();
      return "changed";
    },
    links: maps.links,
    state: maps.state,
    isShown: (device) => maps.state(device) !== null,
  };
}
