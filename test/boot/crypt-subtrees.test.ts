import { beforeAll, expect, test } from "bun:test";
import { ELF, type FakeBootOptions, ROOT_TREE } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// Whole boots whose /usr, or what else fstab mounts before init, is in an encrypted volume, or pretends to be.

const ROOT = "6c657661-696e-4000-8000-0000000000d1";
const USR = "6c657661-696e-4000-8000-0000000000d2";
const KEPT = "6c657661-696e-4000-8000-0000000000d3";
const SMALL = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";
const recipe = (name: string, uuid: string) => ({
  name,
  script: `cryptsetup luksFormat -q ${SMALL} --uuid ${uuid} ${CHEAP} $1 key`,
});

const { "/sbin/init": _, "/usr/lib/systemd/systemd-udevd": __, ...REST } = ROOT_TREE;
const split = fakeImage(
  "ext4",
  { label: "ROOT" },
  {
    ...REST,
    "/sbin": { link: "usr/sbin" },
    "/usr": { directory: true },
    "/srv": { directory: true },
    "/etc/fstab": "LABEL=USR /usr ext4 ro 0 2\nLABEL=DATA /srv ext4 x-initrd.mount,nofail\n",
  },
);
const usr = fakeImage("ext4", { label: "USR" }, { "/sbin/init": { data: ELF, mode: 0o755 } });
const theirs = fakeImage("ext4", { label: "USR" }, { "/sbin/init": { data: ELF, mode: 0o755 }, "/theirs": "" });
const whole = fakeImage(
  "ext4",
  { label: "ROOT" },
  {
    ...ROOT_TREE,
    "/srv": { directory: true },
    "/var/state": "base",
    "/etc/fstab": "LABEL=SRV /srv ext4 x-initrd.mount\n",
  },
);
const srv = fakeImage("ext4", { label: "SRV" });
const kept = fakeImage("ext4", { label: "DATA", sizeBytes: 4 * 2 ** 20 }, { "/var/upper/state": "kept" });
let keptVault: FakeImage;
let vault: FakeImage;
let usrVault: FakeImage;
beforeAll(async () => {
  vault = await luksDisk(recipe("subtrees-root", ROOT), split);
  keptVault = await luksDisk(recipe("subtrees-kept", KEPT), kept);
  usrVault = await luksDisk(recipe("subtrees-usr", USR), usr);
});

function boot(words: string, disks: readonly FakeImage[], more: FakeBootOptions = {}) {
  const booted = cryptBoot({
    cmdline: `root=LABEL=ROOT rd.timeout=2 ${words}`,
    images: [split, whole, srv, kept, usr, theirs, vault, usrVault],
    disks: disks.map((image, index) => ({ name: `vd${"abc"[index]}`, image })),
    typing: typed("pass"),
    ...more,
  });
  const { console, mounts } = booted;
  return {
    ...booted,
    said: console.replaceAll(/\n {2,}/g, " "),
    usr: mounts.find((mount) => mount.startsWith("/sysroot/usr ")) ?? null,
  };
}

const BOTH = `rd.luks.name=${ROOT}=root rd.luks.name=${USR}=usr`;

test("/usr in a volume of its own is unlocked with the passphrase of the root", () => {
  const { usr: mounted, end, machine } = boot(BOTH, [vault, usrVault]);
  expect(end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
  expect(mounted).toBe("/sysroot/usr ext4 /dev/mapper/usr");
  const screen = machine.terminals.screen("/dev/ttyS0");
  expect(screen.split("  unlock    ")).toHaveLength(2);
});

test("with rd.auto, the volume of /usr is opened when it is needed, with the passphrase of the root too", () => {
  const { usr: mounted, end, machine } = boot("rd.auto", [vault, usrVault]);
  expect(machine.terminals.screen("/dev/ttyS0").split("  unlock    ")).toHaveLength(2);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(mounted).toBe(`/sysroot/usr ext4 /dev/mapper/luks-${USR}`);
});

test("a stranger's /usr in front of the one in the volume is not mounted", () => {
  const { usr: mounted, end } = boot(BOTH, [theirs, vault, usrVault]);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(mounted).toBe("/sysroot/usr ext4 /dev/mapper/usr");
});

test.each([
  [`rd.luks.uuid=${ROOT}`, "not used: it lies outside the encrypted volumes that parameters name"],
  ["rd.auto", "cannot be closed"],
  ["rd.auto mount.usr=/dev/vda", "cannot be closed"],
])("a stranger's /usr below an encrypted root is refused: %p", (words, reason) => {
  const { usr: mounted, end, said } = boot(words, [theirs, vault]);
  expect(end).toBe("poweroff");
  expect(mounted).toBeNull();
  expect(said).toContain(reason);
});

test("an encrypted /usr below a root that is not is refused: that could read what the volume protects", () => {
  const { end, said } = boot(`rd.auto mount.usr=/dev/mapper/luks-${USR}`, [split, usrVault]);
  expect(end).toBe("poweroff");
  expect(said).toContain("only a part of the root is encrypted");
});

test("a volume that no parameter names is reported with what unlocks it", () => {
  const { end, said } = boot("", [split, usrVault]);
  expect(end).toBe("poweroff");
  expect(said).toContain('could not find the device for /usr no device with label "USR" appeared within 2 s');
  expect(said).toContain("name that with rd.luks.uuid=");
});

test.each([
  ["rd.overlay=/dev/mapper/data", "/sysroot overlay overlay"],
  ["rd.union=/var:/dev/mapper/data", "/sysroot/var overlay overlay"],
])(
  "changes in a volume, over a root that anyone may read, with a line of its fstab that is not encrypted: %p",
  (words, expected) => {
    const { end, mounts, console } = boot(`rd.luks.name=${KEPT}=data ${words}`, [whole, srv, keptVault]);
    expect(console).not.toContain("closed /dev/mapper");
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(mounts).toContain(expected);
    expect(mounts).toContain("/sysroot/srv ext4 /dev/vdb");
  },
);

test("an encrypted root, and kept changes that are not: refused", () => {
  const { end, said } = boot(`${BOTH} rd.union=/srv:LABEL=SRV`, [vault, usrVault, srv]);
  expect(end).toBe("poweroff");
  expect(said).toContain("not encrypted");
});
