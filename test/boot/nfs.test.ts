import { describe, expect, test } from "bun:test";
import { basename } from "node:path";
import { CHILD_COMMANDS } from "../../src/machine/child-commands.ts";
import { ELF, type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE, rootImage, stick } from "../support/fake-boot.ts";
import { fakeDhcpServer } from "../support/fake-dhcp-server.ts";
import type { FakeNfsServer } from "../support/fake-nfs.ts";

const MAC = "52:54:00:12:34:56";
const SERVER: FakeNfsServer = { address: "192.0.2.1", exports: { "/srv/root": ROOT_TREE } };
const bytes = (text: string) => [...new TextEncoder().encode(text)];

function boot(cmdline: string, more: FakeBootOptions = {}, options: Readonly<Record<number, readonly number[]>> = {}) {
  return fakeBoot({
    cmdline,
    cards: [{ name: "eth0", mac: MAC, servers: [fakeDhcpServer({ options })] }],
    nfs: { "192.0.2.1": SERVER },
    filesystems: ["nfs"],
    ...more,
  });
}

const mountsOf = (journal: readonly string[]) => journal.filter((line) => line.startsWith("mount nfs"));

describe("a directory of an NFS server becomes the root", () => {
  test.each([
    "root=nfs:192.0.2.1:/srv/root",
    "root=nfs4:192.0.2.1:/srv/root",
    "root=nfs://192.0.2.1/srv/root",
    "root=/dev/nfs nfsroot=192.0.2.1:/srv/root",
    "root=/dev/nfs nfsroot=/srv/root",
    "boot=nfs nfsroot=192.0.2.1:/srv/root ip=dhcp",
    "root=/dev/nfs nfsroot=/srv/root ip=192.0.2.5:192.0.2.1:192.0.2.1:255.255.255.0:host:eth0:none",
  ])("%s", (cmdline) => {
    const { end, journal, console } = boot(cmdline);
    expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot", init: "/sbin/init" });
    expect(mountsOf(journal)).toEqual(["mount nfs 192.0.2.1:/srv/root at /sysroot (ro,vers=4.2,addr=192.0.2.1)"]);
    expect(console).toContain("192.0.2.1:/srv/root NFS 4.2 at /sysroot, read-only");
  });
});

test("the process that mounts starts while the modules are loaded", () => {
  const turns: string[] = [];
  const directory = "/lib/modules/6.1.0-fake";
  const { end } = boot("root=nfs:192.0.2.1:/srv/root", {
    filesystems: [],
    modules: { nfs: { filesystems: ["nfs"] } },
    files: {
      [`${directory}/modules.dep`]: "kernel/fs/nfs/nfs.ko:\n",
      [`${directory}/modules.alias`]: "alias fs-nfs nfs\n",
      [`${directory}/modules.builtin`]: "",
      [`${directory}/kernel/fs/nfs/nfs.ko`]: "module",
    },
    before(machine) {
      const { startChild, startModule } = machine;
      Object.assign(machine, {
        startChild(command: string) {
          turns.push(command);
          return startChild(command);
        },
        startModule(path: string, words: string) {
          turns.push(basename(path));
          return startModule(path, words);
        },
      });
    },
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(turns).toEqual([CHILD_COMMANDS.nfs, "nfs.ko"]);
});

test("DHCP names the root, alone or as what root=dhcp obeys", () => {
  for (const path of [
    "192.0.2.1:/srv/root",
    "nfs:192.0.2.1:/srv/root",
    "/srv/root",
    "nfs:/srv/root",
    "nfs:192.0.2.1:/srv/root:soft",
  ]) {
    for (const cmdline of ["root=dhcp", "root=/dev/nfs", "boot=nfs nfsroot=auto"]) {
      const { end, journal } = boot(cmdline, {}, { 17: bytes(path) });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(mountsOf(journal)[0]).toStartWith("mount nfs 192.0.2.1:/srv/root at /sysroot (ro,");
      if (path.endsWith("soft")) expect(mountsOf(journal)[0]).toContain("(ro,soft,vers=4.2");
    }
  }
  const none = boot("root=dhcp");
  expect(none.record.failure?.join("\n")).toContain("root=dhcp, but DHCP has given no root path");
});

test("rootflags= comes after the options of DHCP, so it counts", () => {
  for (const cmdline of ["root=dhcp", "root=/dev/nfs"]) {
    const path = bytes("192.0.2.1:/srv/root,suid,sec=sys");
    const { journal } = boot(`${cmdline} rootflags=nosuid,sec=krb5`, {}, { 17: path });
    expect(mountsOf(journal)[0]).toContain("(nosuid,ro,sec=sys,sec=krb5,vers=4.2,");
  }
});

test("a root path that names no server is refused, also a disk of this machine", () => {
  const disks = [{ name: "sda", image: rootImage() }];
  for (const path of ["what is this", "LABEL=ROOT", "live:LABEL=ROOT", "gpt-auto", "9p:TAG", "dhcp"]) {
    const { record, mounts } = boot("root=dhcp rdshell=0", { disks }, { 17: bytes(path) });
    expect(record.failure?.join("\n")).toContain(`the root path of DHCP cannot be used: "${path}"`);
    expect(mounts.join("\n")).not.toContain("/sysroot");
  }
});

test("root=dhcp with an image on a web server", () => {
  const { squashfs } = stick();
  const url = "http://10.0.0.1/root.sfs";
  const more = { web: { [url]: squashfs.bytes }, images: [squashfs], filesystems: ["squashfs"] };
  const { end, console } = boot("root=dhcp", more, { 17: bytes(url) });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain(`root      ${url}, `);
});

test("%s in the path is the host name or, without one, the address", () => {
  const exports = { "/srv/192.0.2.50": ROOT_TREE, "/srv/node7": ROOT_TREE };
  const nfs = { "192.0.2.1": { ...SERVER, exports } };
  const cmdline = "root=/dev/nfs nfsroot=192.0.2.1:/srv/%s";
  expect(mountsOf(boot(cmdline, { nfs }).journal)[0]).toContain("192.0.2.1:/srv/192.0.2.50 ");
  expect(mountsOf(boot(cmdline, { nfs }, { 12: bytes("node7") }).journal)[0]).toContain("192.0.2.1:/srv/node7 ");
});

test("options, rw and init= of the user are obeyed, and a version that is named is the only one", () => {
  const nfs = {
    "192.0.2.1": { ...SERVER, exports: { "/srv/root": { ...ROOT_TREE, "/bin/sh": { data: ELF, mode: 0o755 } } } },
  };
  const { end, journal } = boot("root=nfs:192.0.2.1:/srv/root:vers=3,nodev rw rootflags=timeo=100 init=/bin/sh", {
    nfs,
  });
  expect(end).toMatchObject({ init: "/bin/sh" });
  expect(mountsOf(journal)).toEqual([
    "mount nfs 192.0.2.1:/srv/root at /sysroot (nodev,vers=3,timeo=100,nolock,addr=192.0.2.1)",
  ]);
});

test("a version in the root path of DHCP is the only one too", () => {
  const { end, journal } = boot("root=/dev/nfs", {}, { 17: bytes("192.0.2.1:/srv/root,vers=3") });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(mountsOf(journal)).toEqual(["mount nfs 192.0.2.1:/srv/root at /sysroot (ro,vers=3,nolock,addr=192.0.2.1)"]);
});

test.each([
  ["vers=3", ["nfs", "nfsv3"]],
  ["nfsvers=4.1", ["nfs", "nfsv4"]],
  ["ro", ["nfs", "nfsv4", "nfsv3"]],
])("the modules are those of the versions that are tried: %s", (options, modules) => {
  const directory = "/lib/modules/6.1.0-fake";
  const names = ["nfs", "nfsv3", "nfsv4"];
  const files = {
    ...INITRAMFS,
    [`${directory}/modules.dep`]: names.map((name) => `kernel/fs/${name}.ko:\n`).join(""),
    ...Object.fromEntries(names.map((name) => [`${directory}/kernel/fs/${name}.ko`, "module"])),
  };
  const { end, journal } = boot(`root=nfs:192.0.2.1:/srv/root:${options}`, {
    files,
    modules: { nfs: { filesystems: ["nfs"] }, nfsv3: {}, nfsv4: {} },
    filesystems: [],
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  const loaded = journal.flatMap((line) => /^load .*\/(nfs\w*)\.ko/.exec(line)?.[1] ?? []);
  expect(loaded).toEqual([...modules]);
});

test("a port that cannot be one ends at once", () => {
  for (const port of ["0", "65536", "99999999"]) {
    const { end, record, endMs } = boot(`root=nfs:192.0.2.1:/srv/root:port=${port} rdshell=0 rd.emergency=poweroff`);
    expect(end).toBe("poweroff");
    expect(record.failure?.join("\n")).toContain(`port=${port}: a port is a number from 1 to 65535`);
    expect(endMs).toBeLessThan(5000);
  }
});

test("older versions are tried when the server does not have the newer ones", () => {
  const old = boot("root=nfs:192.0.2.1:/srv/root", { nfs: { "192.0.2.1": { ...SERVER, versions: ["3"] } } });
  expect(old.end).toMatchObject({ mode: "switch_root" });
  expect(mountsOf(old.journal).at(-1)).toBe(
    "mount nfs 192.0.2.1:/srv/root at /sysroot (ro,vers=3,nolock,addr=192.0.2.1)",
  );
  const { end, record } = boot("root=nfs4:192.0.2.1:/srv/root rdshell=0 rd.emergency=poweroff", {
    nfs: { "192.0.2.1": { ...SERVER, versions: ["3"] } },
  });
  expect(end).toBe("poweroff");
  expect(record.failure?.join(" ")).toContain("NFS 4.0: the server, or this kernel, does not support this version");
});

test("a name is resolved, and an address of IPv6 stands in brackets", () => {
  const names = boot("root=nfs:nas.example:/srv/root", { nfs: { "nas.example": SERVER } });
  expect(mountsOf(names.journal)[0]).toContain("nfs nas.example:/srv/root at /sysroot (ro,vers=4.2,addr=192.0.2.1)");
  const six = boot("root=nfs:[2001:db8::1]:/srv/root", {
    nfs: { "2001:db8::1": { ...SERVER, address: "2001:db8::1" } },
  });
  expect(mountsOf(six.journal)[0]).toContain("nfs [2001:db8::1]:/srv/root at /sysroot (ro,vers=4.2,addr=2001:db8::1)");
});

test("a name server that is silent is not taken for the file server", () => {
  const { console } = boot("root=nfs:nas.example:/srv/root", { servers: { "nas.example": [] } });
  expect(console).toContain("seen: no answer yet about the address of nas.example, or from its port 2049");
  expect(console).toContain("seen: the name server does not answer");
});

describe("a server that is not there yet is waited for, and within 5 s a line says what was seen", () => {
  test.each([
    ["it refuses", {}, "waiting for 192.0.2.1:/srv/root, 4 of 30 s · seen: the server refused the connection"],
    [
      "it is silent",
      { isSilent: true },
      "waiting for 192.0.2.1:/srv/root, 3 of 30 s · seen: no answer from port 2049 of 192.0.2.1",
    ],
  ])("%s", (_, how, line) => {
    const { end, console, endMs } = boot("root=nfs:192.0.2.1:/srv/root", {
      nfs: { "192.0.2.1": { ...SERVER, fromMs: 20_000, ...how } },
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toContain(line);
    expect(endMs).toBeWithin(20_000, 26_000);
  });
});

test("a process that starts slowly is not blamed on the server", () => {
  const { end, console } = boot("root=nfs:192.0.2.1:/srv/root", {
    nfs: { "192.0.2.1": { ...SERVER, processMs: 4000 } },
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain("waiting for 192.0.2.1:/srv/root, 3 of 30 s · seen: starting the process that mounts");
  expect(console).not.toContain("no answer from port");
});

test("a server that never answers the mount ends in a report, not in a hang", () => {
  const { console, record, endMs } = boot("root=nfs:192.0.2.1:/srv/root rd.timeout=20", {
    nfs: { "192.0.2.1": { ...SERVER, isStuck: true } },
  });
  expect(console).toContain(
    "waiting for 192.0.2.1:/srv/root, 3 of 20 s · seen: 192.0.2.1 does not answer the mount by NFS 4.2",
  );
  expect(record.failure?.join(" ")).toContain("could not mount 192.0.2.1:/srv/root within 20 s");
  expect(endMs).toBeWithin(20_000, 22_000);
});

test("a refusal is reported with its cure after a few seconds", () => {
  for (const [more, reason] of [
    [{ denied: ["/srv/root"] }, "access denied by the server"],
    [{ exports: {} }, "the server exports no such directory"],
  ] as const) {
    const { console, record, endMs } = boot("root=nfs:192.0.2.1:/srv/root", {
      nfs: { "192.0.2.1": { ...SERVER, ...more } },
    });
    expect(record.failure?.join(" ")).toContain(`NFS 4.2: ${reason}`);
    expect(console).toContain("/etc/exports of the server");
    expect(console).toContain(` s · seen: NFS 4.2: ${reason}`);
    expect(endMs).toBeWithin(5000, 16_000);
  }
  const { endMs, console } = boot("root=nfs:192.0.2.1:/srv/root", { filesystems: ["ext4"] });
  expect(endMs).toBeLessThan(2000);
  expect(console).toContain("levain image --network");
});

test("the interface that carries the root keeps its address, and the real system learns that", () => {
  const { journal } = boot("root=nfs:192.0.2.1:/srv/root");
  expect(journal).toContain("add 192.0.2.50/24 to 2 broadcast 192.0.2.255");
  const written = journal.join("\n");
  expect(written).toContain("/run/systemd/network/10-levain-eth0.network");
  expect(written).toContain("/run/network/ifstate");
  const web = boot("rd.neednet=1 root=LABEL=R rd.timeout=1");
  expect(web.journal.join("\n")).toContain("/run/systemd/network/98-levain-eth0.network");
});

test("an image in an exported directory, and a tmpfs over one", () => {
  const { squashfs } = stick();
  const nfs = { "192.0.2.1": { ...SERVER, exports: { "/srv/live": { "/LiveOS/squashfs.img": squashfs.bytes } } } };
  const live = boot("root=live:nfs:192.0.2.1:/srv/live", { nfs, images: [squashfs], filesystems: ["nfs", "squashfs"] });
  expect(live.end).toMatchObject({ mode: "switch_root" });
  expect(mountsOf(live.journal)[0]).toContain("at /run/levain/medium (ro,");
  const over = boot("root=nfs:192.0.2.1:/srv/root rd.overlay");
  expect(over.mounts).toEqual(expect.arrayContaining(["/sysroot overlay overlay"]));
});

test("live media of Debian, Ubuntu and Arch in an exported directory", () => {
  const { squashfs } = stick();
  for (const [path, cmdline] of [
    ["/live/filesystem.squashfs", "boot=live netboot=nfs nfsroot=192.0.2.1:/srv/m nfsopts=vers=3"],
    ["/casper/filesystem.squashfs", "boot=casper netboot nfsroot=/srv/m,vers=3"],
    ["/arch/x86_64/airootfs.sfs", "archiso_nfs_srv=192.0.2.1:/srv/m,vers=3"],
  ] as const) {
    const nfs = { "192.0.2.1": { ...SERVER, exports: { "/srv/m": { [path]: squashfs.bytes } } } };
    const { end, journal } = boot(cmdline, { nfs, images: [squashfs], filesystems: ["nfs", "squashfs"] });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(mountsOf(journal)).toEqual([
      "mount nfs 192.0.2.1:/srv/m at /run/levain/medium (ro,vers=3,nolock,addr=192.0.2.1)",
    ]);
    expect(journal).toContain(`loop /run/levain/medium${path} (ro)`);
  }
  const failed = boot("archisobasedir=arch archiso_nfs_srv=nowhere").record.failure?.join(" ");
  expect(failed).toContain("archiso_nfs_srv=nowhere: Expected [SERVER:]PATH");
});

test("a mistake in nfsroot= counts only if the root is on NFS", () => {
  expect(boot("root=/dev/nfs nfsroot=nowhere").record.failure?.join(" ")).toContain(
    "nfsroot=nowhere: Expected [SERVER:]PATH",
  );
});
