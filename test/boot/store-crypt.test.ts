import { beforeAll, expect, test } from "bun:test";
import { hashPlainKey } from "../../src/keys/kdf.ts";
import { type FakeBootOptions, rootImage } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, plainDisk, typed } from "../support/luks/encrypted-disk.ts";
import { rememberArrays } from "../support/remembered-arrays.ts";

// Which volume is open for whom: one that keeps the changes, and one that holds the root.

const STORE = "6c657661-696e-4000-8000-0000000000e1";
const ROOT = "6c657661-696e-4000-8000-0000000000e2";
const SMALL = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";
const recipe = (name: string, uuid: string) => ({
  name,
  script: `cryptsetup luksFormat -q ${SMALL} --uuid ${uuid} ${CHEAP} $1 key`,
});
const MIB = 2 ** 20;

const root = rootImage("ROOT");
const plain = fakeImage("ext4", { label: "DATA", sizeBytes: 4 * MIB });
let inner: FakeImage;
let store: FakeImage;
let vault: FakeImage;
beforeAll(async () => {
  inner = fakeImage("ext4", { label: "DATA", sizeBytes: 4 * MIB });
  store = await luksDisk(recipe("store-volume", STORE), inner);
  vault = await luksDisk(recipe("store-root", ROOT), root);
});

const disk = (name: string, image: FakeImage): FakeDisk => ({ name, image });
const NAMED = `rd.luks.name=${STORE}=store rd.overlay=/dev/mapper/store`;

function boot(cmdline: string, disks: readonly FakeDisk[], more: FakeBootOptions = {}) {
  const booted = cryptBoot({ cmdline, disks, images: [root, plain, inner], typing: typed("pass", "pass"), ...more });
  return { ...booted, console: booted.console.replaceAll(/\s+/g, " ") };
}

test.each([
  ["by its name", NAMED],
  ["by its UUID", `rd.luks.uuid=${STORE} rd.overlay=UUID=${STORE}`],
  ["by its UUID alone", `rd.overlay=UUID=${STORE}`],
  ["by overlayroot=crypt:", `overlayroot=crypt:dev=UUID=${STORE},mapname=changes,dir=/o`],
])("a store in a volume, %s, is opened after the root, which need not lie in it", (_, words) => {
  const { end, journal, machine } = boot(`root=LABEL=ROOT ${words}`, [disk("vda", root), disk("vdb", store)]);
  expect(end).toMatchObject({ mode: "switch_root" });
  const mounted = journal.findIndex((line) => line.startsWith("mount ext4 /dev/vda at /run/levain/lower"));
  const mapped = journal.findIndex((line) => line.startsWith("map "));
  expect(mounted).toBeGreaterThan(0);
  expect(mapped).toBeGreaterThan(mounted);
  expect(machine.terminals.screen("/dev/ttyS0").match(/passphrase: /g)).toHaveLength(1);
});

test("a root in a volume that only keeps changes is not accepted by mistake: the store is not searched for the root", () => {
  const { end, console } = boot(`root=LABEL=DATA ${NAMED} rd.timeout=1`, [disk("vda", root), disk("vdb", store)]);
  expect(end).toBe("poweroff");
  expect(console).toContain("no device with label");
});

test("an encrypted root and a store that is not: refused, whatever the policy, or without the changes", () => {
  const disks = [disk("vda", vault), disk("vdb", plain)];
  const cmdline = `rd.luks.name=${ROOT}=root root=/dev/mapper/root rd.overlay=LABEL=DATA rd.timeout=1`;
  const refused = boot(cmdline, disks);
  expect(refused.shells).toBe(1);
  expect(refused.console).toContain("it lies outside the encrypted volumes that parameters name");
  expect(refused.journal.join()).not.toContain("mount ext4 /dev/vdb");
  const without = boot(`${cmdline} rd.overlay.policy=fallback`, disks);
  expect(without.end).toMatchObject({ mode: "switch_root" });
  expect(without.mounts.join()).not.toContain("/dev/vdb");
  expect(without.mounts.join()).toContain("/run/levain/lower ext4 /dev/mapper/root");
  // Without a parameter that names the volume.
  const unnamed = boot(`root=UUID=${ROOT} rd.overlay=LABEL=DATA`, disks);
  expect(unnamed.console).toContain("cannot be closed");
});

const BOTH = `rd.luks.name=${ROOT}=root root=/dev/mapper/root ${NAMED}`;
const questions = ({ terminals }: FakeMachine) => terminals.screen("/dev/ttyS0").match(/passphrase: /g)?.length ?? 0;

test("both encrypted with one passphrase: it is asked for once, and wiped before a shell and before the handover", () => {
  rememberArrays((remembered) => {
    const kept = () => remembered.filter((bytes) => Buffer.from(bytes).toString() === "pass").length;
    const disks = [disk("vda", vault), disk("vdb", store)];
    for (const stop of ["", "rdshell=keep rd.break=subtrees"]) {
      const person = [() => expect(kept()).toBe(0)];
      const { end, mounts, machine, shells } = boot(`${BOTH} ${stop}`, disks, { typing: typed("pass"), person });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(mounts.join()).toContain("/run/levain/store ext4 /dev/mapper/store");
      expect([shells, questions(machine), kept()]).toEqual([stop === "" ? 0 : 1, 1, 0]);
    }
  });
});

test("both encrypted with a passphrase each: both are asked for", async () => {
  const other = await luksDisk(
    { name: "store-other", script: `printf secret > key; ${recipe("", STORE).script}` },
    inner,
  );
  const more = { typing: typed("pass", "secret") };
  const { end, machine } = boot(BOTH, [disk("vda", vault), disk("vdb", other)], more);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(questions(machine)).toBe(2);
});

test("a store in plain dm-crypt is asked for, even if it has the passphrase of the root: nothing proves that", () => {
  const key = hashPlainKey("ripemd160", Buffer.from("pass"), 32) ?? new Uint8Array();
  const disks = [disk("vda", vault), disk("vdb", plainDisk({ cipher: "aes-cbc-essiv:sha256", key }, inner))];
  const options = "plain,hash=ripemd160,cipher=aes-cbc-essiv:sha256,size=256";
  const words = `cryptdevice=/dev/vdb:store:${options} rd.overlay=/dev/mapper/store`;
  const { end, machine } = boot(`rd.luks.name=${ROOT}=root root=/dev/mapper/root ${words}`, disks);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(questions(machine)).toBe(2);
});

test("a shell after the store was opened: its volume is closed first, and nothing of it stays mounted", () => {
  const noInit = rootImage("ROOT", { "/sbin/init": { directory: true } });
  const { shells, journal, machine } = boot(`root=LABEL=ROOT ${NAMED}`, [disk("vda", noInit), disk("vdb", store)], {
    images: [noInit, inner],
  });
  expect(shells).toBe(1);
  const shell = journal.findIndex((line) => line.startsWith("run /bin/busybox sh"));
  const closed = journal.indexOf("unmap store");
  expect(closed).toBeGreaterThan(0);
  expect(closed).toBeLessThan(shell);
  expect(machine.journal.join()).toContain("unmount /run/levain/store");
});

test("a LUKS container in an image file is unlocked", async () => {
  const file = await luksDisk(recipe("store-volume", STORE), inner);
  const stick = fakeImage("vfat", { label: "STICK" }, { "/vault.img": file.bytes });
  const { end, mounts } = boot(
    "root=LABEL=ROOT rd.overlay=LABEL=STICK:/vault.img",
    [disk("vda", root), disk("sda", stick)],
    {
      images: [root, inner, file],
      filesystems: ["ext4", "vfat"],
    },
  );
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(mounts.join()).toContain(`/run/levain/store ext4 /dev/mapper/luks-${STORE}`);
});
