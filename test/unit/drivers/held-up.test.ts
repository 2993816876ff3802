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
};
const FILES: FakeTree = {
  [`${DIRECTORY}/modules.dep`]: Object.values(MODULES)
    .map((path) => `${path}:\n`)
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

/** A machine whose driver `heldUp` waits for a device that does not answer. */
function loadWith(heldUp: string | null) {
  const modules = Object.fromEntries(Object.keys(MODULES).map((name) => [name, {}]));
  const fake = fakeMachine({
    mounted: { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" },
    modules,
    files: FILES,
    sys: SYS,
  });
  const loaded: string[] = [];
  const probed: string[] = [];
  const machine = {
    ...fake,
    loadModule(path: string, parameters: string) {
      const name = path.replace(/^.*\/(.*)\.ko$/, "$1");
      loaded.push(`${name} ${parameters}`.trim());
      fake.loadModule(path, parameters);
      return name !== heldUp;
    },
    probeDriver: (directory: string) => void probed.push(directory),
  };
  const voice = listenToVoice();
  const parameters = { ext4: "debug=1" };
  const loader = createLoader(machine, { load: [], parameters, blacklist: [] }, voice);
  loader.loadFilesystem("ext4");
  return { loaded, probed, voice, loader };
}

test("a driver that one of its devices holds up: its other devices are probed, and later modules do not wait for it", () => {
  const { loaded, probed, voice, loader } = loadWith("virtio_blk");
  expect(loaded).toEqual(["nvme", "virtio_blk", "ext4 debug=1 async_probe"]);
  expect(probed).toEqual(["/sys/bus/virtio/devices/virtio1", "/sys/bus/virtio/devices/virtio2"]);
  expect(voice.progressed).toEqual([
    "module virtio_blk: a device of this driver has not answered yet, the boot continues meanwhile",
  ]);
  expect(voice.warnings).toEqual([]);
  expect(loader.counts().modules).toBe(3);
});

test("a held-up driver without another device", () => {
  const { loaded, probed } = loadWith("nvme");
  // A disk driver keeps the order of its disks.
  expect(loaded).toEqual(["nvme", "virtio_blk", "ext4 debug=1 async_probe"]);
  expect(probed).toEqual(["/sys/bus/pci/devices/0000:00:02.0"]);
});

test("drivers that nothing holds up are loaded as ever", () => {
  const { loaded, probed, voice } = loadWith(null);
  expect(loaded).toEqual(["nvme", "virtio_blk", "ext4 debug=1"]);
  expect([probed, voice.progressed]).toEqual([[], []]);
});
