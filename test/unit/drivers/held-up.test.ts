import { expect, test } from "bun:test";
import { createLoader } from "../../../src/drivers/loader.ts";
import type { FakeTree } from "../../support/fake-files.ts";
import { fakeMachine } from "../../support/fake-machine.ts";
import { listenToVoice } from "../desk/heard-voice.ts";

const DIRECTORY = "/lib/modules/6.1.0-fake";
const MODULES = {
  virtio_blk: "kernel/drivers/virtio/virtio_blk.ko",
  nvme: "kernel/drivers/nvme/nvme.ko",
  ext4: "kernel/fs/ext4.ko",
  /** Needs virtio_blk. */
  late: "kernel/drivers/misc/late.ko",
};
const WISHES = { load: [], parameters: {}, blacklist: [] };
const FILES: FakeTree = {
  [`${DIRECTORY}/modules.dep`]: Object.values(MODULES)
    .map((path) => `${path}:${path === MODULES.late ? ` ${MODULES.virtio_blk}` : ""}\n`)
    .join(""),
  [`${DIRECTORY}/modules.alias`]:
    "alias virtio:d00000002v* virtio_blk\nalias pci:v*d*bc01sc08i02* nvme\nalias fs-ext4 ext4\n",
  ...Object.fromEntries(Object.values(MODULES).map((path) => [`${DIRECTORY}/${path}`, "module"])),
};
const DISK = "virtio:d00000002v00001AF4\n";
const SYS: FakeTree = {
  "/bus/pci/devices/0000:00:02.0/modalias": "pci:v00008086d00005845bc01sc08i02\n",
  "/bus/virtio/devices/virtio0/modalias": DISK,
  "/bus/virtio/devices/virtio0/driver": { link: "../../drivers/virtio_blk" },
  "/bus/virtio/devices/virtio1/modalias": DISK,
  "/bus/virtio/devices/virtio2/modalias": DISK,
  "/bus/virtio/devices/virtio3/modalias": "virtio:d00000001v00001AF4\n",
};

/** A machine on which the kernel loads a module for so long. */
function machineWith(takesMs: Readonly<Record<string, number>>) {
  const loaded: string[] = [];
  const probed: string[] = [];
  const fake = fakeMachine({
    mounted: { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" },
    modules: Object.fromEntries(Object.keys(MODULES).map((name) => [name, { takesMs: takesMs[name] ?? 0 }])),
    files: FILES,
    sys: SYS,
  });
  const machine = {
    ...fake,
    startModule(path: string, parameters: string) {
      loaded.push(`${path.replace(/^.*\/(.*)\.ko$/, "$1")} ${parameters}`.trim());
      return fake.startModule(path, parameters);
    },
    probeDriver: (directory: string) => void probed.push(directory),
  };
  return { machine, loaded, probed };
}

/** Loads the first wave and a filesystem on a machine whose driver `heldUp` waits for a device that does not answer. */
function loadWith(heldUp: string | null) {
  const { machine, loaded, probed } = machineWith(heldUp === null ? {} : { [heldUp]: Number.POSITIVE_INFINITY });
  const voice = listenToVoice();
  const parameters = { ext4: "debug=1" };
  const loader = createLoader(machine, { ...WISHES, parameters }, voice);
  loader.loadFilesystem("ext4");
  return { loaded, probed, voice, loader };
}

test("a driver that one of its devices holds up: its other devices are probed, and later modules do not wait for it", () => {
  const { loaded, probed, voice, loader } = loadWith("virtio_blk");
  expect(loaded).toEqual(["nvme", "virtio_blk", "ext4 debug=1 async_probe"]);
  expect(probed).toEqual(["/sys/bus/virtio/devices/virtio1", "/sys/bus/virtio/devices/virtio2"]);
  expect(voice.progressed).toEqual([
    "module virtio_blk: the kernel has not finished loading it, the boot continues meanwhile",
  ]);
  expect(voice.warnings).toEqual([]);
  expect([loader.counts().modules, loader.isHeldUp()]).toEqual([2, true]);
});

test("a held-up driver without another device", () => {
  const { loaded, probed } = loadWith("nvme");
  // A disk driver keeps the order of its disks.
  expect(loaded).toEqual(["nvme", "virtio_blk", "ext4 debug=1 async_probe"]);
  expect(probed).toEqual(["/sys/bus/pci/devices/0000:00:02.0"]);
});

test("drivers that nothing holds up are loaded as ever", () => {
  const { loaded, probed, voice, loader } = loadWith(null);
  expect(loaded).toEqual(["nvme", "virtio_blk", "ext4 debug=1"]);
  expect([probed, voice.progressed, loader.isHeldUp()]).toEqual([[], [], false]);
});

test("a filesystem does not wait for a disk that is slow", () => {
  const { machine, loaded } = machineWith({});
  const loader = createLoader(machine, WISHES, listenToVoice());
  loader.watchDisks(() => true);
  loader.loadFilesystem("ext4");
  expect(loaded.at(-1)).toBe("ext4 async_probe");
});

test("a module whose dependency takes long is loaded when that is", () => {
  const { machine, loaded } = machineWith({ virtio_blk: 8000 });
  const voice = listenToVoice();
  const loader = createLoader(machine, WISHES, voice);
  expect(loader.loadByName("late")).toBe("postponed");
  loader.advance();
  expect([loaded, loader.isHeldUp()]).toEqual([["nvme", "virtio_blk"], true]);
  machine.sleepMs(4000);
  loader.advance();
  expect([loaded.slice(2), loader.isHeldUp()]).toEqual([["late"], false]);
  expect([loader.loadByName("late"), loader.counts().modules]).toEqual(["ready", 3]);
  expect(voice.warnings).toEqual([]);
});
