import { describe, expect, test } from "bun:test";
import { warnOfLackingOptions, warnOfNoModules } from "../../../../src/desk/kernels/lacking-options.ts";
import type { ConfiguredKernel } from "../../../../src/desk/kernels/without-modules.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";

/** A kernel whose configuration has everything but `lacks`; `modules` are its modules. */
function kernel(lacks: readonly string[], modules: readonly string[] = []): ConfiguredKernel {
  const config = (option: string, orModule = false) =>
    !lacks.includes(option) && (orModule || !modules.includes(option));
  return { version: "6.1-small", modulesDir: "/lib/modules/6.1-small", hasModules: false, config };
}

function warn(cmdline: string, lacks: readonly string[], modules: readonly string[] = []): readonly string[] {
  return warnOfLackingOptions(kernel(lacks, modules), [makePlan({ cmdline, manifest: null }).plan]);
}

const without = (option: string) => expect.stringContaining(`without CONFIG_${option}: `);
const LIVE = "root=LABEL=FLASH rd.image=/newroot.sfs";
const LOCKED = "root=/dev/mapper/root rd.luks.name=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c=root";

describe("a warning names each option that a kernel lacks", () => {
  test.each([
    "BINFMT_ELF",
    "PROC_FS",
    "SYSFS",
    "TMPFS",
    "FUTEX",
    "EPOLL",
    "EVENTFD",
    "NET",
    "BINFMT_SCRIPT",
    "DEVTMPFS",
  ])("%s, for every boot", (option) => {
    expect(warn("root=LABEL=R", [option])).toEqual([without(option)]);
    // What runs before modules are loaded cannot be one.
    expect(warn("root=LABEL=R", [], [option])).toEqual([without(option)]);
  });

  test.each([
    ["BLK_DEV_LOOP", LIVE],
    ["OVERLAY_FS", LIVE],
    ["BLK_DEV_DM", LOCKED],
    ["DM_CRYPT", LOCKED],
    ["EXT4_FS", "root=LABEL=R rootfstype=ext3"],
    ["SQUASHFS", "root=LABEL=R rootfstype=squashfs"],
    ["BTRFS_FS", "root=LABEL=R rootfstype=btrfs"],
  ])("%s only for a boot that needs it, and a module does too", (option, cmdline) => {
    expect(warn(cmdline, [option])).toEqual([without(option)]);
    expect(warn(cmdline, [], [option])).toEqual([]);
    expect(warn("root=LABEL=R", [option])).toEqual([]);
  });

  test("TMPFS_XATTR for changes in memory, not for those on a disk", () => {
    expect(warn(LIVE, ["TMPFS_XATTR"])).toEqual([without("TMPFS_XATTR")]);
    expect(warn(`${LIVE} rd.overlay=LABEL=CHANGES`, ["TMPFS_XATTR"])).toEqual([]);
  });

  test("INET for the network", () => {
    expect(warn("root=nfs:192.0.2.1:/srv ip=dhcp", ["INET"])).toEqual([without("INET")]);
  });

  test("none if the configuration is not known", () => {
    const unknown = { ...kernel([]), config: () => null };
    expect(warnOfLackingOptions(unknown, [makePlan({ cmdline: LIVE, manifest: null }).plan])).toEqual([]);
  });
});

test("modules that a kernel without modules was asked for are named", () => {
  expect(warnOfNoModules(kernel([]), ["aoe", "nbd"])).toEqual([
    "kernel 6.1-small has no modules, so the image does not get aoe, nbd: the kernel needs these drivers built in",
  ]);
  expect(warnOfNoModules(kernel([]), [])).toEqual([]);
  expect(warnOfNoModules({ ...kernel([]), hasModules: true }, ["aoe"])).toEqual([]);
});
