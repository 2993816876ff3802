import { describe, test } from "bun:test";
import { CRYPT_MODULES } from "../support/fake-device-mapper.ts";
import { fakeImage } from "../support/fake-images.ts";
import { fakeMachine } from "../support/fake-machine.ts";
import type { FakeProgram } from "../support/fake-processes.ts";
import { FIXTURES, HELLO, PARTITIONS } from "./case.ts";
import { CONTRACT, checkCase } from "./contract.ts";

const TREE = { "/hello": HELLO, "/etc/name": "squashfs\n", "/mnt": { directory: true } } as const;
const SQUASHFS = fakeImage("squashfs", {}, TREE);

/** As much of BusyBox as the contract uses. */
const busybox: FakeProgram = ({ argv: [, applet, word = ""], environment, input }) => {
  switch (applet) {
    case "true":
      return {};
    case "false":
      return { status: 1 };
    case "echo":
      return { output: `${word}\n` };
    case "cat":
      return { output: input ?? "" };
    case "seq":
      return { output: Array.from({ length: Number(word) }, (_, index) => `${index + 1}\n`).join("") };
    case "env":
      return {
        output: Object.entries(environment)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(""),
      };
    default:
      throw new Error(`no applet ${applet}`);
  }
};

const MODULES = {
  ...CRYPT_MODULES,
  reed_solomon: {},
  md_mod: {},
  raid1: { needs: ["md_mod"] },
  dm_bufio: {},
  loop: { nodes: { "/loop-control": { node: "character", number: "10:237" } } },
  squashfs: { filesystems: ["squashfs"] },
  overlay: { filesystems: ["overlay"] },
  virtio_ring: {},
  virtio: { needs: ["virtio_ring"] },
  virtio_pci_legacy_dev: {},
  virtio_pci_modern_dev: {},
  virtio_pci: { needs: ["virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev"] },
  virtio_blk: {
    needs: ["virtio_ring", "virtio"],
    disks: [
      { name: FIXTURES.disk, image: fakeImage("ext4", {}, TREE) },
      { name: FIXTURES.protectedDisk, image: fakeImage("ext4", {}, TREE), readOnly: true },
      { name: FIXTURES.partitionedDisk, partitions: PARTITIONS },
      { name: FIXTURES.uncleanDisk, image: fakeImage("ext4", { isUnclean: true }, TREE) },
    ],
  },
} as const;

function moduleFiles(): Record<string, string> {
  return Object.fromEntries(
    Object.keys(MODULES).map((name) => [`${FIXTURES.modules}/${name.replace(/^(dm|md)_/, "$1-")}.ko`, "\x7fELF"]),
  );
}

describe("the fake machine keeps the contract", () => {
  const machine = fakeMachine({
    files: {
      ...moduleFiles(),
      [FIXTURES.squashfs]: SQUASHFS.bytes,
      [FIXTURES.busybox]: { data: "\x7fELF", mode: 0o755 },
      "/sys": { directory: true },
    },
    images: [SQUASHFS],
    modules: MODULES,
    filesystems: ["ext4"],
    programs: { [FIXTURES.busybox]: busybox },
    mounted: { "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs" },
  });
  for (const one of CONTRACT) test(one.name, () => checkCase(machine, one, machine));
});
