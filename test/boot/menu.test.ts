import { beforeAll, describe, expect, test } from "bun:test";
import { startMenu } from "../../src/rescue/commands/menu/menu.ts";
import { type FakeBootOptions, fakeBoot, rootImage, stick } from "../support/fake-boot.ts";
import { fakeDhcpServer } from "../support/fake-dhcp-server.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { lockedBy, SHELL_PASSWORD } from "../support/locked-images.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { CRYPT_IMAGE, luksDisk } from "../support/luks/encrypted-disk.ts";

const LINE = "/dev/ttyS0";
const SCREEN = "/dev/tty0";
const MOUNTED = { "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs", "/run": "tmpfs" };
const DEV = {
  "/ttyS0": { node: "character", number: "4:64" },
  "/tty0": { node: "character", number: "4:0" },
  "/tty1": { node: "character", number: "4:1" },
} as const;
const DEBIAN = rootImage("ROOT", {
  "/etc/os-release": { link: "../usr/lib/os-release" },
  "/usr/lib/os-release": 'NAME=x\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
  "/lib/modules/6.1.0-9-amd64": { directory: true },
  "/lib/modules/6.1.0-56-amd64": { directory: true },
});
const WRONG = "root=LABEL=WRONG rd.timeout=1 rd.emergency=menu";
const UUID = "0a1b2c3d-0000-4000-8000-00000000abcd";

/** A boot that fails and shows the menu; `lines` are typed at its prompts, one after the other, on the serial line. */
function boot(lines: readonly string[], more: FakeBootOptions = {}) {
  const result = fakeBoot({
    mounted: MOUNTED,
    dev: DEV,
    sys: { "/class/tty/console/active": "tty0 ttyS0\n", "/class/tty/tty0/active": "tty1\n" },
    cmdline: WRONG,
    disks: [{ name: "vda", image: DEBIAN }],
    typing: lines.map((text) => ({ terminal: LINE, text: `${text}\r` })),
    ...more,
  });
  const said = result.console.replaceAll(/\s+/g, " ");
  return {
    ...result,
    said,
    line: result.machine.terminals.screen(LINE),
    screen: result.machine.terminals.screen(SCREEN),
  };
}

test("another root: what happened, what is on the devices, the boot, and how to keep it", () => {
  const { line, end, said, screen } = boot(["d", "1"]);
  expect(line).toMatchInlineSnapshot(`
    "
    the boot stopped at the step root
    could not find the root device
    no device with label "WRONG" appeared within 1 s

     r  retry            run the step that failed again
     d  choose a root    boot a system from another device
     e  edit parameters  change the kernel command line for this boot
     u  unlock           open encrypted volumes
     k  skip a part      boot without the network, fstab, ...
     m  load a driver    load a kernel module
     n  network          bring the network up by DHCP
     i  information      the report, the steps and the disks
     l  save the log     write the messages of this boot to a stick
     s  shell            start a shell; exit retries the boot
     b  reboot           start the machine again
     o  power off        switch the machine off
    letter and Enter> d

    looking at the disks ...
     1 /dev/vda ext4 "ROOT": Debian GNU/Linux 12 (bookworm), 6.1.0-56-amd64, 16 KiB
    number, or Enter to go back> 1
    "
  `);
  expect(screen).toEndWith(line);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(said).toContain(`this boot needed root=UUID=${UUID}: to keep it, `);
});

test("what a disk says is printed without control characters", () => {
  const name = 'PRETTY_NAME="A\x1b[2JB\u202eC"\n';
  const image = rootImage("L\x1b[2JM", { "/etc/os-release": name });
  const { line } = boot(["d", "", "o"], { disks: [{ name: "vda", image }] });
  expect(line).toContain('"L\\x1b[2JM": A\\x1b[2JB\\u{202e}C, ');
  expect(line).not.toContain("\x1b");
});

test("the screen's keyboard works at the same time, and arrow keys choose", () => {
  const typing = [
    { terminal: SCREEN, text: "\x1b[B\x1b[B\r" },
    { terminal: LINE, text: "\x1bOA\r" },
  ];
  const { line, end } = boot([], { typing });
  expect(line).toContain("letter and Enter> r\b \bd\n");
  expect(line).toContain("go back> 1\n");
  expect(end).toMatchObject({ mode: "switch_root" });
});

test.each([
  ["a parameter is changed", ["e", "1", "\x15root=LABEL=ROOT", "r"]],
  ["a parameter is added, after a mistake", ["e", "a", "rot=LABEL=ROOT", "a", "root=LABEL=ROOT", "r"]],
  ["a mistake is erased by backspace", ["e", "1", "\x7f\x7f\x7f\x7f\x7fROOT", "", "r"]],
])("%s", (_, lines) => {
  const { line, end, said } = boot(lines);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(said).toContain("this boot needed root=LABEL=ROOT: to keep it");
  expect(line).toContain(" 1 root=LABEL=WRONG\n 2 rd.timeout=1\n");
  if (lines.includes("rot=LABEL=ROOT")) expect(line).toContain("(did you mean root=?)");
});

describe("a root in an encrypted volume that no parameter names", () => {
  const luksUuid = "6c657661-696e-4000-8000-00000000eeee";
  let luks: FakeImage;
  beforeAll(async () => {
    const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --uuid ${luksUuid} --pbkdf pbkdf2 ${CHEAP} $1 key`;
    luks = await luksDisk({ name: "menu", script }, DEBIAN);
  });

  test("is unlocked and then booted", () => {
    const { line, end, said } = boot(["d", "1", "pass", "1"], {
      ...CRYPT_IMAGE,
      disks: [{ name: "vda", image: luks }],
      images: [DEBIAN],
    });
    expect(line).toContain(" 1 /dev/vda crypto_LUKS: encrypted, ");
    expect(line.replaceAll(/\n +/g, " ")).toContain(`1 /dev/mapper/luks-${luksUuid} ext4 "ROOT": Debian GNU/Linux 12`);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(said).toContain(`this boot needed root=UUID=${UUID} rd.luks.uuid=${luksUuid}: to keep it`);
  });
});

test("a store that is full is left out", () => {
  const { disk, squashfs } = stick();
  const store = fakeImage("ext4", { label: "STORE" });
  const { line, end } = boot(["k", "2"], {
    cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay=LABEL=STORE rd.emergency=menu",
    disks: [
      { name: "sda", image: disk },
      { name: "sdb", image: store },
    ],
    images: [squashfs],
    before: (machine) => machine.refuse("mount", "/dev/sdb", "EIO"),
  });
  expect(line).toContain("leave out the changes that are kept, and keep new ones in memory only");
  expect(end).toMatchObject({ mode: "switch_root" });
});

test("an installed system is booted without the image of the command line, and what is kept for that", () => {
  const installed = (cmdline: string, ...more: readonly string[]) =>
    boot(["d", "1", ...more], {
      cmdline: `root=LABEL=GONE rd.timeout=1 rd.emergency=menu ${cmdline}`,
      disks: [
        { name: "vda", image: DEBIAN },
        { name: "vdb", image: fakeImage("ext4", { label: "STORE" }) },
      ],
    });
  for (const cmdline of [
    "rd.image=/newroot.sfs",
    "rd.layer=/more.sfs",
    "rd.image=/newroot.sfs iso-scan/filename=/x.iso",
  ]) {
    const { end, mounts, line, said } = installed(cmdline);
    expect(line).toContain("what the command line says of an image is left out: rd.image=no\n");
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(mounts).toContain("/sysroot ext4 /dev/vda");
    expect(said).toContain(`this boot needed root=UUID=${UUID} rd.image=no: to keep it`);
  }
  const kept = installed("rd.image=/newroot.sfs rd.overlay=LABEL=STORE");
  expect(kept.line).toContain("is left out: rd.image=no rd.overlay=no\n");
  expect(kept.mounts).toContain("/sysroot ext4 /dev/vda");
  // Nothing skips a check.
  const checked = installed(`rd.image=/newroot.sfs rd.image.digest=sha256:${"0".repeat(64)}`, "", "b");
  expect(checked.line).toContain("rd.image.digest=: the root is no image file");
});

test("a driver that a blacklist keeps out is loaded; one that the image lacks is named with its cure", () => {
  const { line, end, journal } = boot(["m", "squash", "", "m", "overlay", "", "b"]);
  expect(line).toContain("this image has no module squash");
  expect(line).toContain("levain image --module squash");
  expect(line).toContain("the module overlay is loaded\nretry keeps it for this boot\n");
  expect(line).toContain("retry adds rd.modules=overlay\n");
  expect(journal.some((entry) => entry.includes("overlay"))).toBe(true);
  expect(end).toBe("reboot");
});

test("the shell of the menu keeps what was set before, and the menu in a shell continues the boot", () => {
  const set = boot(["e", "a", "root=LABEL=ROOT", "", "s"], { person: [() => undefined] });
  expect(set.shells).toBe(1);
  expect(set.end).toMatchObject({ mode: "switch_root" });
  const person = [(machine: FakeMachine) => void startMenu(machine, {})];
  const inShell = boot(["e", "a", "root=LABEL=ROOT", "r"], { cmdline: "root=LABEL=WRONG rd.timeout=1", person });
  expect(inShell.shells).toBe(1);
  expect(inShell.end).toMatchObject({ mode: "switch_root" });
});

test("the log is saved on the stick that is named", () => {
  const disks = [
    { name: "vda", image: DEBIAN },
    { name: "vdb", image: fakeImage("ext4", { label: "STICK", sizeBytes: 4 << 20 }) },
  ];
  const { line } = boot(["l", "/dev/vdb", "", "o"], { disks });
  expect(line).toContain('levain-failed-1.txt on /dev/vdb ext4 "STICK"\nEnter: back to the menu> ');
});

test("the network comes up by DHCP, and says with which address", () => {
  const cards = [{ name: "eth0", mac: "52:54:00:12:34:56", servers: [fakeDhcpServer()] }];
  const { line } = boot(["n", "", "o"], { cards });
  expect(line).toContain("eth0 192.0.2.50/24 by DHCP from 192.0.2.1, gateway 192.0.2.1\nEnter: back to the menu> ");
});

test.each(["information", "save the log", "network", "unlock"])("%s returns to the menu whatever happens", (name) => {
  const key = { information: "i", "save the log": "l", network: "n", unlock: "u" }[name] ?? "";
  const { line, end } = boot([key, "", "", "", "o"]);
  expect(line.match(/^ o {2}power off /gm)?.length).toBeGreaterThanOrEqual(2);
  expect(end).toBe("poweroff");
});

describe("with rdshell=0", () => {
  const cmdline = `${WRONG} rdshell=0`;

  test("nothing is offered that gives a shell or changes the boot, and nothing else is taken", () => {
    for (const key of ["s", "d", "e", "m", "u", "k", "n", "l", "i", "\x03", "\x1b[A", "shell", "$(sh)"]) {
      const { line, end, shells } = boot([key, "", "o"], { cmdline });
      expect(line.match(/^ \w {2}/gm)?.slice(0, 3)).toEqual([" r  ", " b  ", " o  "]);
      expect(line).not.toMatch(/^ [^rbo] {2}/m);
      expect(shells).toBe(0);
      expect(end).toBe("poweroff");
    }
  });

  test("what the menu leaves behind is not obeyed, and its failure starts no shell", () => {
    for (const statuses of [[3], [1], [0, 1]]) {
      const file: { write: (text: string) => void } = { write: () => undefined };
      const init = () => {
        file.write('["rdshell=1","root=LABEL=ROOT"]');
        return { status: statuses.shift() ?? 1 };
      };
      const { end, shells } = boot([], {
        cmdline,
        programs: { "/init": init },
        before(machine) {
          file.write = (text) => machine.writeFile("/run/levain/retry.json", text);
        },
      });
      expect({ end, shells }).toEqual({ end: "halt", shells: 0 });
    }
  });
});

// 9600 baud are 960 characters a second.
test.each([
  [80, 24],
  [40, 12],
])("%d columns and %d rows: each page fits, and takes two seconds at 9600 baud", (columns, rows) => {
  const size = { columns, rows };
  const lines = ["i", "", "", "", "", "", "d", "", "e", "", "k", "", "m", "", "o"];
  const { line, end } = boot(lines, { terminalSizes: { [LINE]: size, [SCREEN]: { columns: 80, rows: 25 } } });
  const pages = line.replaceAll(/.\x08 \x08/g, "").split("> ");
  for (const page of pages) {
    const shown = page.split("\n").slice(1);
    expect(Math.max(...shown.map((text) => text.length))).toBeLessThan(columns);
    expect(shown.length).toBeLessThanOrEqual(rows);
    expect(page.length).toBeLessThanOrEqual(2 * 960);
  }
  expect(pages.length).toBeGreaterThan(8);
  expect(end).toBe("poweroff");
});

describe("with rdshell=ask", () => {
  const locked = { cmdline: `${WRONG} rdshell=ask`, files: lockedBy("rdshell=ask"), person: [() => undefined] };

  test("the password gives the shell, at its terminal, and no menu on every console", () => {
    const { line, shells, end } = boot([SHELL_PASSWORD], {
      ...locked,
      person: [(machine) => machine.power("poweroff")],
    });
    expect(line).not.toMatch(/^ \w {2}/m);
    expect(shells).toBe(1);
    expect(end).toBe("poweroff");
  });

  test("the menu of that shell is at its terminal only", () => {
    const { line, screen, end } = boot([SHELL_PASSWORD, "o"], {
      ...locked,
      person: [(machine, environment) => void startMenu(machine, environment)],
    });
    expect(line).toContain(" d  choose a root");
    expect(screen).not.toContain("choose a root");
    expect(end).toBe("poweroff");
  });

  test("without it, the menu is that of rdshell=0", () => {
    const { line, shells, end } = boot(["a", "b", "c", "s", "o"], locked);
    expect(line).not.toMatch(/^ [^rbo ] {2}/m);
    expect(shells).toBe(0);
    expect(end).toBe("poweroff");
  });
});
