import { fakeMember } from "../../fake-arrays.ts";
import { ELF, INITRAMFS, rootImage } from "../../fake-boot.ts";
import { fakeDhcpServer } from "../../fake-dhcp-server.ts";
import type { FakeDisk } from "../../fake-disk.ts";
import type { FakeMachine } from "../../fake-machine.ts";
import type { Scenes } from "./scene.ts";

const MODULES = "/lib/modules/6.1.0-fake";
const ROUTER = {
  afterMs: 200,
  address: Uint8Array.fromHex("20010db8000000000000000000000005"),
  gateway: Uint8Array.fromHex("fe800000000000000000000000000001"),
};
const CARDS = [
  { name: "eth0", mac: "52:54:00:00:00:01", servers: [fakeDhcpServer()], router: ROUTER },
  { name: "eth1", mac: "52:54:00:00:00:02" },
];
const IQN = "iqn.2024-01.org.example:disk";
const ROOT = rootImage();
const exports = { disk: ROOT };
const KERNEL_MODULES = ["drivers/block/aoe/aoe", "drivers/md/md-mod", "drivers/md/raid1"];

/** The driver of AoE: these targets answer the first time that they are looked for. */
const answerAoe =
  (targets: readonly FakeDisk[]) =>
  (machine: FakeMachine): void => {
    let isThere = false;
    const write = machine.writeFile;
    machine.writeFile = (path, data) => {
      if (!path.startsWith("/dev/etherd/")) return write(path, data);
      if (path !== "/dev/etherd/discover" || isThere) return;
      isThere = true;
      for (const target of targets) machine.plugIn(target);
    };
  };
const member = (slot: number): FakeDisk => ({
  name: `etherd!e0.${slot}`,
  content: fakeMember(ROOT, { place: slot, name: "host:system" }),
});

/** Disks on servers. */
export const DISK_SCENES: Scenes = {
  before: "",
  machine: {
    cards: CARDS,
    files: {
      ...INITRAMFS,
      [`${MODULES}/modules.dep`]: [
        INITRAMFS[`${MODULES}/modules.dep`],
        ...KERNEL_MODULES.map((name) => `kernel/${name}.ko:\n`),
      ].join(""),
      ...Object.fromEntries(KERNEL_MODULES.map((name) => [`${MODULES}/kernel/${name}.ko`, "module"])),
      "/sbin/iscsistart": { data: ELF, mode: 0o755 },
    },
    modules: { aoe: {}, md_mod: {}, raid1: { needs: ["md_mod"] } },
    images: [ROOT],
    before: answerAoe([{ name: "etherd!e0.0", image: ROOT }]),
    servers: { "192.0.2.1:10809": { exports }, "192.0.2.1:10810": { exports }, "2001:db8::1:10809": { exports } },
    iscsi: { "192.0.2.1:3260": { targets: { [IQN]: ROOT } } },
    nvme: { "192.0.2.1:4420": { subsystems: { "nqn.2014-08.org.example:root": ROOT } } },
    sys: { "/class/dmi/id/product_uuid": "7f1c9a52-0d3b-4c8e-9d6a-2b1e5f4a3c80\n" },
  },
  lines: {
    "an AoE target": { write: ([disk = ""]) => [disk], proof: "/sysroot ext4 /dev/etherd/e0.0" },
    "a root that lies on AoE targets, by its label": { proof: "/sysroot ext4 /dev/etherd/e0.0" },
    "an array of AoE targets": {
      machine: { before: answerAoe([member(0), member(1)]) },
      proof: "/sysroot ext4 /dev/md",
    },
    "an export of an NBD server": { proof: "/sysroot ext4 /dev/nbd0" },
    "the same, on another port": { proof: "/sysroot ext4 /dev/nbd0" },
    "over IPv6": { proof: "/sysroot ext4 /dev/nbd0" },
    "what a target of iSCSI has": { proof: "/sysroot ext4 /dev/sda" },
    "what a server of NVMe over TCP has": { proof: "/sysroot ext4 /dev/nvme0n1" },
    "a partition, LUKS or RAID on exports": { proof: "/sysroot ext4 /dev/nbd0" },
  },
};
