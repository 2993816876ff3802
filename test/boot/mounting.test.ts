import { describe, expect, test } from "bun:test";
import { retryBoot } from "../../src/rescue/commands/retry.ts";
import { ELF, type FakeBootOptions, fakeBoot, rootImage, stick } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

const withRoot = (cmdline = "root=LABEL=ROOT", more: FakeBootOptions = {}): FakeBootOptions => ({
  cmdline,
  disks: [{ name: "vda", image: rootImage() }],
  ...more,
});

describe("fsck, if the image has it", () => {
  const checked = (status: number, output = "said so\n", cmdline?: string) =>
    fakeBoot(
      withRoot(cmdline, {
        files: { "/sbin/fsck.ext4": { data: ELF, mode: 0o755 } },
        programs: { "/sbin/fsck.ext4": () => ({ status, output }) },
      }),
    );

  test("runs before the mount and is silent if all is well", () => {
    const { journal, console } = checked(0);
    expect(journal.indexOf("run /sbin/fsck.ext4 -a /dev/vda")).toBeLessThan(
      journal.indexOf("mount ext4 /dev/vda at /sysroot (ro)"),
    );
    expect(journal).toContain("run /sbin/fsck.ext4 -a /dev/vda");
    expect(console).not.toContain("fsck");
  });

  test("checks a clean filesystem with force, and none with skip", () => {
    expect(checked(0, "", "root=LABEL=ROOT fsck.mode=force").journal).toContain("run /sbin/fsck.ext4 -a -f /dev/vda");
    const { journal, end } = checked(4, "", "root=LABEL=ROOT fsck.mode=skip");
    expect(journal.filter((line) => line.startsWith("run "))).toEqual([]);
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("repairs everything with fsck.repair=yes, nothing with no", () => {
    const repaired = (value: string, status: number) => checked(status, "", `root=LABEL=ROOT fsck.repair=${value}`);
    expect(repaired("yes", 1).journal).toContain("run /sbin/fsck.ext4 -y /dev/vda");
    expect(repaired("no", 0).journal).toContain("run /sbin/fsck.ext4 -n /dev/vda");
    expect(repaired("no", 4).console).toContain("has errors that fsck may not repair: fsck.repair=no");
    expect(repaired("yes", 4).console).toContain("has errors that fsck cannot repair");
    expect(repaired("yes", 4).console).not.toContain("add fsck.repair=yes");
    expect(checked(4).console).toContain("add fsck.repair=yes");
  });

  test("reports what it repaired", () => {
    expect(checked(1).console).toContain("warning   fsck repaired /dev/vda: said so");
    expect(checked(3).end).toMatchObject({ mode: "switch_root" });
  });

  test("stops the boot if errors are left", () => {
    const { console, end, journal } = checked(
      4,
      "no directory.  \n\n/dev/vda: UNEXPECTED INCONSISTENCY\n\t(i.e., without -a)\n",
    );
    expect(console).toContain(
      "the filesystem on /dev/vda has errors that fsck does not repair automatically\n" +
        "  no directory.\n  /dev/vda: UNEXPECTED INCONSISTENCY\n  (i.e., without -a)\n",
    );
    expect(end).toBe("poweroff");
    expect(journal).not.toContain("mount ext4 /dev/vda at /sysroot (ro)");
    expect(checked(12, "").console).toContain("/sbin/fsck.ext4 ended with status 12");
  });

  test("that fails itself stops nothing", () => {
    for (const status of [8, 16, 32, 127, 128 + 6, 128 + 11]) {
      const { console, end } = checked(status);
      expect(console).toContain(`/dev/vda was not checked, /sbin/fsck.ext4 ended with status ${status}: said so`);
      expect(end).toMatchObject({ mode: "switch_root" });
    }
    const broken = fakeBoot(withRoot(undefined, { files: { "/sbin/fsck.ext4": "no program" } }));
    expect(broken.console).toContain("ended with status 127: permission denied (EACCES)");
    expect(broken.end).toMatchObject({ mode: "switch_root" });
  });

  test.each([
    [
      "Out of memory: Killed process 107 (fsck.ext4) total-vm:9kB",
      "kernel: Out of memory: Killed process 107 (fsck.ext4)",
    ],
    ["tty tty1: SAK: killed process 107 (fsck.ext4): by fd#1", "kernel: tty tty1: SAK: killed process 107 (fsck.ext4)"],
    ["Out of memory: Killed process 99 (other) total-vm:9kB", "the kernel's log does not say why"],
  ])("that was killed is reported with what the kernel says of it: %s", (kernelSays, told) => {
    const options: FakeBootOptions = withRoot(undefined, {
      files: { "/sbin/fsck.ext4": { data: ELF, mode: 0o755 } },
      programs: {
        "/sbin/fsck.ext4": () => {
          say(kernelSays);
          return { status: 128 + 9 };
        },
      },
      before: (machine) => {
        say = machine.say;
      },
    });
    let say: (text: string) => void = () => undefined;
    const { console, end } = fakeBoot(options);
    expect(console).toContain(`/sbin/fsck.ext4 was killed by SIGKILL (${told}`);
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("that takes long is waited for aloud", () => {
    const { end, console } = fakeBoot(
      withRoot(undefined, {
        files: { "/sbin/fsck.ext4": { data: ELF, mode: 0o755 } },
        programs: { "/sbin/fsck.ext4": () => ({ tookMs: 9000 }) },
      }),
    );
    expect(end).toMatchObject({ mode: "switch_root" });
    expect([...(console.match(/waiting for .*/g) ?? [])]).toEqual([
      "waiting for fsck.ext4 of /dev/vda, 1 s",
      "waiting for fsck.ext4 of /dev/vda, 2 s",
      "waiting for fsck.ext4 of /dev/vda, 5 s",
    ]);
  });

  test("never checks what is not written: the lower layer of an overlay", () => {
    expect(checked(4, "", "root=LABEL=ROOT rd.overlay").end).toMatchObject({ mode: "switch_root" });
  });
});

describe("mount", () => {
  test("that takes long is waited for aloud, with quiet from 5 s on", () => {
    const disks = [{ name: "vda", image: rootImage(), replaysForMs: 12_000 }];
    const waits = (cmdline: string): string[] => [
      ...(fakeBoot({ cmdline, disks }).console.match(/waiting for .*/g) ?? []),
    ];
    const said = [1, 2, 5, 10].map((seconds) => `waiting for /dev/vda to be mounted, ${seconds} s`);
    expect(waits("root=LABEL=ROOT")).toEqual(said);
    expect(waits("root=LABEL=ROOT quiet")).toEqual(said.slice(2));
  });

  test("rw on a write-protected device: read-only, with a warning", () => {
    const { console, journal } = fakeBoot({
      cmdline: "root=LABEL=ROOT rw",
      disks: [{ name: "vda", image: rootImage(), readOnly: true }],
    });
    expect(console).toContain("warning   /dev/vda is write-protected, mounting it read-only");
    expect(journal).toContain("mount ext4 /dev/vda at /sysroot (ro)");
  });

  test("tries the types of rootfstype= in order, and reports each refusal", () => {
    const found = fakeBoot(withRoot("root=LABEL=ROOT rootfstype=vfat,ext4 rootflags=noatime,data=journal"));
    expect(found.journal).toContain("mount vfat /dev/vda at /sysroot (noatime,ro,data=journal) → EINVAL");
    expect(found.journal).toContain("mount ext4 /dev/vda at /sysroot (noatime,ro,data=journal)");
    const none = fakeBoot(withRoot("root=LABEL=ROOT rootfstype=vfat,xfs"));
    expect(none.console).toContain("  vfat: the device holds ext4 (EINVAL)\n  xfs: the device holds ext4 (ENODEV)\n");
    expect(none.console).toContain("hint: correct rootfstype=, or remove it\n");
  });

  test("what mount(8) keeps to itself does not reach the kernel", () => {
    for (const [flags, mounted] of [
      ["rw,suid,dev,exec,auto,nouser,async", "ro"],
      ["noatime,x-systemd.device-timeout=0,comment=root", "noatime,ro"],
      ["user,exec,dev,suid,data=journal", "ro,data=journal"],
      ["owner", "nosuid,nodev,ro"],
    ]) {
      const { journal, end } = fakeBoot(withRoot(`root=LABEL=ROOT rootflags=${flags}`));
      expect(journal).toContain(`mount ext4 /dev/vda at /sysroot (${mounted})`);
      expect(end).toMatchObject({ mode: "switch_root" });
    }
    const user = fakeBoot(withRoot("root=LABEL=ROOT rootflags=user"));
    expect(user.console.replaceAll(/\n +/g, " ")).toContain("remove noexec and user from rootflags=");
  });

  test("a device without a filesystem is reported with what it has", () => {
    const blank = fakeBoot({ cmdline: "root=/dev/vda", disks: [{ name: "vda" }] });
    expect(blank.console).toContain(
      "could not mount /dev/vda\n  it holds nothing that levain knows, and no type was given",
    );
    const disk = fakeBoot({ cmdline: "root=/dev/vda", disks: [{ name: "vda", partitions: [{ image: rootImage() }] }] });
    expect(disk.console).toContain("it holds a gpt partition table");
    const unreadable = fakeBoot({
      cmdline: "root=/dev/vda",
      disks: [{ name: "vda" }],
      before: (machine) => machine.refuse("openAsyncReader", "/dev/vda", "EIO"),
    });
    expect(unreadable.console).toContain("its content cannot be read: the device returns I/O errors");
  });
});

// fakeBoot throws if the console advises something that needs a shell.
describe("without a shell, nothing that needs one is advised", () => {
  const fsck = {
    files: { "/sbin/fsck.ext4": { data: ELF, mode: 0o755 } },
    programs: { "/sbin/fsck.ext4": () => ({ status: 4 }) },
  } as const;
  const refuse = (method: "openAsyncReader" | "attachLoop", call: string) => (machine: FakeMachine) =>
    machine.refuse(method, call, "EIO");
  test.each<[string, string, FakeBootOptions]>([
    ["a refused mount", "could not mount", withRoot("root=LABEL=ROOT rootfstype=vfat")],
    ["refused options", "could not mount", withRoot("root=LABEL=ROOT rootfstype=vfat rootflags=noatime")],
    ["a filesystem with errors", "has errors", withRoot(undefined, fsck)],
    [
      "a disk that cannot be read",
      "I/O errors",
      withRoot("root=/dev/vda", { before: refuse("openAsyncReader", "/dev/vda") }),
    ],
    ["a blank disk", "nothing that levain knows", { cmdline: "root=/dev/vda", disks: [{ name: "vda" }] }],
    [
      "no loop device",
      "newroot.sfs",
      {
        cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs",
        disks: [{ name: "sda", image: stick().disk }],
        before: refuse("attachLoop", "loop /run/levain/medium/newroot.sfs (ro)"),
      },
    ],
  ])("%s", (_, words, options) => {
    const { console, end } = fakeBoot({ ...options, cmdline: `${options.cmdline} rdshell=0` });
    expect(console).toContain(words);
    expect(console).toContain("hint: ");
    expect(end).toBe("halt");
  });
});

describe("the handover", () => {
  test("a root without the directories for /dev and the others, and read-only, starts without them", () => {
    const bare = fakeImage(
      "ext4",
      { label: "ROOT" },
      { "/sbin/init": { data: ELF, mode: 0o755 }, "/run": { link: "tmp" } },
    );
    const { console, end, journal } = fakeBoot({ cmdline: "root=LABEL=ROOT", disks: [{ name: "vda", image: bare }] });
    expect(end).toMatchObject({ mode: "switch_root" });
    for (const directory of ["/dev", "/sys", "/run", "/proc"]) {
      expect(console).toContain(
        `the new root has no directory ${directory}, and it cannot be created: the system starts without`,
      );
      expect(journal).toContain(`unmount ${directory} (lazy)`);
    }
  });

  test.each<[string, FakeTree]>([
    ["a link out of the root", { "/run": { link: "/sysroot/dev/../dev/vdb" } }],
    [
      "a link to a tree with a link to a disk in it",
      { "/run": { link: "evil" }, "/evil/levain/boot.json": { link: "/sysroot/dev/vdb" } },
    ],
    ["a dangling link", { "/run": { link: "/nowhere" } }],
    ["a file", { "/run": "a file\n" }],
  ])("a root whose /run is %s gets nothing mounted or written there", (_, changes) => {
    const root = { ...changes, "/sysroot/dev/vdb": "untouched", "/nowhere-else": { directory: true } } as const;
    const { console, end, journal } = fakeBoot({
      cmdline: "root=LABEL=ROOT rw",
      disks: [{ name: "vda", image: rootImage("ROOT", root) }],
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).toContain("the new root has no directory /run");
    expect(journal).toContain("unmount /run (lazy)");
    expect(journal.filter((line) => /^(write|move) .*(\/sysroot\/(run|evil|nowhere)|vdb)/.test(line))).toEqual([]);
  });

  test.each(["/sysroot", "/run"])("a read-only initrd without %s is told to have it", (place) => {
    const { console, journal } = fakeBoot(
      withRoot("root=LABEL=ROOT", {
        rootType: "squashfs",
        before: (machine) => machine.refuse("makeDirectory", place, "EROFS"),
      }),
    );
    expect(console).toContain(`could not create ${place} to mount at`);
    expect(console).toContain(`hint: create the directory ${place} in the initramfs`);
    expect(journal).toContain("run /bin/busybox sh on /dev/ttyS0");
  });

  test("rd.putold= of a classic initrd needs its directory", () => {
    const initrd = {
      rootType: "ext2",
      files: { "/sys": { directory: true }, "/run": { directory: true }, "/sysroot": { directory: true } },
    } as const;
    const missing = fakeBoot(withRoot("root=LABEL=ROOT rd.putold=/initrd", initrd));
    expect(missing.console).toContain("the new root has no directory /initrd, which rd.putold= needs");
    expect(missing.journal.filter((line) => line.startsWith("move"))).toEqual([]);
    const linked = { ...initrd, files: { ...initrd.files, "/srv": { directory: true } } } as const;
    const image = rootImage("ROOT", { "/mnt": { link: "/srv" } });
    const disks = [{ name: "vda", image }];
    const away = fakeBoot({ cmdline: "root=LABEL=ROOT rd.putold=/mnt/initrd", disks, ...linked });
    expect(away.console).toContain("the new root has no directory /mnt/initrd, which rd.putold= needs");
    expect(away.journal).not.toContain("mkdir /sysroot/mnt/initrd");
  });

  test("rd.putold= of a classic initrd keeps it without its key files, or not at all", () => {
    const key = "/etc/cryptsetup-keys.d/root.key";
    const initrd = {
      rootType: "ext2",
      disks: [{ name: "vda", image: rootImage("ROOT", { "/initrd": { directory: true } }) }],
      files: {
        "/sys": { directory: true },
        "/run": { directory: true },
        "/sysroot": { directory: true },
        [key]: "secret",
      },
    } as const;
    const cmdline = "root=LABEL=ROOT rd.putold=/initrd";
    const kept = fakeBoot({ cmdline, ...initrd });
    expect(kept.end).toMatchObject({ mode: "pivot_root", putOld: "/initrd" });
    expect(kept.journal).toContain(`wipe ${key}`);
    const before = (machine: FakeMachine) => machine.refuse("wipeFile", "root.key", "EROFS");
    const readOnly = fakeBoot({ cmdline, ...initrd, before });
    expect(readOnly.end).toMatchObject({ mode: "pivot_root", putOld: null });
    expect(readOnly.console).toContain("the filesystem is read-only (EROFS): the old root is not kept");
  });

  describe("an initramfs stays visible at rd.putold=", () => {
    const roomy = (cmdline: string, more: FakeBootOptions = {}) => ({
      cmdline: `root=LABEL=ROOT ${cmdline}`,
      disks: [{ name: "vda", image: rootImage("ROOT", { "/initrd": { directory: true } }) }],
      ...more,
    });

    test.each([
      "rd.putold=/initrd",
      "rd.putold=/initrd rd.handover=pivot_root",
      "rd.putold=/initrd rd.handover=switch_root",
    ])("with %s, without its key files, and its cost is said", (cmdline) => {
      const files = { "/etc/cryptsetup-keys.d/root.key": "secret", "/big": "x".repeat(3 << 20) };
      const { console, end, journal } = fakeBoot(roomy(cmdline, { files }));
      expect(end).toMatchObject({ mode: "switch_root", putOld: "/initrd" });
      expect(journal).toContain("mount / at /sysroot/initrd (bind)");
      expect(journal.indexOf("wipe /etc/cryptsetup-keys.d/root.key")).toBeLessThan(
        journal.indexOf("mount / at /sysroot/initrd (bind)"),
      );
      expect(journal).toContain("wipe /etc/cryptsetup-keys.d/root.key");
      expect(console).toContain("the initramfs stays at /initrd: it uses 4 MiB of memory until its files are removed");
      expect(console).not.toContain("does not let pivot_root");
    });

    test.each<[string, FakeBootOptions, string]>([
      [
        "a key file that stays",
        {
          files: { "/etc/cryptsetup-keys.d/root.key": "secret" },
          before: (machine) => machine.refuse("wipeFile", "root.key", "EROFS"),
        },
        "the key file /etc/cryptsetup-keys.d/root.key cannot be removed: the filesystem is read-only (EROFS): the old root is not kept",
      ],
      [
        "a root without the directory",
        { before: (machine) => machine.refuse("makeDirectory", "/sysroot/", "EROFS") },
        "the new root has no directory /other, which rd.putold= needs: mkdir",
      ],
      [
        "a mount that is refused",
        { before: (machine) => machine.refuse("mount", "(bind)", "EINVAL") },
        "the old root is not kept",
      ],
    ])("or is removed as usual: %s", (name, more, warning) => {
      const place = name.includes("directory") ? "/other" : "/initrd";
      const { console, end } = fakeBoot(roomy(`rd.putold=${place}`, more));
      expect(end).toMatchObject({ mode: "switch_root", putOld: null });
      expect(console).toContain(warning);
      expect(console).not.toContain("stays at");
    });

    test("also if its size cannot be read", () => {
      const before = (machine: FakeMachine) => machine.refuse("listDirectory", /^listDirectory \/$/, "EIO");
      const { console, end } = fakeBoot(roomy("rd.putold=/initrd init=/sbin/init", { before }));
      expect(end).toMatchObject({ putOld: "/initrd" });
      expect(console).toContain("it uses 0 MiB of memory");
    });

    test("a handover that fails afterwards leaves no such mount", () => {
      const before = (machine: FakeMachine) => machine.refuse("moveMount", "/sysroot/run", "EINVAL");
      const { journal } = fakeBoot(roomy("rd.putold=/initrd", { before }));
      expect(journal).toContain("unmount /sysroot/initrd");
    });
  });

  test("rd.handover=pivot_root alone is named, and switch_root does it", () => {
    const { console, end } = fakeBoot(withRoot("root=LABEL=ROOT rd.handover=pivot_root"));
    expect(console).toContain("warning   the kernel does not let pivot_root leave an initramfs: using switch_root");
    expect(end).toMatchObject({ mode: "switch_root", putOld: null });
  });

  test("moves that one refusal stops are reverted, and the shell has its terminal", () => {
    const { journal, end } = fakeBoot(
      withRoot(undefined, {
        before: (machine) => machine.refuse("moveMount", "move /proc to /sysroot/proc", "EINVAL", { times: 1 }),
        person: [(machine) => expect(machine.stat("/dev/ttyS0")?.kind).toBe("character")],
      }),
    );
    expect(journal.filter((line) => line.startsWith("move"))).toEqual([
      "move /dev to /sysroot/dev",
      "move /sys to /sysroot/sys",
      "move /run to /sysroot/run",
      "move /proc to /sysroot/proc → EINVAL",
      "move /sysroot/run to /run",
      "move /sysroot/sys to /sys",
      "move /sysroot/dev to /dev",
      "move /dev to /sysroot/dev",
      "move /sys to /sysroot/sys",
      "move /run to /sysroot/run",
      "move /proc to /sysroot/proc",
    ]);
    expect(end).toMatchObject({ mode: "switch_root" });
  });
});

test("a root mounted with noexec is reported before anything is given up, and boots without the option", () => {
  const { console, end } = fakeBoot({
    ...withRoot("root=LABEL=ROOT rootflags=noatime,noexec"),
    person: [(machine) => void retryBoot(machine, ["rootflags=noatime"])],
  });
  expect(console.replaceAll(/\n +/g, " ")).toContain(
    "/sbin/init: lies on a filesystem that is mounted with noexec: remove noexec and user from rootflags=",
  );
  expect(end).toMatchObject({ mode: "switch_root" });
});

describe("an init that cannot be one", () => {
  const foreign = new Uint8Array(ELF);
  foreign.set([0xb7, 0], 18); // EM_AARCH64
  for (const [name, entry, words] of [
    ["of another machine", { data: foreign, mode: 0o755 }, "is a program for another architecture than x86_64"],
    ["neither program nor script", { data: "hello", mode: 0o755 }, "is neither an ELF program nor a script"],
    ["a directory", { directory: true }, "is a directory"],
    ["a dangling link", { link: "gone" }, "is a symbolic link to gone, which cannot be resolved"],
    [
      "a link out of the root",
      { link: "/srv/root/sbin/init" },
      "is a symbolic link to /srv/root/sbin/init, which cannot be resolved: in this root it is /sbin/init",
    ],
    [
      "a script whose interpreter is missing",
      { data: "#!/bin/no\n", mode: 0o755 },
      "interpreter /bin/no does not exist",
    ],
    ["not executable", { data: ELF, mode: 0o644 }, "is not executable"],
    ["a script without interpreter", { data: "#!\n", mode: 0o755 }, "is a script that names no interpreter"],
    ["a script that interprets itself", { data: "#!/my/init\n", mode: 0o755 }, "the kernel gives up"],
  ] as const) {
    test(name, () => {
      const { console, end } = fakeBoot({
        cmdline: "root=LABEL=ROOT init=/my/init",
        disks: [{ name: "vda", image: rootImage("ROOT", { "/my/init": entry }) }],
      });
      expect(console.replaceAll(/\n +/g, " ")).toContain(words);
      expect(console).toContain("the root's init /my/init cannot be started");
      expect(end).toBe("poweroff");
    });
  }
});
