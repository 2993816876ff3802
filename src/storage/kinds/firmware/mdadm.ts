import type { BlockDevice } from "../../../devices/block-devices.ts";
import { SLOW_MS } from "../../../devices/device-probe.ts";
import { encodeJson, resultOf, runWithin } from "../../../filesystems/run-apart.ts";
import type { Child, RunResult } from "../../../machine/child.ts";
import { CHILD_COMMANDS } from "../../../machine/child-commands.ts";
import { printable } from "../../../problems/report.ts";
import type { Round, StorageContext } from "../../contract.ts";

const PLACES = ["/sbin/mdadm", "/usr/sbin/mdadm", "/bin/mdadm", "/usr/bin/mdadm"];

/**
 * mdadm(8): without it, mdadm creates and changes an array of IMSM only on a machine with Intel's firmware. To start one, as on
 * another machine after a repair, does no harm. Without udev it makes the nodes.
 */
const ENVIRONMENT = { IMSM_NO_PLATFORM: "1", MDADM_NO_UDEV: "1" };

const TURN_MS = 100;
/** As long as levain waits for an array of Linux RAID to stop. */
const STOP_MS = 10_000;

interface Run {
  readonly child: Child;
  /** The disk that it was given, or the container that it was to start. */
  readonly about: BlockDevice | string;
}

/** mdadm of the image, which runs in another process, one run after the other. */
export interface Mdadm {
  isThere(): boolean;
  hasSeen(device: BlockDevice): boolean;
  /** Gives it a disk, after the run before. */
  add(device: BlockDevice): Round;
  /** Has it start what a container has, though a member is missing. */
  force(container: string): Round;
  /** True for a container that it was not yet told to start so. */
  canForce(container: string): boolean;
  /** Continues a run. */
  advance(): Round;
  /** Why the arrays on a disk are not started; null if its members are not all there. */
  whyNot(device: BlockDevice): string | null;
  dueMs(): number;
  /** Has it stop arrays, by the kernel's names, and waits for that. */
  stop(names: readonly string[]): void;
  close(): void;
}

/** Creates what runs mdadm for one search. */
export function createMdadm(context: StorageContext): Mdadm {
  const { machine, takeEvents, voice } = context;
  const path = PLACES.find((place) => machine.stat(place)?.kind === "file") ?? null;
  const seen = new Set<BlockDevice>();
  const forced = new Set<string>();
  const refused = new Map<BlockDevice | string, string>();
  let run: Run | null = null;

  function start(about: Run["about"], args: readonly string[]): Round {
    if (run !== null) return finish(0);
    const child = machine.startChild(CHILD_COMMANDS.run);
    child.order(encodeJson({ argv: [path ?? "", "--incremental", ...args], environment: ENVIRONMENT }));
    run = { child, about };
    return finish(SLOW_MS);
  }

  function finish(timeoutMs: number): Round {
    if (run === null) return "idle";
    const news = run.child.answer(timeoutMs);
    if (news.kind === "busy") return "idle";
    const { child, about } = run;
    run = null;
    child.stop();
    note(about, resultOf(news));
    takeEvents();
    return "changed";
  }

  function note(about: Run["about"], { status, output }: RunResult): void {
    const text = printable(lastLine(output));
    voice.debug(`mdadm, ${typeof about === "string" ? about : about.node}: status ${status}, ${text}`);
    if (status !== 0) refused.set(about, text === "" ? `mdadm ended with status ${status}` : `mdadm: ${text}`);
  }

  return {
    isThere: () => path !== null,
    hasSeen: (device) => seen.has(device),
    add(device) {
      if (run === null) seen.add(device);
      return start(device, [device.node]);
    },
    force(container) {
      if (run === null) forced.add(container);
      return start(container, ["--run", `/dev/${container}`]);
    },
    canForce: (container) => !forced.has(container),
    advance: () => finish(0),
    whyNot(device) {
      if (run?.about === device) return "mdadm has not answered yet";
      return refused.get(device) ?? null;
    },
    dueMs: () => (run === null ? Number.POSITIVE_INFINITY : machine.nowMs() + TURN_MS),
    stop(names) {
      const argv = [path ?? "", "--stop", ...names.map((name) => `/dev/${name}`)];
      const result = runWithin(context, { argv, environment: ENVIRONMENT }, STOP_MS);
      if (result?.status !== 0)
        voice.warn(`mdadm did not stop ${names.join(" and ")}: ${printable(lastLine(result?.output ?? "no answer"))}`);
    },
    close() {
      run?.child.stop();
      run = null;
    },
  };
}

function lastLine(output: string): string {
  const line = output.trim().split("\n").at(-1) ?? "";
  return line.replace(/^mdadm: /, "");
}
