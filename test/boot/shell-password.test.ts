import { describe, expect, test } from "bun:test";
import { unlockBusybox } from "../../src/filesystems/busybox.ts";
import { formatPasswordHash, parsePasswordHash } from "../../src/keys/shell-password.ts";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import { type FakeMachine, fakeMachine } from "../support/fake-machine.ts";
import { lockedBy, SHELL_PASSWORD, SHELL_PASSWORD_HASH } from "../support/locked-images.ts";
import { typed } from "../support/luks/encrypted-disk.ts";

// rdshell=ask: a shell only after the password of the image.

const LOCKED = lockedBy("rdshell=ask");
const PROMPT = "  shell     the rescue shell, 3 tries left\n            password: ";

function boot(cmdline: string, answers: readonly string[], more: FakeBootOptions = {}) {
  const result = fakeBoot({ cmdline, files: LOCKED, typing: typed(...answers), person: [() => undefined], ...more });
  return { ...result, screen: result.machine.terminals.screen("/dev/ttyS0") };
}

test("the right password starts the shell, once for each failure", () => {
  const { shells, end, screen } = boot("root=LABEL=X rd.timeout=1", ["geheim", "geheim"]);
  expect(shells).toBe(2);
  expect(end).toBe("poweroff");
  expect(screen).toContain(`${PROMPT}(hidden)\n`);
  expect(screen).not.toContain("geheim");
});

test("three wrong passwords, each after a longer delay, lead to the policy", () => {
  const { shells, end, endMs, console, screen } = boot("root=LABEL=X rd.timeout=1", ["a", "geheim ", ""]);
  expect(shells).toBe(0);
  expect(end).toBe("halt");
  expect(endMs).toBeGreaterThan(1000 + 3 * 1000 + 2000 + 4000);
  expect(screen).toContain(
    "            wrong password\n  shell     the rescue shell, the last try\n            password: ",
  );
  expect(console).toEndWith("\nno shell without the password (rdshell=ask)\n\nhalting now\n");
  expect(boot("root=LABEL=X rd.timeout=1", ["a", "b", "geheim"]).shells).toBe(1);
});

test.each([
  ["panic=9 rd.emergency=shell", "reboot"],
  ["rd.emergency=poweroff rd.emergency.after=9", "poweroff"],
  ["rd.break=mount rd.emergency=reboot", "reboot"],
  ["rd.break=prepare", "halt"],
] as const)("what follows a refused password with %s: %s", (words, end) => {
  const enter = { terminal: "/dev/ttyS0", text: "\r\r", atMs: 3000 };
  const disks = [{ name: "vda", image: rootImage() }];
  const result = boot(`root=LABEL=ROOT init=/etc/init ${words}`, [], { disks, typing: [enter, ...typed("\u0003")] });
  expect(result.screen).toContain("password: ");
  expect(result.shells).toBe(0);
  expect(result.end).toBe(end);
});

describe("without a hash that can be used, nothing asks and no shell starts", () => {
  const [salt, digest] = ["c2FsdHNhbHQ", "MTIzNDU2Nzg5MDEyMzQ1Ng"];
  test.each([
    ["none", null],
    ["an empty one", ""],
    ["of another kind", `$argon2i$v=19$m=64,t=1,p=1$${salt}$${digest}`],
    ["of more memory than any machine has", `$argon2id$v=19$m=99999999,t=1,p=1$${salt}$${digest}`],
    ["of more than a GiB", `$argon2id$v=19$m=1048577,t=1,p=1$${salt}$${digest}`],
    ["of too many passes", `$argon2id$v=19$m=64,t=65,p=1$${salt}$${digest}`],
    ["of less memory than its lanes need", `$argon2id$v=19$m=64,t=1,p=9$${salt}$${digest}`],
    ["without a digest", `$argon2id$v=19$m=64,t=1,p=1$${salt}$`],
    ["with a digest of a byte", `$argon2id$v=19$m=64,t=1,p=1$${salt}$MQ`],
    ["with a malformed salt", `$argon2id$v=19$m=64,t=1,p=1$A$${digest}`],
  ])("%s", (_, data) => {
    const password = data === null ? {} : { "/etc/levain.password": { data, mode: 0o600 } };
    const files = { "/etc/levain.json": LOCKED["/etc/levain.json"] ?? "", ...password };
    const { shells, end, console, screen } = boot("root=LABEL=X rd.timeout=1", ["geheim"], { files });
    expect(console).toMatch(/rdshell=ask: this image has no (?:valid )?shell password, so no shell is started/);
    expect([shells, end, screen.includes("password: ")]).toEqual([0, "halt", false]);
  });
});

test("a hash that the format's own tools have made is read", () => {
  // printf geheim | argon2 saltsalt -id -e -m 6 -t 1
  const other = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";
  expect(formatPasswordHash(parsePasswordHash(`${other}\n`) ?? expect.unreachable())).toBe(other);
  expect(Bun.password.verifySync(SHELL_PASSWORD, SHELL_PASSWORD_HASH)).toBe(true);
});

test("BusyBox, which the kernel cannot start in a locked image, is made executable; a refusal ends no boot", () => {
  const files = { "/bin/busybox": { data: "\x7fELF", mode: 0o644 } };
  const machine = fakeMachine({ files });
  unlockBusybox(machine);
  expect(machine.stat("/bin/busybox")?.mode).toBe(0o755);
  const refusing = fakeMachine({ files });
  refusing.refuse("openTree", "", "EROFS");
  unlockBusybox(refusing);
  expect(refusing.stat("/bin/busybox")?.mode).toBe(0o644);
});

test("without a console to ask on, no shell starts", () => {
  const before = (machine: FakeMachine) => Object.assign(machine, { openTerminals: () => [] });
  const { shells, end, console } = boot("root=LABEL=X rd.timeout=1", ["geheim"], { before });
  expect(console).toContain("no console to ask for the passphrase of the rescue shell");
  expect([shells, end]).toEqual([0, "halt"]);
});

describe("the shell is where the password was typed", () => {
  const sys = { "/class/tty/console/active": "tty0 ttyS0\n", "/class/tty/tty0/active": "tty1\n" };
  const dev = {
    "/ttyS0": { node: "character", number: "4:64" },
    "/tty0": { node: "character", number: "4:0" },
    "/tty1": { node: "character", number: "4:1" },
  } as const;
  const at = (terminal: string, text: string, atMs?: number) => ({ terminal, text, ...(atMs && { atMs }) });
  const run = (...typing: readonly ReturnType<typeof at>[]) => {
    const more = {
      sys,
      dev,
      typing,
      mounted: { "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs", "/run": "tmpfs" },
    };
    return boot("root=LABEL=X rd.timeout=1", [], more).journal.flatMap((line) => / sh on (.*)/.exec(line)?.[1] ?? []);
  };

  test("on the screen, although the last console= is the serial line", () => {
    expect(run(at("/dev/tty0", "geheim\r"))).toEqual(["/dev/tty1"]);
  });

  test("and stays there, although somebody presses Enter on another console", () => {
    expect(run(at("/dev/ttyS0", "geheim\r"), at("/dev/tty1", "\r", 9000), at("/dev/tty1", "\r", 9500))).toEqual([
      "/dev/ttyS0",
    ]);
  });
});
