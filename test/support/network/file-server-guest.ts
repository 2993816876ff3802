import { readFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../cache.ts";
import { runScript } from "../command.ts";
import { guestPrograms } from "../guest-programs.ts";
import { type Entry, packDirectory, writeTree } from "../initramfs.ts";
import { debianKernel } from "../kernels.ts";
import { type LevainImageOptions, levainImage } from "../levain-image.ts";
import type { Vm } from "../qemu.ts";
import { smallRoot } from "../root-tree.ts";
import { BUSYBOX } from "../unpacked-programs.ts";
import type { VmTestOptions } from "../vm-test.ts";
import { withVm } from "../with-vm.ts";
import { recipe } from "./recipes.ts";

/** Where a card of QEMU ends: a socket of this host that leads to another guest. */
export function cable(path: string, end: "server" | "client"): readonly string[] {
  const mac = end === "server" ? "52:54:00:00:00:01" : "52:54:00:00:00:02";
  return [
    "-netdev",
    `stream,id=cable,server=${end === "server" ? "on" : "off"},addr.type=unix,addr.path=${path}`,
    "-device",
    `virtio-net-pci,netdev=cable,id=card,mac=${mac}`,
  ];
}

const PROGRAMS = ["/sbin/rpcbind", "/usr/sbin/rpc.mountd", "/usr/sbin/rpc.nfsd", "/usr/sbin/exportfs"];

// Its root is a tmpfs, which can be exported. "serve" starts the servers when the test wants them.
const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /bin /sbin /proc /sys /dev /run /tmp /var/run /var/lib/nfs/v4recovery /var/lib/misc
/bin/busybox --install -s /bin
ln -sf /bin/busybox /sbin/modprobe
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for module in virtio_pci virtio_net virtio_blk af_packet nfsd; do modprobe $module; done
ip link set lo up; ip address add 192.0.2.1/24 dev eth0; ip link set eth0 up
mount -t nfsd nfsd /proc/fs/nfsd
touch /var/lib/nfs/etab /var/lib/nfs/rmtab /var/lib/misc/udhcpd.leases
udhcpd /etc/udhcpd.conf
echo "server: up"
exec setsid cttyhack sh
`;

const SERVE = `#!/bin/busybox sh
rpcbind -w && exportfs -ra && rpc.mountd && rpc.nfsd 2 && echo Y > /proc/fs/nfsd/v4_end_grace && echo "server: serves"
`;

/** The lines of docs/network.md, with the disk of this guest. */
const SERVE_NVME = `#!/bin/busybox sh
set -e
${recipe("modprobe nvmet-tcp").replace("/dev/vdb", "/dev/vda")}
echo "server: serves NVMe"
`;

const SERVE_ISCSI = `#!/bin/busybox sh
set -e
${recipe("modprobe -a iscsi_target_mod").replace("/dev/vdb", "/dev/vda")}
echo "server: serves iSCSI"
`;

const FILES: Readonly<Record<string, Entry>> = {
  "/bin/busybox": { file: BUSYBOX },
  "/init": { text: INIT },
  "/bin/serve": { text: SERVE },
  "/bin/serve-nvme": { text: SERVE_NVME },
  "/bin/serve-iscsi": { text: SERVE_ISCSI },
  // A tmpfs has no UUID, so it needs a number.
  "/etc/exports": { text: recipe("/srv/root").replace(")", ",fsid=1)") },
  "/etc/passwd": { text: "root::0:0:root:/root:/bin/sh\n_rpc:x:0:0::/run/rpcbind:/bin/false\n" },
  "/etc/group": { text: "root:x:0:\n" },
  "/etc/hosts": { text: "127.0.0.1 localhost\n" },
  "/etc/nsswitch.conf": { text: "hosts: files\n" },
  "/etc/protocols": { text: "tcp 6 TCP\nudp 17 UDP\n" },
  "/etc/services": { text: "sunrpc 111/tcp portmapper\nsunrpc 111/udp portmapper\nnfs 2049/tcp\nnfs 2049/udp\n" },
  "/etc/rpc": { text: "portmapper 100000\nnfs 100003\nmountd 100005\n" },
  // Of libtirpc-common.
  "/etc/netconfig": {
    text: `udp tpi_clts v inet udp - -
tcp tpi_cots_ord v inet tcp - -
udp6 tpi_clts v inet6 udp - -
tcp6 tpi_cots_ord v inet6 tcp - -
rawip tpi_raw - inet - - -
local tpi_cots_ord - loopback - - -
unix tpi_cots_ord - loopback - - -
`,
  },
  "/etc/udhcpd.conf": {
    text: `start 192.0.2.50
end 192.0.2.60
interface eth0
option subnet 255.255.255.0
option rootpath nfs:192.0.2.1:/srv/root
`,
  },
};

/**
 * A guest with nfs-kernel-server, the kernel's targets of NVMe over TCP and iSCSI, and udhcpd, which says "server: up"; "server: serves" after the
 * command `serve`, and "server: serves NVMe" or "server: serves iSCSI" after `serve-nvme` or `serve-iscsi`, of its disk. It exports `root`, by default the small root.
 */
export async function fileServerGuest(socket: string, disk: string, root?: string): Promise<VmTestOptions> {
  const { modulesDir, version } = await debianKernel("cloud");
  const tree = scratchDirectory();
  writeTree(tree, { ...(await guestPrograms(...PROGRAMS)), ...FILES });
  const modules = withDependencies(modulesDir, [
    "virtio_pci",
    "virtio_net",
    "virtio_blk",
    "af_packet",
    "nfsd",
    "nvmet-tcp",
    "iscsi_target_mod",
    "target_core_iblock",
  ]);
  const target = join(tree, "lib/modules", version);
  await runScript('from=$1 to=$2; shift 2; mkdir -p "$to"; cd "$from"; cp modules.* "$to"; cp --parents "$@" "$to"', [
    modulesDir,
    target,
    ...modules,
  ]);
  await runScript('mkdir -p "$2/srv/root"; cp -a "$1"/. "$2/srv/root"', [root ?? (await smallRoot()), tree]);
  return {
    initrd: await packDirectory(tree),
    disks: [{ file: disk }],
    ...{ memoryMib: 512, extra: [...cable(socket, "server")], timeoutMs: 900_000 },
  };
}

/** Paths of modules in modules.dep and of what they need; what the kernel has built in is left out. */
function withDependencies(modulesDir: string, names: readonly string[]): readonly string[] {
  const lines = readFileSync(join(modulesDir, "modules.dep"), "utf8").trimEnd().split("\n");
  const needs = new Map(lines.map((line) => line.split(/:\s*/) as [string, string]));
  const paths = names.flatMap((name) => [...needs.keys()].filter((path) => path.endsWith(`/${name}.ko`)));
  return [...new Set(paths.flatMap((path) => [path, ...(needs.get(path) ?? "").split(" ")]))].filter(Boolean);
}

const CLIENT_TIMEOUT_MS = 240_000;

/** Boots levain beside that guest, on the other end of the cable. */
export async function bootClient(
  { socket, cmdline, files = {} }: { socket: string; cmdline: string; files?: LevainImageOptions["files"] },
  body: (vm: Vm) => Promise<void>,
): Promise<void> {
  const initrd = await levainImage({ words: ["--network"], files });
  const options = { name: "client", initrd, cmdline, memoryMib: 512, extra: [...cable(socket, "client")] };
  await withVm(options, CLIENT_TIMEOUT_MS, body);
}
