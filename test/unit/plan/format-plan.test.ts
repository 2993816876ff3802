import { expect, test } from "bun:test";
import { formatPlan } from "../../../src/plan/format-plan.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";

const format = (cmdline: string) => formatPlan(makePlan({ cmdline, manifest: null }).plan);

test("a live stick", () => {
  const line =
    'root=LABEL=FLASH rootfallback=8:1 rd.image=/newroot.sfs toram rd.overlay=tmpfs:size=100M quiet FOO="a b" -- -x ""';
  expect(format(line)).toEqual([
    "root        LABEL=FLASH, else 8:1",
    "waiting     at most 30 s for each",
    "mounted     read-only as the type in its superblock",
    "image       /newroot.sfs, copied to memory",
    "overlay     tmpfs of 100M",
    "encrypted   if the root is a LUKS volume, levain asks for its passphrase",
    "modules     those for the hardware",
    "handover    auto",
    "init        the first of the kernel's list",
    'arguments   -x ""',
    'environment HOME=/ TERM=linux "FOO=a b"',
    "on failure  shell",
    "messages    quiet, to the console and the kernel log",
  ]);
});

test.each([
  ["rd.overlay=LABEL=DATA:/changes", "changes on LABEL=DATA:/changes"],
  [
    "rd.overlay=LABEL=DATA rd.overlay.reset rd.overlay.policy=ask rd.overlay.size=1G",
    "changes on LABEL=DATA, emptied first, else tmpfs of 1G if the user says so",
  ],
  ["rd.live.overlay=/dev/sdb1 rd.overlay.readonly", "changes on /dev/sdb1:auto, only shown, below tmpfs"],
  [
    "cow_device=/dev/sdb1 cow_directory=a cow_flags=noatime rd.overlay.policy=fallback",
    "changes on /dev/sdb1:/a, options noatime, else tmpfs",
  ],
])("an overlay that is kept: %s", (words, text) => {
  expect(format(`root=LABEL=ROOT ${words}`)).toContain(`overlay     ${text}`);
});

test("a disk with everything", () => {
  const line =
    "root=PARTUUID=ab-01/PARTNROFF=1 rw rootwait rootfstype=ext4,xfs rootflags=noatime init=/bin/sh rd.modules=ahci loop.max_loop=8 " +
    "blacklist=pcspkr rd.handover=pivot_root rd.putold=/initrd panic=5 rd.break=mount,init rd.log=kmsg";
  expect(format(line)).toEqual([
    "root        PARTUUID=ab-01/PARTNROFF=1",
    "waiting     without limit",
    "mounted     read-write as ext4, else xfs, options noatime",
    "image       none",
    "overlay     none",
    "encrypted   if the root is a LUKS volume, levain asks for its passphrase",
    "modules     those for the hardware, ahci",
    "module      loop with max_loop=8",
    "not loaded  pcspkr",
    "handover    pivot_root, the old root stays at /initrd (an initramfs: in memory)",
    "init        /bin/sh",
    "environment HOME=/ TERM=linux",
    "stop before mount, init",
    "on failure  reboot after 5 s",
    "messages    normal, to the kernel log",
  ]);
});

test("a live medium that keeps changes", () => {
  expect(format("boot=live persistence persistence-encryption=none,luks persistence-read-only")).toContain(
    "persistence filesystems and files in / named persistence, live-rw, home-rw; in LUKS or not; changes go to memory",
  );
  expect(format("boot=casper persistent persistence-media=removable persistence-storage=filesystem")).toContain(
    "persistence filesystems named writable, casper-rw, home-rw; only on removable disks",
  );
});

test("no root, no shell", () => {
  expect(format("rdshell=0 rd.log=console rd.debug")).toEqual([
    "root        none, as root= is missing: this initramfs is the final system",
    "modules     those for the hardware",
    "handover    stay",
    "init        the first of the kernel's list",
    "environment HOME=/ TERM=linux",
    "on failure  halt, never a shell",
    "messages    debug, to the console",
  ]);
});

test("words for init have a line of their own, without those of the kernel and of levain", () => {
  expect(
    format("root=LABEL=A rhgb quiet ro rd.live.image splash -- -b").filter((line) => line.startsWith("arg")),
  ).toEqual(["arguments   rhgb splash -b"]);
  expect(format("root=LABEL=A quiet ro").filter((line) => line.startsWith("arg"))).toEqual([]);
});

test.each([
  ["root=/dev/sda1", ["encrypted   if the root is a LUKS volume, levain asks for its passphrase"]],
  ["root=/dev/sda1 rd.luks=0", ["encrypted   nothing is unlocked"]],
  ["root=LABEL=x rd.luks.label=My\\x20Disk", ["encrypted   LABEL=My Disk as luks-UUID, 5 tries"]],
  ["", []],
])("what is unlocked with %s", (line, encrypted) => {
  expect(format(line).filter((text) => text.startsWith("encrypted"))).toEqual([...encrypted]);
});

test("names from outside are safe to print", () => {
  expect(format('root="LABEL=\u001b[2J"')[0]).toBe("root        LABEL=\\x1b[2J");
});
