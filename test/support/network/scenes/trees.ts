import { ELF, type FakeBootOptions, INITRAMFS, ROOT_TREE } from "../../fake-boot.ts";
import { fakeDhcpServer } from "../../fake-dhcp-server.ts";
import type { FakeMachine } from "../../fake-machine.ts";
import type { FakeShare } from "../../fake-shares.ts";
import type { Scenes } from "./scene.ts";

const share = (type: FakeShare["type"]): FakeShare => ({ type, tree: ROOT_TREE });

/** The image has a program that does the mount itself. */
function mountBy(name: string, type: "zfs" | "cifs", source: string): FakeBootOptions {
  const path = `/usr/sbin/${name}`;
  const program = { data: ELF, mode: 0o755 };
  let machine: FakeMachine | null = null;
  const mount = () => {
    machine?.mount({ source, target: "/sysroot", type, flags: ["ro"], options: "" });
    return {};
  };
  return {
    files: { ...INITRAMFS, [path]: program, "/usr/sbin/zpool": program },
    programs: { [path]: mount, "/usr/sbin/zpool": () => ({}) },
    before: (it) => {
      machine = it;
    },
  };
}

/** Roots that are no disk. */
export const TREE_SCENES: Scenes = {
  before: "",
  machine: {
    cards: [{ name: "eth0", mac: "52:54:00:12:34:56", servers: [fakeDhcpServer()] }],
    filesystems: ["9p", "virtiofs", "ubifs", "jffs2", "zfs", "cifs"],
    shares: { "ubi0:rootfs": share("ubifs"), "mtd:rootfs": share("jffs2") },
  },
  lines: {
    "a directory of the host, in QEMU with `-virtfs local,mount_tag=host,…`": {
      machine: { shares: { host: share("9p") } },
      proof: "/sysroot 9p host",
    },
    "the same over virtiofs": { machine: { shares: { host: share("virtiofs") } }, proof: "/sysroot virtiofs host" },
    "a UBIFS volume on flash memory": { proof: "/sysroot ubifs ubi0:rootfs" },
    "JFFS2 on flash memory": { proof: "/sysroot jffs2 mtd:rootfs" },
    "a dataset of ZFS": {
      machine: { ...mountBy("mount.zfs", "zfs", "tank/root"), shares: { "tank/root": share("zfs") } },
      proof: "/sysroot zfs tank/root",
    },
    "a directory on a server of SMB": {
      write: ([url = "", account]) => [url, `${url.replace("boot:PASSWORD@", "")} ${account}`],
      machine: { ...mountBy("mount.cifs", "cifs", "//192.0.2.1/root"), shares: { "//192.0.2.1/root": share("cifs") } },
      proof: "/sysroot cifs //192.0.2.1/root",
    },
  },
};
