import { expect, test } from "bun:test";
import { formatPlan } from "../../src/plan/format-plan.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { BootError } from "../../src/problems/errors.ts";
import { ELF, type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE } from "../support/fake-boot.ts";
import { fakeDhcpServer } from "../support/fake-dhcp-server.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import type { FakeEnd } from "../support/fake-processes.ts";

const CARD = { name: "eth0", mac: "52:54:00:12:34:56", servers: [fakeDhcpServer()] };
const PASSWORD = "tiramisu";

interface Call {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Boots with programs of the image that do as `does` says; the source of a mount is what each share is called. */
function boot(
  cmdline: string,
  type: "zfs" | "cifs",
  source: string,
  does: (call: Call, mount: () => FakeEnd, nowMs: number) => FakeEnd,
  more: FakeBootOptions = {},
) {
  const calls: Call[] = [];
  let machine: FakeMachine | null = null;
  const names = ["zpool", "mount.zfs", "mount.cifs"].map((name) => `/usr/sbin/${name}`);
  const program = (call: Call) => {
    calls.push(call);
    const mount = () => {
      machine?.mount({ source, target: "/sysroot", type, flags: ["ro"], options: "" });
      return {};
    };
    return does(call, mount, machine?.nowMs() ?? 0);
  };
  const result = fakeBoot({
    cmdline: `${cmdline} rdshell=0`,
    files: { ...INITRAMFS, ...Object.fromEntries(names.map((name) => [name, { data: ELF, mode: 0o755 }])) },
    programs: Object.fromEntries(names.map((name) => [name, program])),
    shares: { [source]: { type, tree: ROOT_TREE } },
    filesystems: [type],
    cards: [CARD],
    before: (it) => {
      machine = it;
    },
    ...more,
  });
  return { ...result, calls, lines: calls.map(({ argv }) => argv.join(" ")) };
}

test.each(["ZFS=tank/root", "zfs:tank/root"])(
  "root=%s: the pool is imported when its disks are there, and the dataset mounted",
  (root) => {
    const { end, lines, console, mounts } = boot(`root=${root}`, "zfs", "tank/root", ({ argv }, mount, nowMs) => {
      if (argv[1] === "list") return { status: 1, output: "cannot open 'tank': no such pool\n" };
      if (argv[1] === "import")
        return nowMs < 3000 ? { status: 1, output: "cannot import 'tank': no such pool available\n" } : {};
      return mount();
    });
    expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot" });
    expect(lines.at(-2)).toBe("/usr/sbin/zpool import -d /dev -N -o cachefile=none tank");
    expect(lines.at(-1)).toBe("/usr/sbin/mount.zfs -n -o ro,zfsutil tank/root /sysroot");
    expect(console).toContain("waiting for tank/root");
    expect(mounts).toContain("/sysroot zfs tank/root");
  },
);

test("a pool that is imported, and a dataset whose mount point is legacy", () => {
  const { lines } = boot("root=zfs:tank/root rw rootflags=noatime", "zfs", "tank/root", ({ argv }, mount) => {
    if (argv[1] === "list") return {};
    if (argv.join(" ").includes("zfsutil")) return { status: 1, output: "use 'zfs mount' instead\n" };
    return mount();
  });
  expect(lines).toEqual([
    "/usr/sbin/zpool list tank",
    "/usr/sbin/mount.zfs -n -o rw,noatime,zfsutil tank/root /sysroot",
    "/usr/sbin/mount.zfs -n -o rw,noatime tank/root /sysroot",
  ]);
});

test("what the program says is in the report when the time is up", () => {
  const { record, endMs } = boot("root=zfs:tank/root rd.timeout=7", "zfs", "tank/root", ({ argv }) => ({
    status: 1,
    output: argv[1] === "import" ? "cannot import 'tank': no such pool available\n" : "",
  }));
  expect(record.failure?.join("\n")).toContain("zpool: cannot import 'tank': no such pool available");
  expect(endMs).toBeLessThan(20_000);
});

test("a program that does not end holds up no boot, and its end is reported", () => {
  const { record, end, endMs } = boot("root=zfs:tank/root rd.timeout=7", "zfs", "tank/root", () => ({ tookMs: 1e9 }));
  expect(record.failure?.join("\n")).toContain("zpool had not ended after 17 s, so levain ended it: rd.timeout= is");
  expect(end).toBe("halt");
  expect(endMs).toBeWithin(17_000, 19_000);
});

test("the timeout is for all programs together", () => {
  const { record, lines, endMs } = boot("root=zfs:tank/root rd.timeout=7", "zfs", "tank/root", ({ argv }) => ({
    status: argv[1] === "import" ? 0 : 1,
    tookMs: 6000,
  }));
  expect(lines.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
    "/usr/sbin/zpool list",
    "/usr/sbin/zpool import",
    "/usr/sbin/mount.zfs -n",
  ]);
  expect(record.failure?.join("\n")).toContain("mount.zfs had not ended after 5 s, so levain ended it");
  expect(endMs).toBeLessThan(20_000);
});

test.each([
  [`root=cifs://boot:${PASSWORD}@10.0.0.1/root/sys ip=dhcp`],
  [`root=cifs://10.0.0.1/root/sys cifsuser=boot cifspass=${PASSWORD} ip=dhcp`],
])("a share: the password is in the environment alone, and nothing shows it", (cmdline) => {
  const { end, calls, lines, console, record, journal, mounts } = boot(
    cmdline,
    "cifs",
    "//10.0.0.1/root/sys",
    (_, mount) => mount(),
  );
  expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot" });
  expect(lines).toEqual(["/usr/sbin/mount.cifs //10.0.0.1/root/sys /sysroot -o ro"]);
  expect(calls[0]?.environment).toMatchObject({ USER: "boot", PASSWD: PASSWORD });
  expect(`${console}${JSON.stringify(record)}${journal.join("\n")}`).not.toContain(PASSWORD);
  expect(mounts).toContain("/sysroot cifs //10.0.0.1/root/sys");
});

test("a password in rootflags= is not shown either", () => {
  const cmdline = `root=cifs://10.0.0.1/root rootflags=username=boot,password=${PASSWORD} ip=dhcp`;
  const { end, console, record } = boot(cmdline, "cifs", "//10.0.0.1/root", (_, mount) => mount());
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(`${console}${JSON.stringify(record)}`).not.toContain(PASSWORD);
  const { plan } = makePlan({ cmdline, manifest: null });
  expect(formatPlan(plan).join("\n")).toContain("options username=boot,password=…");
});

test("a share for guests, whose server starts later", () => {
  const { end, lines, console } = boot(
    "root=cifs://10.0.0.1/root rootflags=vers=3.0 ip=dhcp",
    "cifs",
    "//10.0.0.1/root",
    (_, mount, nowMs) => {
      if (nowMs < 6000)
        return {
          status: 32,
          output: "mount error(111): could not connect to 10.0.0.1\nRefer to the mount.cifs(8) manual page\n",
        };
      return mount();
    },
  );
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(lines.at(-1)).toBe("/usr/sbin/mount.cifs //10.0.0.1/root /sysroot -o ro,vers=3.0,guest");
  expect(console).toContain("waiting for //10.0.0.1/root");
});

test.each([
  ["zfs:tank/root", "zpool"],
  ["cifs://10.0.0.1/root ip=dhcp", "mount.cifs"],
])("without the program, the report names it: root=%s", (root, program) => {
  const { record } = boot(`root=${root}`, "zfs", "x", () => ({}), { files: INITRAMFS });
  expect(record.failure?.join("\n")).toContain(`the image has no program ${program}`);
});

test("a malformed share is refused without its password", () => {
  expect(() => makePlan({ cmdline: `root=cifs://boot:${PASSWORD}@/x y`, manifest: null })).toThrow(BootError);
  try {
    makePlan({ cmdline: `root=cifs://boot:${PASSWORD}@/x`, manifest: null });
  } catch (error) {
    expect((error as BootError).seen.join()).not.toContain(PASSWORD);
  }
});
