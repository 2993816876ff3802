import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { findOut, findPassedOver } from "../../../../src/desk/inspect/findings.ts";
import { unpackTree } from "../../../../src/desk/inspect/unpack-tree.ts";
import { DIRECTORY, type RawMember, rawCpio, SYMLINK } from "../../../support/crafted-cpio.ts";
import { packedChild } from "../../../support/packed-program.ts";
import { readCpio } from "../../../support/read-cpio.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";

/** The tree of these files (or "-> target"), with the directories above them. */
function treeOf(files: Readonly<Record<string, string | Uint8Array>>) {
  const directories = new Set(
    Object.keys(files).flatMap((path) =>
      path
        .split("/")
        .slice(0, -1)
        .map((_, index, parts) => parts.slice(0, index + 1).join("/")),
    ),
  );
  const members: RawMember[] = [
    ...[...directories].sort().map((name) => ({ name, mode: DIRECTORY })),
    ...Object.entries(files).map(([name, data]) =>
      typeof data === "string" && data.startsWith("-> ")
        ? { name, mode: SYMLINK, data: data.slice(3) }
        : { name, data },
    ),
  ];
  return unpackTree([readCpio(rawCpio(members)).members]).root;
}

const MODULES = "usr/lib/modules/6.1.0";

describe("what an image is", () => {
  test.each<[string, Readonly<Record<string, string>>, string | null, readonly string[]]>([
    [
      "dracut",
      { "usr/lib/dracut/dracut-059-4": "", "usr/lib/dracut/hooks/a": "" },
      "dracut 059-4",
      ["/usr/lib/dracut/hooks"],
    ],
    [
      "initramfs-tools",
      { "conf/initramfs.conf": "", "scripts/functions": "" },
      "initramfs-tools",
      ["/scripts", "/conf"],
    ],
    [
      "live-boot",
      { "conf/initramfs.conf": "", "scripts/functions": "", "scripts/live": "" },
      "initramfs-tools with live-boot",
      ["/scripts", "/conf"],
    ],
    [
      "mkinitcpio",
      { init_functions: "", config: "", VERSION: "VERSION=39\n", "hooks/udev": "" },
      "mkinitcpio 39",
      ["/hooks", "/config", "/init_functions"],
    ],
    ["booster", { "etc/booster.init.yaml": "" }, "booster", ["/etc/booster.init.yaml"]],
    ["levain", { "etc/levain.json": "{}" }, "levain", []],
    ["unknown", { "etc/fstab": "" }, null, []],
  ])("made by %s", (_name, files, maker, passedOver) => {
    const root = treeOf(files);
    expect(findOut(root).maker).toBe(maker);
    expect(findPassedOver(root)).toEqual(passedOver);
  });

  test.each<[string, Readonly<Record<string, string>>, unknown]>([
    [
      "systemd",
      { init: "-> usr/lib/systemd/systemd", "usr/lib/systemd/systemd": "\x7fELF" },
      "/usr/lib/systemd/systemd",
    ],
    ["script", { init: "#!/bin/sh\n" }, "/init"],
    ["busybox", { init: "-> bin/busybox", "bin/busybox": "\x7fELF" }, "/bin/busybox"],
    ["program", { init: "\x7fELF, and then nothing" }, "/init"],
  ])("with %s as its init", (kind, files, path) => {
    expect(findOut(treeOf(files)).init).toEqual({ kind, path, runtime: null } as never);
  });

  test("with levain as its init: stage0 is around it", async () => {
    const levain = readFileSync(await packedChild());
    expect(findOut(treeOf({ init: levain })).init).toMatchObject({ kind: "levain", runtime: "plain" });
    expect(findOut(treeOf({ init: readFileSync(BUSYBOX) })).init?.kind).toBe("program");
  });

  test("a dangling link does not count as one", () => {
    expect(findOut(treeOf({ init: "-> gone" })).init).toBeNull();
  });

  test("with modules in one place by two names, counted once, and how they are found", () => {
    const files = {
      lib: "-> usr/lib",
      [`${MODULES}/kernel/a.ko`]: "",
      [`${MODULES}/kernel/b.ko.zst`]: "",
      [`${MODULES}/kernel/c.ko.xz`]: "",
      [`${MODULES}/modules.order`]: "",
    };
    const indexOf = (more: Readonly<Record<string, string>>) => findOut(treeOf({ ...files, ...more })).kernels;
    expect(indexOf({})).toEqual([{ version: "6.1.0", count: 3, index: "none" }]);
    expect(indexOf({ "usr/lib/modules/virtio.ko": "" })[0]).toEqual({ version: null, count: 1, index: "none" });
    expect(indexOf({ "virtio.ko": "" })).toEqual([{ version: null, count: 1, index: "none" }, ...indexOf({})]);
    expect(indexOf({ [`${MODULES}/modules.dep.bin`]: "" })[0]?.index).toBe("binary");
    expect(indexOf({ [`${MODULES}/modules.dep.bin`]: "", [`${MODULES}/modules.dep`]: "" })[0]?.index).toBe("text");
    expect(indexOf({ [`${MODULES}/levain-modules`]: "" })[0]?.index).toBe("levain");
  });

  test("with BusyBox or another shell, fsck, firmware and microcode", () => {
    const found = findOut(
      treeOf({
        bin: "-> usr/bin",
        "usr/bin/sh": "-> dash",
        "usr/bin/dash": "",
        "usr/sbin/fsck.ext4": "",
        "usr/sbin/fsck.vfat": "",
        "usr/lib/firmware/a": "",
        "kernel/x86/microcode/GenuineIntel.bin": "",
      }),
    );
    expect(found).toMatchObject({ busybox: null, shell: "/bin/sh", checkers: ["ext4", "vfat"], firmwareFiles: 1 });
    expect(found.fallbacks).toEqual([]);
    expect(found.microcode).toEqual(["GenuineIntel"]);
    expect(findOut(treeOf({ "usr/bin/busybox": "" })).busybox).toBe("/usr/bin/busybox");
  });

  test("with what the kernel would start if it could not start /init: programs only, through links", () => {
    const program = (name: string, mode = 0o100755): RawMember => ({ name, mode, data: "x" });
    const link = (name: string, data: string): RawMember => ({ name, mode: SYMLINK, data });
    const members = [
      ...["usr", "usr/bin", "usr/sbin", "etc"].map((name) => ({ name, mode: DIRECTORY })),
      ...[link("bin", "usr/bin"), link("sbin", "usr/sbin"), link("usr/bin/sh", "busybox"), program("usr/bin/busybox")],
      ...[program("etc/init", 0o100644), link("usr/bin/init", "../../nowhere"), link("usr/sbin/init", "/bin/sh")],
    ];
    // An early segment, as of microcode, is unpacked like any other.
    const early = [{ name: "bin", mode: DIRECTORY }, program("bin/sh")];
    const archives = (...all: readonly (readonly RawMember[])[]) =>
      unpackTree(all.map((one) => readCpio(rawCpio(one)).members)).root;
    expect(findOut(archives(members)).fallbacks).toEqual(["/sbin/init", "/bin/sh"]);
    expect(findOut(archives(early, [program("init")])).fallbacks).toEqual(["/bin/sh"]);
  });
});
