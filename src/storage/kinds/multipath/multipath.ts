import type { BlockDevice } from "../../../devices/block-devices.ts";
import { SLOW_MS } from "../../../devices/device-probe.ts";
import { problem } from "../../../problems/problem.ts";
import type { Assembly, Round, StorageContext, StoragePlan } from "../../contract.ts";
import { createPathMaps } from "./maps.ts";
import { findMultipath, listPaths, type MultipathRun, runMultipath } from "./program.ts";

/** A program that hangs must not keep the root away: one path works without it. */
const LIMIT_MS = 30_000;
const TURN_MS = 100;
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
  const { machine, voice } = context;
  const maps = createPathMaps(context);
  const judged = new Set(maps.paths());
  let run: (MultipathRun & { readonly endsMs: number }) | null = null;

  function finish(timeoutMs: number): Round {
    if (run === null) return "idle";
    const answer = run.answer(timeoutMs);
    const leftMs = run.endsMs - machine.nowMs();
    if (answer === undefined && leftMs > 0) return { text: "multipath, which combines the paths to disks", leftMs };
    if (answer === undefined) run.stop();
    const why = answer === undefined ? `no answer for ${LIMIT_MS / 1000} s` : answer;
    if (why !== null) voice.warn(`multipath made no device of the paths to disks: ${why}; using one path to each`);
    for (const disk of run.disks) judged.add(disk);
    run = null;
    maps.adopt();
    return "changed";
  }

  const isPending = ({ name, partition }: BlockDevice) => run?.disks.includes(partition?.disk ?? name) === true;
  return {
    advance() {
      if (run !== null) return finish(0);
      const disks = listPaths(machine);
      if (disks.every((disk) => judged.has(disk))) return "idle";
      run = { ...runMultipath(context, program, disks), endsMs: machine.nowMs() + LIMIT_MS };
      return finish(SLOW_MS);
    },
    links: maps.links,
    state(device) {
      const state = maps.state(device);
      return state === null && isPending(device)
        ? { kind: "incomplete", text: "multipath has not answered yet" }
        : state;
    },
    isShown: (device) => isPending(device) || maps.state(device) !== null,
    dueMs: () => (run === null ? Number.POSITIVE_INFINITY : machine.nowMs() + TURN_MS),
    close: () => run?.stop(),
  };
}
