import { describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import { parseCommandLine } from "../../../src/parameters/cmdline.ts";
import { findMisspelled } from "../../../src/parameters/misspelled.ts";
import { PARAMETER_ROWS } from "../../../src/parameters/parameters.ts";

const find = (line: string, isUnknown?: (name: string) => boolean) =>
  findMisspelled(parseCommandLine(line).words, isUnknown).map(({ word, meant }) => `${word.name} → ${meant}`);

describe("what looks like a parameter of levain or of a dialect", () => {
  test.each([
    ["rd.overlaay=", "rd.overlay"],
    ["rootdeley=5", "rootdelay="],
    ["rootfsflags=noatime", "rootflags="],
    ["rootfstyp=ext4", "rootfstype="],
    ["rd.luks.uid=abcd", "rd.luks.uuid="],
    ["rd.lusk.uuid=abcd", "rd.luks.uuid="],
    ["rd_LUKS_UUID=abcd", "rd.luks.uuid="],
    ["rto=LABEL=ROOT", null],
    ["rd-shell", "rdshell"],
    ["rdhsell=0", "rdshell"],
    ["RD.Timeout=4", "rd.timeout="],
    ["rd.live.dirr=x", "rd.live.dir="],
    ["quite", "quiet"],
    ["quieet", "quiet"],
    ["live-media-pat=/x", "live-media-path="],
    ["archisolable=X", "archisolabel="],
    ["cryptdevise=/dev/sda2:x", "cryptdevice="],
    ["crypt_rot=/dev/sda2", "crypt_root="],
    ["fsck.mod=skip", "fsck.mode="],
    ["modprobe.blacklst=a", "modprobe.blacklist="],
    ["luks.nmae=abcd=x", "luks.name="],
    ["rd.lvm.vgg=x", null],
    ["persistance", "persistence"],
    ["mount.user=LABEL=x", "mount.usr="],
    ["rot=LABEL=ROOT", "root="],
    ["rooot=/dev/sda1", "root="],
    ["ROOT=UUID=abcd-1234", "root="],
    ["inti=/bin/sh", "init="],
    ["int=/bin/sh", "init="],
    ["rd.nothing.like.it=1", "null"],
  ])("%s: %s", (word, meant) => {
    expect(find(word)).toEqual(meant === null ? [] : [`${word.split("=", 1)[0]} → ${meant}`]);
  });
});

describe("no false alarm", () => {
  test.each([
    "nvme.io_timeout=5 nvme_core.default_ps_max_latency_us=0 usbcore.autosuspend=-1 i915.modeset=1 snd_hda_intel.model=x",
    "hid.debug=1 ch.debug=1 sd_mod.max_sectors=1 rdma_rxe.x=1 mount_api.usr=1",
    "usb-storage.quirks=1:2:u libata.force=noncq loop.max_loop=8 raid1.x zram.num_devices=1 dm_mod.create=x rcutree.kthread_prio=1",
    "s single 1 5 S -b emergency rescue text auto splash nosplash recovery nomodeset rhgb vga=791 video=1024x768",
    "FOO=bar LANG=C TERM=linux DEBUG=1 QUIET=1 ROOT=1 INIT=x roof=1 rot=1 a=/b ab=LABEL=c rood=x",
    "hostname=x username=y components locales=de keyboard-layouts=de timezone=UTC cloud-config-url=x autoinstall ds=nocloud",
    "BOOT_IMAGE=/vmlinuz initrd=/initrd.img console=ttyS0 loglevel=3 rootwait ip=dhcp crashkernel=128M systemd.unit=x udev.log_level=3",
    "rd.udev.log_level=3 rd.plymouth=0 rd.lvm=0 rd.md=0 rd.dm=0 rd.multipath=0 rd.luks=0 rd.kiwi.live.system=/dev/sda",
    "init_on_alloc=1 noresume resumewait panic_print=1 debugfs=off audit=0 md=0,/dev/sda ro rw --",
  ])("%s", (line) => expect(find(line)).toEqual([]));

  test("on what the kernel obeys itself", () => {
    expect(find("rootdeley=5", () => false)).toEqual([]);
    expect(find("rd.overlaay", () => false)).toEqual(["rd.overlaay → rd.overlay"]);
  });

  test("on any parameter's own example and aliases", () => {
    const all = PARAMETER_ROWS.flatMap(([, row]) => [row.example, row.name, ...row.aliases.map(({ name }) => name)]);
    expect(find(all.join(" "))).toEqual([]);
  });
});

// Every boot looks for misspellings, and a value that a parameter does not take is an Error with a stack.
test("a word that is near no parameter is parsed as none", () => {
  const parsers = PARAMETER_ROWS.map(([, row]) => spyOn(row, "parse"));
  expect(find("NOTHING_LIKE_IT=/vmlinuz", () => true)).toEqual([]);
  expect(parsers.flatMap(({ mock }) => mock.calls)).toEqual([]);
  expect(find("rot=LABEL=x")).toEqual(["rot → root="]);
  expect(parsers.flatMap(({ mock }) => mock.calls)).not.toEqual([]);
  for (const parser of parsers) parser.mockRestore();
});

test("nothing makes it throw", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (line) => void find(line)));
});
