import { createLinuxMachine } from "../../../src/machine/linux/linux.ts";
import { settleBranch } from "../../../src/stack/sync/settle.ts";
import { syncBranch } from "../../../src/stack/sync/sync.ts";
import { randomChanges } from "./random-changes.ts";
import { applyChanges, changeTree, checkRandomOverlay, inOverlay } from "./random-overlay.ts";
import { differences, type Snapshot, snapshot } from "./snapshot.ts";
import { readWriteLog } from "./write-log.ts";

// The program of a guest: random overlays on the first disk, then the second disk with the power cut while it is written to.
const machine = createLinuxMachine();
const say = (text: string) => machine.writeConsole(`${text}\n`);
const SILENT = { warn: () => undefined, debug: () => undefined, progress: () => undefined };
/** The kernel's command line says how many. */
const TREES = Number(process.env["TREES"]);
const CUTS = Number(process.env["CUTS"]);
const CHANGES = 200;
const SECTOR = 512;

machine.makeDirectory("/sys");
machine.mount({ source: "sysfs", target: "/sys", type: "sysfs", flags: [], options: "" });
for (const name of [
  "virtio_ring",
  "virtio",
  "virtio_pci_legacy_dev",
  "virtio_pci_modern_dev",
  "virtio_pci",
  "virtio_blk",
  "overlay",
  "loop",
  "dm-mod",
  "dm-log-writes",
])
  load(name);

function load(name: string): void {
  const path = `/modules/${name}.ko`;
  if (machine.stat(path) === null) return;
  try {
    machine.startModule(path, "").isDone(60_000);
  } catch (error) {
    say(`module ${name}: ${error}`);
  }
}

function mount(source: string, target: string, type = "ext4"): void {
  machine.makeDirectory(target);
  machine.mount({ source, target, type, flags: [], options: "" });
}

function checkTrees(): void {
  mount("/dev/vda", "/trees");
  let wrong = 0;
  for (let seed = 1; seed <= TREES; seed++) {
    // A redirect leads to a path of a lower layer, a metacopy to its data.
    const options = seed % 2 === 0 ? "" : "redirect_dir=on,metacopy=on";
    const directory = `/trees/${seed}`;
    machine.makeDirectory(directory);
    const found = checkRandomOverlay(machine, directory, { seed, changes: CHANGES, options, scope: "" });
    for (const line of found.slice(0, 5)) say(`tree ${seed}: ${line}`);
    wrong += found.length;
  }
  machine.unmount("/trees");
  say(`sync: ${TREES} trees, ${TREES * CHANGES} changes, ${wrong} differences`);
}

/** A read-only mount, as of a branch that is only shown, is written to and is as before afterwards. */
function checkReadOnly(): void {
  machine.makeDirectory("/only");
  machine.mount({ source: "/dev/vda", target: "/only", type: "ext4", flags: ["ro"], options: "" });
  const tree = machine.openTree("/only", "writable");
  const isLocked = tree.lock();
  tree.makeDirectory("made");
  const other = refusal(() => machine.makeDirectory("/only/other"));
  tree.close();
  const after = machine.openTree("/only", "as mounted");
  const closed = refusal(() => after.makeDirectory("again"));
  after.close();
  const super_ = new TextDecoder().decode(machine.readFile("/proc/self/mountinfo")).match(/ \/only .*/)?.[0] ?? "";
  machine.unmount("/only");
  say(
    `read-only: locked ${isLocked}, others ${other}, afterwards ${closed}, ${/- ext4 \S+ ro/.test(super_) ? "ro" : super_}`,
  );
}

function refusal(act: () => void): string {
  try {
    act();
    return "allowed";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

const at = (name: string) => `/cut/${name}`;
const BELOW = { lowers: ["store/upper", "base"], upper: null, options: "" };

/** Records what a sync writes to its disk. Returns the disk before it, the log, and what the layers showed before and after. */
function record() {
  mount("tmpfs", "/ram", "tmpfs");
  machine.copyFile("/dev/vdb", "/ram/disk");
  const changes = randomChanges(7);
  const loop = machine.attachLoop({ file: "/ram/disk", readOnly: false });
  mount(loop, "/cut");
  for (const name of ["base", "store/upper", "store/work", "ram", "root"]) machine.makeDirectory(at(name));
  changeTree(machine, at("base"), changes, 60);
  inOverlay(machine, at, { lowers: ["base"], upper: "store", options: "" }, (tree) => applyChanges(tree, changes, 100));
  const before = inOverlay(machine, at, BELOW, snapshot);
  machine.unmount("/cut");
  const disk = machine.readFile("/ram/disk");

  machine.writeFile("/ram/log", new Uint8Array(48 << 20));
  const log = machine.attachLoop({ file: "/ram/log", readOnly: false });
  const parameters = new TextEncoder().encode(`${loop} ${log}`);
  const targets = [{ startSector: 0, sectors: disk.length / SECTOR, type: "log-writes", parameters }];
  const mapping = machine.createMapping({ name: "cut", uuid: "TEST-cut", readOnly: false, targets });
  mount(`/dev/${mapping.device}`, "/cut");
  mount("tmpfs", at("ram"), "tmpfs");
  for (const name of ["ram/upper", "ram/work"]) machine.makeDirectory(at(name));
  const wanted = inOverlay(machine, at, { lowers: ["store/upper", "base"], upper: "ram", options: "" }, (tree) => {
    applyChanges(tree, changes, 300);
    const order = { upper: at("ram/upper"), branch: at("store/upper"), lowers: [at("base")], scope: "" };
    syncBranch(machine, order, SILENT);
    return snapshot(tree);
  });
  machine.unmount(at("ram"));
  machine.unmount("/cut");
  machine.removeMapping("cut");
  machine.detachLoop(loop);
  machine.detachLoop(log);
  return { disk, log: readWriteLog(machine.readFile("/ram/log")), before, wanted };
}

/** Boots, as it were, from the disk as it was after so many writes. */
function recover(disk: Uint8Array, before: Snapshot, wanted: Snapshot): "old" | "new" | string {
  machine.writeFile("/ram/disk", disk);
  const loop = machine.attachLoop({ file: "/ram/disk", readOnly: false });
  mount(loop, "/cut");
  settleBranch(machine, at("store/upper"), SILENT);
  const left = machine.listDirectory(at("store")).filter((name) => name.startsWith(".levain"));
  const now = inOverlay(machine, at, BELOW, snapshot);
  machine.unmount("/cut");
  const fsck = machine.run(["/sbin/e2fsck", "-fn", loop], { capture: true });
  machine.detachLoop(loop);
  if (fsck.status !== 0) return `e2fsck: ${fsck.output}`;
  if (left.length > 0) return `left behind: ${left.join(" ")}`;
  if (differences(before, now).length === 0) return "old";
  return differences(wanted, now)[0] ?? "new";
}

function checkPowerCuts(): void {
  const { disk, log, before, wanted } = record();
  const ends: Record<string, number> = {};
  let done = 0;
  for (let cut = 1; cut <= CUTS; cut++) {
    const until = Math.floor((log.length * cut) / CUTS);
    for (const { offset, bytes } of log.slice(done, until)) disk.set(bytes, offset);
    done = until;
    const end = recover(disk, before, wanted);
    ends[end] = (ends[end] ?? 0) + 1;
  }
  say(`power cuts: ${log.length} writes, ${JSON.stringify(ends)}`);
}

for (const check of [checkTrees, checkReadOnly, checkPowerCuts]) {
  try {
    check();
  } catch (error) {
    say(`failed: ${error instanceof Error ? error.stack : error}`);
  }
}
machine.power("poweroff");
