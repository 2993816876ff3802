import { describe, expect, test } from "bun:test";
import { STEP_NAMES } from "../../src/parameters/values.ts";
import { retryBoot } from "../../src/rescue/commands/retry.ts";
import { describeStatus } from "../../src/rescue/commands/status.ts";
import { ELF, fakeBoot, rootImage, stick } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

const exit = () => undefined;
const retry =
  (...parameters: string[]) =>
  (machine: FakeMachine) =>
    retryBoot(machine, parameters);

/** The programs that were run; with rdshell=0 no shell may be among them. */
function programs(journal: readonly string[]): readonly string[] {
  return journal.filter((line) => line.startsWith("run "));
}

test("a wrong label: what was wanted, what was found, what to try", () => {
  const { console, end, endMs } = fakeBoot({
    cmdline: "root=LABEL=WRONG rd.timeout=10",
    disks: [
      { name: "vda", partitions: [{ image: rootImage("Linux") }, { image: fakeImage("vfat", { label: "EFI" }) }] },
      { name: "vdb", image: fakeImage("crypto_LUKS", { uuid: "11111111-2222-4333-8444-555555555555" }) },
      { name: "vdc" },
    ],
  });
  expect(console).toMatchInlineSnapshot(`
    "levain 0.1.0 on Linux 6.1.0-fake
      prepare   command line read                                            0 ms
      modules   0 loaded for 0 devices                                       0 ms
      ...       waiting for LABEL=WRONG, 1 of 10 s · seen: /dev/vda1 ext4 "Linux" · /dev/vda2 vfat "EFI" · /dev/vdb crypto_LUKS · 1 more
      ...       waiting for LABEL=WRONG, 2 of 10 s
      ...       waiting for LABEL=WRONG, 5 of 10 s · seen: /dev/vda1 ext4 "Linux" · /dev/vda2 vfat "EFI" · /dev/vdb crypto_LUKS · 1 more

    could not find the root device
      no device with label "WRONG" appeared within 10 s
    seen:
      /dev/vda1 ext4 "Linux"
      /dev/vda2 vfat "EFI"
      /dev/vdb crypto_LUKS (encrypted: nothing asks to unlock it)
      /dev/vdc (unknown content)
    hint: if the root is in the encrypted device, \`levain retry rd.auto\` unlocks
          it, or add rd.auto or correct root= in the boot loader

    rescue shell: \`levain menu\` offers repairs, \`levain status\` shows what failed,
    \`exit\` retries from there, \`levain retry root=LABEL=NAME\` with another root
    "
  `);
  expect(end).toBe("poweroff");
  expect(endMs).toBeGreaterThanOrEqual(11_000);
});

test("a refused mount is reported in the kernel's words, and the device is probed again", () => {
  const broken = fakeImage("ext4", { label: "ROOT" });
  const { console, end, journal } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [{ name: "vda", image: broken }],
    before: (machine) =>
      machine.refuse("mount", "/dev/vda", "EUCLEAN", {
        times: 1,
        kernelLog: [
          "EXT4-fs (vda): ext4_check_descriptors: Checksum for group 0 failed",
          "EXT4-fs (vda): group descriptors corrupted!",
        ],
      }),
    person: [
      (machine) => {
        machine.pullOut("vda");
        machine.plugIn({ name: "vdb", image: rootImage() });
      },
    ],
  });
  expect(console).toMatchInlineSnapshot(`
    "levain 0.1.0 on Linux 6.1.0-fake
      prepare   command line read                                            0 ms
      modules   0 loaded for 0 devices                                       0 ms
      root      /dev/vda ext4 "ROOT"                                         0 ms

    could not mount /dev/vda at /sysroot
      ext4: the filesystem is damaged and needs repair (EUCLEAN)
      kernel: EXT4-fs (vda): ext4_check_descriptors: Checksum for group 0 failed
      kernel: EXT4-fs (vda): group descriptors corrupted!
    hint: check /dev/vda with fsck, then \`levain retry\`, or repair the filesystem
          on another machine

    rescue shell: \`levain menu\` offers repairs, \`levain status\` shows what failed,
    \`exit\` retries from there, \`levain retry root=LABEL=NAME\` with another root
      modules   0 loaded for 0 devices                                       0 ms
      root      /dev/vdb ext4 "ROOT"                                         0 ms
      mount     /dev/vdb ext4 at /sysroot, read-only                         0 ms
      layers    nothing to stack                                             0 ms
      init      /sbin/init                                                   0 ms
      handover  switch_root to /sbin/init                                    0 ms
    "
  `);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal).toContain("mount ext4 /dev/vdb at /sysroot (ro)");
});

test("a root without an init", () => {
  const { console } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [
      {
        name: "vda",
        image: rootImage("ROOT", { "/sbin/init": { data: "#!/no/such\n", mode: 0o755 }, "/etc/init": "text" }),
      },
    ],
  });
  expect(console.slice(console.indexOf("\nthe root has"))).toMatchInlineSnapshot(`
    "
    the root has no init
      /sbin/init: is a script, and its interpreter /no/such does not exist
      /etc/init: is not executable
      /bin/init: does not exist
      /bin/sh: does not exist
    seen: in the root: dev etc proc run sbin sys usr
    hint: correct root= if this is not the right root, or name the program with
          init=

    rescue shell: \`levain menu\` offers repairs, \`levain status\` shows what failed,
    \`exit\` retries from there, \`levain retry root=LABEL=NAME\` with another root
    "
  `);
});

test("a root with a shell only starts it, as the kernel does, but not with rdshell=0", () => {
  const image = rootImage("ROOT", { "/sbin/init": "text", "/bin/sh": { data: ELF, mode: 0o755 } });
  const disks = [{ name: "vda", image }];
  expect(fakeBoot({ cmdline: "root=LABEL=ROOT", disks }).end).toMatchObject({ init: "/bin/sh" });
  const { end, console } = fakeBoot({ cmdline: "root=LABEL=ROOT rdshell=0", disks });
  expect(end).toBe("halt");
  expect(console).toContain("\n  /bin/sh: is a shell, and rdshell=0 allows none\n");
});

test.each(["/etc/init", "/bin/init"])("a root whose /sbin/init cannot run, or is missing, starts %s", (init) => {
  const program = { data: ELF, mode: 0o755 };
  const roots: readonly FakeTree[] = [{}, { "/sbin/init": "no program" }, { "/sbin/init": { link: "/nowhere" } }];
  for (const root of roots) {
    const image = fakeImage("ext4", { label: "ROOT" }, { ...root, [init]: program, "/bin/sh": program });
    const { end } = fakeBoot({ cmdline: "root=LABEL=ROOT", disks: [{ name: "vda", image }] });
    expect(end).toMatchObject({ init });
  }
});

test("with rdshell=0 init= starts no shell either, by any name", () => {
  const program = { data: ELF, mode: 0o755 };
  const image = rootImage("ROOT", {
    "/bin/sh": { link: "dash" },
    "/bin/dash": program,
    "/bin/busybox": program,
    "/sbin/rescue": { link: "../bin/dash" },
    "/sbin/init": { link: "/bin/busybox" },
  });
  const disks = [{ name: "vda", image }];
  for (const path of ["/bin/sh", "/sbin/rescue", "/bin/busybox", "/sbin/../bin//dash"]) {
    const { end, console } = fakeBoot({ cmdline: `root=LABEL=ROOT rdshell=0 init=${path} -- sh`, disks });
    expect(end).toBe("halt");
    expect(console).toContain(`${path}: is a shell, and rdshell=0 allows none\n`);
    expect(fakeBoot({ cmdline: `root=LABEL=ROOT init=${path}`, disks }).end).toMatchObject({ init: path });
  }
  // A root whose own init is BusyBox's decides for itself.
  expect(fakeBoot({ cmdline: "root=LABEL=ROOT rdshell=0", disks }).end).toMatchObject({ init: "/sbin/init" });
});

describe("an initramfs as the final system, with rdshell=0", () => {
  const APPLETS = { "/sbin/init": { link: "../bin/busybox" }, "/bin/sh": { link: "busybox" } };
  const boot = (files: FakeTree, cmdline = "rdshell=0") => fakeBoot({ cmdline, files });

  test("has only a shell to start: the policy, and a report that says so", () => {
    for (const inittab of [
      {},
      { "/etc/inittab": "# x:/bin/sh\n::respawn:-/bin/sh\n" },
      ...["-/bin/ash", "/bin/busybox sh", "-/bin/sh -l", "setsid cttyhack sh"].map((process) => ({
        "/etc/inittab": `::sysinit:/etc/rc\n::askfirst:${process}\n`,
      })),
    ]) {
      const { end, console, shells } = boot({ ...APPLETS, ...inittab });
      expect(end).toBe("halt");
      expect(shells).toBe(0);
      expect(console).toContain("the initramfs is the final system, and rdshell=0 leaves it no init to start");
      expect(console).toContain("  /sbin/init: is busybox's init, ");
      expect(console).toContain("  /bin/sh: is a shell, and rdshell=0 allows none\n");
      expect(boot({ ...APPLETS, ...inittab }, "").end).toMatchObject({ mode: "stay", init: "/sbin/init" });
    }
  });

  test.each(["root=/dev/ram0", "root=LABEL=X rd.handover=stay", "init=/bin/sh", "panic=3 init=/bin/busybox -- sh"])(
    "with any other parameters: %s",
    (words) => {
      const { end, shells } = boot(APPLETS, `rdshell=0 ${words}`);
      expect(end).toBe(words.startsWith("panic") ? "reboot" : "halt");
      expect(shells).toBe(0);
    },
  );

  test("starts its own init, and BusyBox's if its inittab starts no shell", () => {
    const own = { ...APPLETS, "/sbin/init": { data: "#!/bin/sh\n", mode: 0o755 } };
    expect(boot(own).end).toMatchObject({ mode: "stay", init: "/sbin/init" });
    const inittab =
      "::sysinit:/bin/sh /etc/rc\n::wait:/bin/sh -c 'ls /'\n#::respawn:/bin/sh\n::respawn:/sbin/getty 9600 tty1\n";
    expect(boot({ ...APPLETS, "/etc/inittab": inittab }).end).toMatchObject({ mode: "stay", init: "/sbin/init" });
  });
});

test("a missing image", () => {
  const { disk, squashfs } = stick();
  const { console } = fakeBoot({
    cmdline: "root=LABEL=FLASH rd.image=/oldroot.sfs",
    disks: [{ name: "sda", image: disk }],
    images: [squashfs],
  });
  expect(console).toContain(
    "the medium has no image /oldroot.sfs\nseen: LiveOS · newroot.sfs\nhint: correct rd.image=",
  );
});

describe("the failure policy", () => {
  const wrong = { disks: [{ name: "vda", image: rootImage("OTHER") }] };
  const FAILURES = {
    "no root": { ...wrong, cmdline: "root=LABEL=WRONG" },
    "a mistake on the command line": { ...wrong, cmdline: "root=nonsense" },
    "a damaged /etc/levain.json": { ...wrong, cmdline: "root=LABEL=OTHER", files: { "/etc/levain.json": "{" } },
    "no init": { cmdline: "root=LABEL=X", disks: [{ name: "vda", image: fakeImage("ext4", { label: "X" }) }] },
  };

  for (const [name, options] of Object.entries(FAILURES)) {
    test(`${name}: a shell, which can continue`, () => {
      const { shells, end } = fakeBoot(options);
      expect(shells).toBe(1);
      expect(end).toBe("poweroff");
    });

    test(`${name}: rdshell=0 never runs anything`, () => {
      for (const word of ["rdshell=0", "rd.shell=no", "rdshell=0 rd.break", "rd.emergency=shell rdshell=0"]) {
        const boot = fakeBoot({ ...options, cmdline: `${options.cmdline} ${word}` });
        expect(programs(boot.journal)).toEqual([]);
        expect(boot.end).toBe("halt");
        expect(boot.console).toEndWith("rdshell=0 allows no shell: halting now\n");
      }
    });

    test(`${name}: panic=5 reboots after five seconds, and says so`, () => {
      const boot = fakeBoot({ ...options, cmdline: `${options.cmdline} panic=5 rd.timeout=1` });
      const failedMs = boot.record.messages.at(-1)?.atMs ?? 0;
      expect(boot.end).toBe("reboot");
      expect(boot.endMs - failedMs).toBe(5000);
      expect(boot.console).toContain("\nrebooting in 5 s (panic=5)\n");
      expect(programs(boot.journal)).toEqual([]);
    });

    for (const [action, words] of [
      ["reboot", "rebooting now"],
      ["poweroff", "powering off now"],
      ["halt", "halting now"],
    ] as const) {
      test(`${name}: rd.emergency=${action}`, () => {
        const boot = fakeBoot({ ...options, cmdline: `${options.cmdline} rd.emergency=${action}` });
        expect(boot.end).toBe(action);
        expect(boot.console).toContain(`\n${words}\n`);
        expect(programs(boot.journal)).toEqual([]);
      });
    }
  }

  test("panic=-1 reboots at once; rd.emergency=shell is stronger than panic=", () => {
    expect(fakeBoot({ ...FAILURES["no init"], cmdline: "root=LABEL=X panic=-1" }).console).toContain("rebooting now\n");
    expect(fakeBoot({ ...FAILURES["no init"], cmdline: "root=LABEL=X panic=5 rd.emergency=shell" }).shells).toBe(1);
  });

  test("the image's own policy holds, even if the command line has mistakes or no root=, and asks for a shell in every way", () => {
    const files = { "/etc/levain.json": '{"version":1,"kernel":null,"parameters":["rdshell=0"]}' };
    const others = "rdshell=1 rd.shell rescueshell=yes single rd.break=prepare,mount rd.emergency=shell rd.rescue";
    for (const cmdline of ["root=nonsense", `root=nonsense rd.timeout=soon ${others}`, others]) {
      const boot = fakeBoot({ ...wrong, cmdline, files });
      expect(boot.shells).toBe(0);
      expect(boot.end).toBe("halt");
      expect(programs(boot.journal).filter((line) => !line.endsWith("busybox --install -s"))).toEqual([]);
    }
  });

  test.each(["{", '{"version":2}'])("the image's rdshell=0 holds where its manifest is %s", (manifest) => {
    const files = { "/etc/levain.json": manifest, "/etc/levain.cmdline": "quiet rdshell=0\n" };
    const boot = fakeBoot({ ...wrong, cmdline: "root=LABEL=X", files });
    expect(boot.console).toContain("/etc/levain.json is");
    expect(boot.shells).toBe(0);
    expect(boot.end).toBe("halt");
    expect(fakeBoot({ ...wrong, cmdline: "root=LABEL=X rdshell", files }).shells).toBe(0);
  });

  test("one rdshell=0 is enough, wherever it is, and parameters that it overrides are named", () => {
    const files = { "/etc/levain.json": '{"version":1,"kernel":null,"parameters":["rdshell=0"]}' };
    for (const words of [
      "rdshell=1",
      "rdshell",
      "single",
      "rd.shell=yes rescueshell",
      "rd.break",
      "rd.emergency=shell",
    ]) {
      for (const options of [
        { cmdline: `root=LABEL=X ${words}`, files },
        { cmdline: `root=LABEL=X rdshell=0 ${words}` },
        { cmdline: `root=LABEL=X ${words} rescueshell=no` },
      ]) {
        const boot = fakeBoot({ ...wrong, ...options });
        expect(boot.shells).toBe(0);
        expect(boot.end).toBe("halt");
        const last = words.split(" ").at(-1) ?? "";
        expect(boot.console).toMatch(new RegExp(`${last}\\S* is not used: rdshell=0 `));
      }
    }
  });

  test("a machine that does not power off, and an image without a shell, say so", () => {
    const refused = fakeBoot({
      ...FAILURES["no init"],
      cmdline: "root=LABEL=X rd.emergency=reboot",
      before: (machine) => machine.refuse("power", "reboot", "EPERM"),
    });
    expect(refused.end).toBe("waits for ever");
    expect(refused.console).toContain("not permitted");
    expect(refused.console).toEndWith("the boot cannot continue: press Ctrl-Alt-Del, or switch the machine off\n");
    const empty = fakeBoot({ ...FAILURES["no init"], files: { "/bin/busybox": { directory: true } } });
    expect(empty.end).toBe("waits for ever");
    expect(empty.console).toContain("this image has no shell: add BusyBox with levain image --busybox FILE\n");
    const bare = fakeBoot({ ...FAILURES["no root"], files: { "/bin/busybox": { directory: true } } });
    expect(bare.console).toContain("hint: correct root= in the boot loader");
    expect(bare.console).not.toMatch(/levain (retry|status)|dmesg/);
  });

  test("quiet hides no failure", () => {
    const { console } = fakeBoot({ ...FAILURES["no init"], cmdline: "quiet root=LABEL=X" });
    expect(console).toStartWith("\nthe root has no init\n");
  });
});

test("all mistakes are reported at once, also with control characters in them", () => {
  const { console } = fakeBoot({
    cmdline: "rd.emergency=help rd.timeout=soon\x1b[2J rd.overlay=nfs rd.break=lunch ro quiet",
  });
  expect(console).toMatchInlineSnapshot(`
    "
    4 mistakes on the kernel command line
    seen:
      rd.emergency=help: Expected shell, menu, reboot, poweroff or halt but
        received "help"
      rd.timeout=soon\\x1b[2J: Expected a number of seconds but received
        "soon\\x1b[2J"
      rd.overlay=nfs: Expected tmpfs, tmpfs:size=SIZE, DEVICE[:/PATH], yes or no
        but received "nfs"
      rd.break=lunch: Expected a step (prepare, modules, network, resume, root,
        mount, layers, subtrees, init, handover) but received "lunch"
    hint: correct the parameters in the boot loader (see \`levain help parameters\`)

    rescue shell: \`levain menu\` offers repairs, \`levain status\` shows what failed,
    \`exit\` retries from there, \`levain retry root=LABEL=NAME\` with another root
    "
  `);
});

test("labels never reach a terminal unescaped", () => {
  const label = "a\x1b[2J\u202eb\x07\nc";
  const { console, machine, record } = fakeBoot({
    cmdline: "root=LABEL=ROOT rd.timeout=3 rd.debug",
    disks: [{ name: "vda", image: fakeImage("ext4", { label: Buffer.from(label).toString("latin1") }) }],
    person: [(machine) => machine.writeConsole((describeStatus(machine) ?? []).join("\n"))],
  });
  expect(console).toContain('/dev/vda ext4 "a\\x1b[2J\\u{202e}b\\x07\\x0ac"');
  for (const text of [console, machine.kernelLog().join("\n"), record.messages.map((one) => one.text).join("\n")]) {
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  }
});

describe("levain retry", () => {
  test("with a corrected root= starts again, and unmounts first what was mounted", () => {
    const { disk, squashfs } = stick();
    const { journal, console, end } = fakeBoot({
      cmdline: "root=LABEL=FLASH rd.image=/oldroot.sfs",
      disks: [
        { name: "sda", image: disk },
        { name: "vda", image: rootImage() },
      ],
      images: [squashfs],
      person: [retry("root=LABEL=ROOT", "rd.image=/none"), retry("rd.image=newroot.sfs", "root=LABEL=FLASH")],
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal.filter((line) => !line.startsWith("write /run/levain/bin/"))).toMatchInlineSnapshot(`
      [
        "mkdir /sys",
        "mount sysfs sysfs at /sys (nosuid,noexec,nodev)",
        "mkdir /run",
        "mount tmpfs tmpfs at /run (nosuid,nodev,mode=0755)",
        "mkdir /run/levain",
        "mkdir /run/levain/medium",
        "mount vfat /dev/sda at /run/levain/medium (ro)",
        "mkdir /run/levain/applets",
        "mkdir /run/levain/bin",
        "link /run/levain/bin/levain to /init",
        "run /bin/busybox --install -s /run/levain/applets",
        "link /bin/sh to /bin/busybox",
        "run /bin/busybox sh on /dev/ttyS0",
        "write /run/levain/rescue.pid",
        "write /run/levain/retry.json",
        "hang up a process",
        "remove /run/levain/rescue.pid",
        "remove /run/levain/retry.json",
        "unmount /run/levain/medium",
        "protect /dev/vda",
        "mount ext4 /dev/vda at /run/levain/medium (ro)",
        "run /bin/busybox --install -s /run/levain/applets",
        "run /bin/busybox sh on /dev/ttyS0",
        "write /run/levain/rescue.pid",
        "write /run/levain/retry.json",
        "hang up a process",
        "remove /run/levain/rescue.pid",
        "remove /run/levain/retry.json",
        "unmount /run/levain/medium",
        "release /dev/vda",
        "mount vfat /dev/sda at /run/levain/medium (ro)",
        "load /lib/modules/6.1.0-fake/kernel/drivers/block/loop.ko",
        "loop /run/levain/medium/newroot.sfs (ro)",
        "mkdir /run/levain/lower",
        "mount squashfs /dev/loop0 at /run/levain/lower (ro)",
        "load /lib/modules/6.1.0-fake/kernel/fs/overlay.ko",
        "mkdir /run/levain/overlay",
        "mount tmpfs tmpfs at /run/levain/overlay (mode=0755)",
        "mkdir /run/levain/overlay/upper",
        "mkdir /run/levain/overlay/work",
        "mkdir /sysroot",
        "mount overlay overlay at /sysroot (lowerdir=/run/levain/lower,upperdir=/run/levain/overlay/upper,workdir=/run/levain/overlay/work)",
        "mkdir /run/initramfs",
        "write /run/initramfs/shutdown",
        "release every device",
        "move /dev to /sysroot/dev",
        "move /sys to /sysroot/sys",
        "move /run to /sysroot/run",
        "move /proc to /sysroot/proc",
        "switch_root to /sysroot: /sbin/init with HOME=/ TERM=linux",
      ]
    `);
    expect(console).not.toContain("could not find");
  });

  test("alone, or exit, continues where the boot stopped", () => {
    for (const goOn of [exit, retry()]) {
      const { journal, end, shells } = fakeBoot({
        cmdline: "root=LABEL=ROOT",
        disks: [{ name: "vda", image: rootImage() }],
        before: (machine) => machine.refuse("openReader", "/sbin/init", "EIO", { times: 1 }),
        person: [goOn],
      });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(shells).toBe(1);
      expect(journal.filter((line) => line.startsWith("mount ext4"))).toEqual(["mount ext4 /dev/vda at /sysroot (ro)"]);
      expect(new Set(journal).size).toBe(journal.length);
    }
  });

  test("refuses a mistake or what is no parameter, and the shell stays", () => {
    const refusals: string[] = [];
    const attempt = (machine: FakeMachine, ...parameters: string[]) => {
      try {
        retryBoot(machine, parameters);
      } catch (error) {
        refusals.push(error instanceof Error ? error.message : String(error));
      }
    };
    const { end, journal } = fakeBoot({
      cmdline: "root=LABEL=WRONG",
      disks: [{ name: "vda", image: rootImage() }],
      person: [
        (machine) => {
          attempt(machine, "rot=LABEL=ROOT");
          attempt(machine, "root=nonsense");
          attempt(machine, "root=LABEL=ROOT", "loop.max_loop=8");
        },
      ],
    });
    expect(refusals).toEqual([
      "unknown parameter rot in levain retry (did you mean root=?)",
      "a mistake in the parameters of levain retry",
    ]);
    expect(journal.filter((line) => line === "hang up a process")).toHaveLength(1);
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("a damaged file of parameters is ignored", () => {
    const { end, shells } = fakeBoot({
      cmdline: "root=LABEL=ROOT",
      disks: [{ name: "vda", image: rootImage(), arrivesAtMs: 40_000 }],
      person: [(machine) => machine.writeFile("/run/levain/retry.json", "{")],
    });
    expect(shells).toBe(1);
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("corrects a mistake on the command line", () => {
    const { end, record } = fakeBoot({
      cmdline: "root=LABEL=ROOT rd.timeout=soon",
      disks: [{ name: "vda", image: rootImage() }],
      person: [retry("rd.timeout=5")],
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(record.commandLine).toBe("root=LABEL=ROOT rd.timeout=soon · levain retry: rd.timeout=5");
  });
});

test("a root that the user mounts at /sysroot by hand is used", () => {
  const { end, console, journal } = fakeBoot({
    cmdline: "root=LABEL=WRONG rd.overlay",
    disks: [{ name: "vda", image: rootImage() }],
    person: [
      (machine) => {
        machine.makeDirectory("/sysroot");
        machine.mount({ source: "/dev/vda", target: "/sysroot", type: "ext4", flags: ["ro"], options: "" });
      },
    ],
  });
  expect(end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
  expect(console).toContain("root      what was mounted by hand at /sysroot");
  expect(journal.filter((line) => line.includes("overlay"))).toEqual([]);
});

test("a shell that exits at once, again and again, is delayed", () => {
  const { shells, endMs } = fakeBoot({
    cmdline: "root=LABEL=X",
    disks: [{ name: "vda", image: fakeImage("ext4", { label: "X" }) }],
    person: Array.from({ length: 60 }, () => exit),
  });
  expect(shells).toBe(61);
  expect(endMs).toBeGreaterThan(60 * 2000);
});

test("a terminal that cannot be opened is replaced by the console, and the kernel's refusal of any shell is reported", () => {
  const options = { cmdline: "root=nonsense" };
  const other = fakeBoot({ ...options, before: (machine) => machine.refuse("runOnTerminal", "on /dev/ttyS0", "EIO") });
  expect(other.journal).toContain("run /bin/busybox sh on /dev/console");
  expect(other.shells).toBe(1);
  const none = fakeBoot({ ...options, before: (machine) => machine.refuse("runOnTerminal", "busybox", "ENOEXEC") });
  expect(none.shells).toBe(0);
  expect(none.end).toBe("waits for ever");
  expect(none.console).toContain(
    "could not start the shell /bin/busybox on /dev/ttyS0: it is not a program that this machine can run (ENOEXEC)",
  );
});

describe("rd.break", () => {
  const options = { disks: [{ name: "vda", image: rootImage() }] };

  for (const step of STEP_NAMES) {
    test(`=${step}: a shell before it, once, and then the whole boot`, () => {
      let status: readonly string[] = [];
      const { end, shells, record, console, journal } = fakeBoot({
        ...options,
        cmdline: `root=LABEL=ROOT rd.break=${step}`,
        person: [
          (machine) => {
            status = describeStatus(machine) ?? [];
          },
        ],
      });
      expect(console).toContain(
        `\nstopped before the step "${step}" (rd.break): \`exit\` or \`levain retry\` continues\n`,
      );
      expect(status).toContain(`The boot waits before the step "${step}" (rd.break).`);
      expect(shells).toBe(1);
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(record.state).toBe("handed over");
      expect(new Set(journal).size).toBe(journal.length);
    });
  }

  test("with other parameters for the remaining steps", () => {
    const { end, shells, journal } = fakeBoot({
      ...options,
      cmdline: "root=LABEL=ROOT rd.break=init",
      person: [retry("rw", "init=/bin/no"), retry("init=/sbin/init", "rd.break=mount"), exit],
    });
    expect(shells).toBe(3);
    expect(end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
    expect(journal.filter((line) => /^(un)?mount.*sysroot/.test(line))).toEqual([
      "mount ext4 /dev/vda at /sysroot (ro)",
      "unmount /sysroot",
      "mount ext4 /dev/vda at /sysroot",
      "unmount /sysroot",
      "mount ext4 /dev/vda at /sysroot",
    ]);
  });

  test("without a shell in the image there is only a warning", () => {
    const { end, console } = fakeBoot({
      ...options,
      cmdline: "root=LABEL=ROOT rd.break",
      files: { "/bin/busybox": { directory: true } },
    });
    expect(console).toContain("warning   rd.break=handover: this image has no shell");
    expect(end).toMatchObject({ mode: "switch_root" });
  });
});

test("an unreadable disk ends no search, and the report says why it was no candidate", () => {
  const failing = {
    cmdline: "root=LABEL=ROOT rd.timeout=5",
    before: (machine: FakeMachine) => machine.refuse("openAsyncReader", "/dev/vda", "EIO"),
  };
  const found = fakeBoot({
    ...failing,
    disks: [
      { name: "vda", image: rootImage() },
      { name: "vdb", image: rootImage(), arrivesAtMs: 3000 },
    ],
  });
  expect(found.end).toMatchObject({ mode: "switch_root" });
  expect(found.journal).toContain("mount ext4 /dev/vdb at /sysroot (ro)");
  const alone = fakeBoot({ ...failing, disks: [{ name: "vda", image: rootImage() }] });
  expect(alone.console).toContain("seen: /dev/vda (cannot be read: the device returns I/O errors: it is");
});

test("a disk that is removed during a probe is just gone", () => {
  let pulls = 0;
  const { end } = fakeBoot({
    cmdline: "root=LABEL=ROOT",
    disks: [
      { name: "vda", image: rootImage() },
      { name: "vdb", image: rootImage(), arrivesAtMs: 4000 },
    ],
    before(machine) {
      const { openAsyncReader } = machine;
      Object.assign(machine, {
        openAsyncReader(path: string) {
          if (path === "/dev/vda" && pulls++ === 0) machine.pullOut("vda");
          return openAsyncReader(path);
        },
      });
    },
  });
  expect(pulls).toBe(1);
  expect(end).toMatchObject({ mode: "switch_root" });
});

test("a boot that `levain retry` has made succeed says how to keep its parameters", () => {
  const disks = [{ name: "vda", image: rootImage("OTHER", { "/etc/default/grub": "" }) }];
  const { console } = fakeBoot({ cmdline: "root=LABEL=ROOT rd.timeout=1", disks, person: [retry("root=LABEL=OTHER")] });
  expect(console.replaceAll(/\s+/g, " ")).toContain(
    "this boot needed root=LABEL=OTHER: to keep it, add it to GRUB_CMDLINE_LINUX in /etc/default/grub",
  );
  expect(fakeBoot({ cmdline: "root=LABEL=OTHER", disks }).console).not.toContain("this boot needed");
});
