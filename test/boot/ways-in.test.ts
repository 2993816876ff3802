import { describe, expect, test } from "bun:test";
import { PARAMETER_ROWS } from "../../src/parameters/parameters.ts";
import { ELF, type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { lockedBy } from "../support/locked-images.ts";
import { typed } from "../support/luks/encrypted-disk.ts";

// Ways to a shell of an image that is locked, for somebody who edits the command line, types and plugs in sticks. None may work.
// The same against the real kernel, by keys, signals and crashes: test/vm/rdshell.test.ts.

const PROGRAM = { data: ELF, mode: 0o755 };
/** A root with every shell, and BusyBox in the initramfs with its links. */
const SHELLS: FakeTree = {
  ...Object.fromEntries(["/bin/bash", "/bin/dash", "/bin/busybox", "/usr/sbin/sulogin"].map((path) => [path, PROGRAM])),
  "/bin/sh": { link: "dash" },
  "/sbin/rescue": { link: "../bin/dash" },
  "/usr/bin/python3": PROGRAM,
  "/usr/bin/vi": PROGRAM,
};
const APPLETS: FakeTree = { "/sbin/init": { link: "../bin/busybox" }, "/bin/sh": { link: "busybox" } };
const FAILS = "root=LABEL=WRONG rd.timeout=1";
const BOOTS = "root=LABEL=ROOT";
const IS_SHELL = /(?:sh|busybox|rescue|sulogin|python3|vi)$/;

/** Boots, and looks for a shell. */
function attempt(lock: "rdshell=0" | "rdshell=ask", cmdline: string, more: FakeBootOptions = {}): void {
  const files = { ...more.files, ...lockedBy(lock) };
  const typing = more.typing ?? typed("root", "\u0003", "", "toor");
  const disks = [{ name: "vda", image: rootImage("ROOT", SHELLS) }, ...(more.disks ?? [])];
  const { shells, end } = fakeBoot({ ...more, cmdline, files, typing, disks });
  expect(shells).toBe(0);
  if (typeof end === "object") expect(end.init).not.toMatch(IS_SHELL);
}

/** What a person may try who knows this program. */
const KNOWN: readonly (readonly [cmdline: string, files?: FakeTree])[] = [
  ...["rdshell=1", "rdshell", "rdshell=keep", "rdshell=ask", "rd.shell", "rd_shell=yes", '"rdshell=1"', "rescueshell"],
  ...["single", "S", "1", "emergency", "-b", "rd.rescue", "rd.emergency", "rd.emergency=shell", "break", "rd.break"],
  ...["break=init", "rd.break=prepare,modules,root,mount,layers,subtrees,init,handover", "rd.break rdshell=1"],
  ...["systemd.unit=emergency.target", "rd.systemd.unit=rescue.target", "init=/bin/sh", "init=/sbin/rescue"],
  ...["rd.emergency.after=9", "rd.emergency.after=0 rd.emergency=shell", "panic=5 rd.emergency=shell", "rdshell="],
].flatMap((words) => [[`${FAILS} ${words}`], [`${BOOTS} ${words}`]] as const);

const OTHERS: typeof KNOWN = [
  [`${BOOTS} init=/bin/bash -- -i`],
  [`${BOOTS} init=/bin/busybox -- sh`],
  [`${BOOTS} init=/bin/../bin//dash`],
  [`${BOOTS} init=/usr/sbin/sulogin`],
  [`${BOOTS} init=/usr/bin/python3`],
  [`${BOOTS} init=/sbin/init init=/usr/bin/vi`],
  [`${BOOTS} init=/no init=/bin/sh`],
  ["", APPLETS],
  ["root=/dev/ram0", APPLETS],
  ["root=/dev/ram0 init=/bin/sh", APPLETS],
  ["rd.handover=stay", APPLETS],
  [`${BOOTS} rd.handover=stay init=/bin/busybox -- sh`, APPLETS],
  ["root=/dev/ram0", { ...APPLETS, "/etc/inittab": "::askfirst:-/bin/sh\n" }],
  ["root=/dev/ram0", { ...APPLETS, "/etc/inittab": "tty2::respawn:/bin/busybox ash\n" }],
  [`${FAILS} rd.timeout=soon`],
  [`${FAILS} rd.luks.uuid= rd.break`],
  [`${FAILS} x="rdshell=1`],
  [`${FAILS} -- rdshell=1`],
  ["root=nonsense"],
  [FAILS, { "/run/levain/retry.json": '["rdshell=1"]' }],
  [FAILS, { "/run/levain/stay.json": '{"init":"/bin/sh","self":"/init","consoleLevel":null}' }],
];

const LOCKS = ["rdshell=0", "rdshell=ask"] as const;

describe.each(LOCKS)("with %s in the image no shell starts", (lock) => {
  test.each([...KNOWN, ...OTHERS])("%s %j", (cmdline, files = {}) => attempt(lock, cmdline, { files }));

  test.each(PARAMETER_ROWS.map(([, row]) => row))("for $syntax", ({ example, name, aliases }) => {
    attempt(lock, `${FAILS} ${example}`);
    const names = [name, ...aliases.map((alias) => alias.name)];
    attempt(lock, `${FAILS} ${names.map((each) => `${each}=/bin/sh`).join(" ")}`);
  });

  test("for keys that a terminal or a shell would obey, at any time", () => {
    const keys = [
      "\x03",
      "\x1c",
      "\x1a",
      "\x04",
      "\x1b[11~",
      "\x1b\x1b",
      "\r\r",
      "\x00",
      "\xff",
      "sh\r",
      "\x02",
      "\x11",
    ];
    const typing = keys.flatMap((text, index) =>
      [0, 1000, 2000, 4000].map((atMs) => ({ terminal: "/dev/ttyS0", text, atMs: atMs + index * 50 })),
    );
    for (const words of ["", "rd.break", "rd.emergency.after=2", "panic=3"]) {
      attempt(lock, `${FAILS} ${words}`, { typing: [...typing, ...typed("no", "no", "no")] });
    }
  });

  test("for sticks with the labels and the files that levain knows", () => {
    const files = {
      "/etc/levain.json": '{"version":1,"kernel":null,"parameters":["rdshell=1"]}',
      "/etc/levain.cmdline": "rdshell=1 rd.break",
      "/levain/previous.json": "../../bin/sh",
      "/etc/levain/hooks/failure.d/50-shell": PROGRAM,
    };
    for (const label of ["LEVAIN-LOG", "ROOT", "WRONG", "persistence"]) {
      attempt(lock, `${FAILS} rd.log.save=LABEL=LEVAIN-LOG`, {
        disks: [{ name: "sda", image: fakeImage("ext4", { label }, { ...SHELLS, ...files }) }],
      });
    }
  });
});

describe("an init in the Nix store of a locked machine", () => {
  const INIT = "/nix/store/abc-nixos/init";
  const start = (
    tree: FakeTree,
    change: { path: string; userId?: number; mode?: number } | null = null,
    locked: FakeTree = lockedBy("rdshell=0"),
  ) => {
    const before = (machine: FakeMachine) => {
      const { openTree } = machine;
      Object.assign(machine, {
        openTree(...given: Parameters<typeof openTree>) {
          const open = openTree(...given);
          const status = (path: string) => {
            const found = open.status(path);
            return found === null || change?.path !== path ? found : { ...found, ...change };
          };
          return { ...open, status };
        },
      });
    };
    const disks = [{ name: "vda", image: rootImage("ROOT", tree) }];
    return fakeBoot({ cmdline: `${BOOTS} init=${INIT}`, disks, files: locked, before });
  };
  const GOOD: FakeTree = { [INIT]: { data: ELF, mode: 0o555 } };

  test("is started if only root can change it", () => {
    expect(start(GOOD).end).toMatchObject({ init: INIT });
    const linked: FakeTree = {
      [INIT]: { link: "../def-systemd/lib/systemd/systemd" },
      "/nix/store/def-systemd/lib/systemd/systemd": { data: ELF, mode: 0o555 },
    };
    expect(start(linked).end).toMatchObject({ init: INIT });
  });

  test.each([
    ["that a user owns", GOOD, { path: "abc-nixos/init", userId: 1000 }, "can be changed by other users than root"],
    ["in a directory of a user", GOOD, { path: "abc-nixos", userId: 1000 }, `(${INIT.replace("/init", "")})`],
    [
      "that others may write to",
      GOOD,
      { path: "abc-nixos/init", mode: 0o757 },
      "can be changed by other users than root",
    ],
    [
      "that is a link to a home",
      { [INIT]: { link: "/home/bob/init" }, "/home/bob/init": { data: ELF, mode: 0o755 } },
      null,
      "leads out of the Nix store to /home/bob/init",
    ],
  ] as const)("is refused: one %s", (_, tree, change, says) => {
    const { end, console } = start(tree, change);
    expect(end).toBe("halt");
    expect(console.replaceAll(/\s+/g, " ")).toContain(says);
    expect(start(tree, change, {}).end).toMatchObject({ init: INIT });
  });
});

test("the same machine without a lock starts one, so that these tests can fail", () => {
  const disks = [{ name: "vda", image: rootImage("ROOT", SHELLS) }];
  expect(fakeBoot({ cmdline: FAILS, disks }).shells).toBe(1);
  expect(fakeBoot({ cmdline: `${BOOTS} init=/sbin/rescue`, disks }).end).toMatchObject({ init: "/sbin/rescue" });
});
