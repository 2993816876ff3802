import { runBoot } from "../../src/boot/session.ts";
import { parseMountInfo } from "../../src/filesystems/mounts.ts";
import type { BootRecord } from "../../src/log/boot-record.ts";
import type { Handover } from "../../src/machine/handover.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { BootError } from "../../src/problems/errors.ts";
import { startMenu } from "../../src/rescue/commands/menu/menu.ts";
import type { FakeTree } from "./fake-files.ts";
import { type FakeImage, fakeImage } from "./fake-images.ts";
import { type FakeMachine, type FakeMachineOptions, fakeMachine } from "./fake-machine.ts";
import { Ended, type FakeProgram } from "./fake-processes.ts";

/** What the user does in each shell, in order; after the last of them the user switches the machine off. */
export type Person = readonly ((machine: FakeMachine, environment: Readonly<Record<string, string>>) => void)[];

export interface FakeBootOptions extends FakeMachineOptions {
  readonly person?: Person;
  /** What is done to the machine before it boots: refusals, mostly. */
  readonly before?: (machine: FakeMachine) => void;
}

export interface FakeBoot {
  readonly machine: FakeMachine;
  /** How it ended: the handover to the real init, or what was done with the machine. */
  readonly end: Handover | "reboot" | "poweroff" | "halt" | "resume" | "reset" | "waits for ever";
  /** What changed something, without the writing of the record. */
  readonly journal: readonly string[];
  /** All that was said on the console, each line of the narration unwrapped. */
  readonly console: string;
  /** The last record that was written. */
  readonly record: BootRecord;
  /** How many shells there were. */
  readonly shells: number;
  /** Milliseconds since the kernel started when the end came. */
  readonly endMs: number;
  /** What was mounted when it was handed over: "/sysroot ext4 /dev/vda", sorted. */
  readonly mounts: readonly string[];
}

const BUSYBOX = "/bin/busybox";
const MODULES = "/lib/modules/6.1.0-fake";

/** The head of a program for this machine: ELF, little-endian, EM_X86_64. */
export const ELF = new Uint8Array(64);
ELF.set(Buffer.from("\x7fELF\x02\x01\x01", "latin1"));
ELF.set([2, 0, 62, 0], 16);

export const ROOT_TREE: FakeTree = {
  "/sbin/init": { data: ELF, mode: 0o755 },
  "/usr/lib/systemd/systemd-udevd": { data: ELF, mode: 0o755 },
  ...Object.fromEntries(["/dev", "/proc", "/sys", "/run"].map((path) => [path, { directory: true as const }])),
};

export function rootImage(label = "ROOT", changes: FakeTree = {}): FakeImage {
  return fakeImage("ext4", { label, uuid: "0a1b2c3d-0000-4000-8000-00000000abcd" }, { ...ROOT_TREE, ...changes });
}

/** A stick: vfat, labelled FLASH, with a squashfs of a root at /newroot.sfs; and that squashfs, for `images`. */
export function stick(tree: FakeTree = ROOT_TREE): { readonly disk: FakeImage; readonly squashfs: FakeImage } {
  const squashfs = fakeImage("squashfs", {}, tree);
  const files = { "/newroot.sfs": squashfs.bytes, "/LiveOS/squashfs.img": squashfs.bytes };
  return { disk: fakeImage("vfat", { label: "FLASH", uuid: "F1A5-4000" }, files), squashfs };
}

/** An initramfs as `levain image` makes it, in short: BusyBox, and overlayfs and loop as modules. */
export const INITRAMFS: FakeTree = {
  "/init": { data: ELF, mode: 0o755 },
  [BUSYBOX]: { data: ELF, mode: 0o755 },
  [`${MODULES}/modules.dep`]: "kernel/fs/overlay.ko:\nkernel/drivers/block/loop.ko:\n",
  [`${MODULES}/modules.alias`]: "alias fs-overlay overlay\n",
  [`${MODULES}/kernel/fs/overlay.ko`]: "module",
  [`${MODULES}/kernel/drivers/block/loop.ko`]: "module",
};

/** Boots a fake machine with `INITRAMFS` until it has come to an end. */
export function fakeBoot(options: FakeBootOptions = {}): FakeBoot {
  let shells = 0;
  let endMs = Number.NaN;
  const shell: FakeProgram = ({ argv, environment }) => {
    if (argv[1] !== "sh") return {};
    const turn = options.person?.[shells];
    shells += 1;
    endMs = machine.nowMs();
    if (turn === undefined) machine.power("poweroff");
    else turn(machine, environment);
    return {};
  };
  const machine = fakeMachine({
    filesystems: ["ext4", "vfat", "squashfs"],
    modules: {
      overlay: { filesystems: ["overlay"] },
      loop: { nodes: { "/loop-control": { node: "character", number: "10:237" } } },
    },
    ...options,
    files: { ...INITRAMFS, ...options.files },
    programs: { [BUSYBOX]: shell, "/init": (call) => runSelf(machine, call), ...options.programs },
  });
  const quietly = { ...machine }; // as it is before a test refuses anything
  options.before?.(machine);
  let record: BootRecord | null = null;
  let mounts: readonly string[] = [];
  const end = bootToEnd({
    ...watchRecord(machine, (written) => {
      record = written;
    }),
    sleepMs(ms) {
      if (ms >= FOR_EVER_MS) throw new ForEver("nobody will come");
      machine.sleepMs(ms);
    },
    power(action) {
      endMs = machine.nowMs();
      machine.power(action);
    },
    handOver(handover) {
      endMs = machine.nowMs();
      mounts = listMounts(quietly, handover.root === "/" ? "" : handover.root);
      return machine.handOver(handover);
    },
  });
  if (record === null) throw new BootError("no record was ever written");
  const console = machine.console
    .join("")
    .replaceAll(/^ {2}\S.*(?:\n {12}\S.*)+/gm, (line) => line.replaceAll(/\n {12}/g, " "));
  if (WITHOUT_SHELL.test(options.cmdline ?? "")) refuseAdviceForShell(console);
  return {
    machine,
    end,
    journal: machine.journal.filter((line) => !line.includes("/levain/boot.json")),
    console,
    record,
    shells,
    endMs,
    mounts,
  };
}

/** This program as a command of the boot: its menu. */
function runSelf(machine: Machine, { argv, environment }: Parameters<FakeProgram>[0]): ReturnType<FakeProgram> {
  return argv[1] === "menu" ? { status: startMenu(machine, environment) } : {};
}

const WITHOUT_SHELL = /\brd\.?shell=(?:0|no)\b/;
const ADVICE_FOR_SHELL = /levain (?:retry|unlock|status|devices|log)\b|`exit`|rescue shell|\bdm(?:esg|setup)\b/;

/** Throws if the console of a boot without a shell advises what needs one. */
function refuseAdviceForShell(console: string): void {
  const advice = console.split("\n").find((line) => ADVICE_FOR_SHELL.test(line));
  if (advice !== undefined) throw new Error(`rdshell=0 allows no shell, and the console advises: ${advice}`);
}

/** The same machine, with an ear for each record that is written. */
function watchRecord(machine: FakeMachine, onRecord: (record: BootRecord) => void): Machine {
  const note = (path: string, data: Uint8Array | string) => {
    if (path.endsWith("/levain/boot.json")) onRecord(JSON.parse(String(data)) as BootRecord);
  };
  return {
    ...machine,
    writeFile(path, data) {
      note(path, data);
      machine.writeFile(path, data);
    },
    openWriter(path) {
      const writer = machine.openWriter(path);
      return {
        ...writer,
        replace(data) {
          note(path, data);
          writer.replace(data);
        },
      };
    },
  };
}

function listMounts(machine: Machine, root: string): readonly string[] {
  const path = [`${root}/proc/self/mountinfo`, "/proc/self/mountinfo"].find((one) => machine.stat(one) !== null);
  const text = path === undefined ? "" : Buffer.from(machine.readFile(path)).toString();
  return parseMountInfo(text)
    .map(({ target, type, source }) => `${target} ${type} ${source}`)
    .sort();
}

const FOR_EVER_MS = 3_600_000;

function bootToEnd(machine: Machine): FakeBoot["end"] {
  try {
    machine.handOver(runBoot(machine, "0.1.0", { argv: [], environment: ["HOME=/", "TERM=linux"] }));
  } catch (error) {
    if (error instanceof ForEver) return "waits for ever";
    const end = error instanceof Ended ? (error.handover ?? error.power) : null;
    if (end === null) throw error;
    return end;
  }
}

class ForEver extends Error {}
