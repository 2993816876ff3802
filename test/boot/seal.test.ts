import { beforeAll, describe, expect, test } from "bun:test";
import { SyscallError } from "../../src/problems/errors.ts";
import { ELF, type FakeBootOptions, rootImage } from "../support/fake-boot.ts";
import type { FakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// What a shell finds of an encrypted volume that was open, and of its key.

const UUID = "6c657661-696e-4000-8000-0000000000d1";
const NODE = `/dev/mapper/luks-${UUID}`;
const SMALL = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";
const root = rootImage("ROOT");
let vault: FakeImage;
beforeAll(async () => {
  vault = await luksDisk(
    { name: "seal-vault", script: `cryptsetup luksFormat -q ${SMALL} --uuid ${UUID} ${CHEAP} $1 key` },
    root,
  );
});

interface Found {
  readonly volumes: readonly string[];
  readonly keys: readonly string[];
  readonly mounts: string;
}

function boot(cmdline: string, more: FakeBootOptions = {}) {
  const found: Found[] = [];
  const look = (machine: FakeMachine) => {
    const keys = ["/etc/root.key", "/etc/cryptsetup-keys.d/other.key"].filter((path) => machine.stat(path) !== null);
    const mounts = Buffer.from(machine.readFile("/proc/self/mountinfo")).toString();
    found.push({ volumes: machine.listMappings().map(({ name }) => name), keys, mounts });
  };
  const result = cryptBoot({
    cmdline: `rd.luks.uuid=${UUID} root=${NODE} ${cmdline}`,
    disks: [{ name: "vda", image: vault }],
    images: [root],
    typing: typed("pass", "pass"),
    files: { "/etc/root.key": "pass", "/etc/cryptsetup-keys.d/other.key": "other" },
    person: [look],
    ...more,
  });
  return { ...result, found };
}

const KEY = "rd.luks.key=/etc/root.key";

describe("a shell finds no volume open and no key", () => {
  test.each([
    ["after a mount that failed", `${KEY} rootfstype=vfat`],
    ["after a mount that failed, rdshell=keep, but a key had opened it", `${KEY} rootfstype=vfat rdshell=keep`],
    ["where the init is missing", `${KEY} init=/nowhere`],
    ["before the handover (rd.break)", `${KEY} rd.break=handover`],
    ["before the mount (rd.break)", `${KEY} rd.break=mount`],
    ["where nothing was open yet", `${KEY} rd.break=root`],
    ["where nothing may be opened", `${KEY} rd.luks=0 rd.break=root`],
    ["where the command line has a mistake", `${KEY} rd.timeout=abc`],
  ])("%s", (_, cmdline) => {
    const { found } = boot(cmdline);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ volumes: [], keys: [] });
    expect(found[0]?.mounts).not.toContain("mapper");
  });
});

test("the builder's list counts if the command line does not name the key, and so does the crypttab", () => {
  const listed = { "/etc/levain.keys": "/etc/root.key\0" };
  const tabled = { "/etc/crypttab": "data LABEL=DATA /etc/root.key luks,noauto\n" };
  for (const files of [listed, tabled]) {
    const { found } = boot("rd.break=root", { files: { "/etc/root.key": "pass", ...files } });
    expect(found[0]?.keys).toEqual([]);
  }
});

test("an initramfs that is the final system counts as a shell", () => {
  const result = boot(`${KEY} rd.handover=stay`);
  expect(result.end).toMatchObject({ mode: "stay" });
  expect(result.journal).toContain("wipe /etc/root.key");
});

test("the boot continues from the root step after such a shell, and prompts, because the key is gone", () => {
  const result = boot(`${KEY} rd.break=handover`);
  expect(result.end).toMatchObject({ mode: "switch_root" });
  expect(result.console).toContain("removed the key file /etc/root.key of this image before the shell");
  expect(result.console).toContain(`closed ${NODE} before the shell`);
  expect(result.machine.terminals.screen("/dev/ttyS0").split("  unlock    ")).toHaveLength(2);
});

test("with rdshell=keep a volume that a passphrase has opened stays open", () => {
  const { found, console } = boot("rootfstype=vfat rdshell=keep");
  expect(found[0]?.volumes).toEqual([`luks-${UUID}`]);
  expect(console).toContain(`${NODE} stays open in this shell (rdshell=keep)`);
});

test("a volume that a passphrase has opened is closed as well", () => {
  expect(boot("rootfstype=vfat").found[0]?.volumes).toEqual([]);
});

test.each(["rdshell=0", "panic=5", "rd.emergency=poweroff"])("nothing is said of a shell with %s", (policy) => {
  const { console, found, journal } = boot(`${KEY} rootfstype=vfat ${policy}`);
  expect(found).toEqual([]);
  expect(journal).toContain("wipe /etc/root.key");
  expect(console).toContain("removed the key file /etc/root.key of this image\n");
  expect(console).toContain(`closed ${NODE}\n`);
});

test("rdshell=keep keeps no volume open for a machine that reboots, perhaps after a countdown; for rd.break it does", () => {
  expect(boot("rootfstype=vfat rdshell=keep panic=5").console).toContain(`closed ${NODE}\n`);
  expect(boot("rootfstype=vfat rdshell=keep rd.emergency.after=9").console).toContain(
    `closed ${NODE} before the shell`,
  );
  const stops = boot("rdshell=keep rd.emergency.after=9 rd.break=mount");
  expect(stops.found[0]?.volumes).toEqual([`luks-${UUID}`]);
});

test("no shell starts if a volume cannot be closed", () => {
  const removeMapping = (name: string) => {
    throw new SyscallError("ioctl", "EBUSY", name);
  };
  const before = (machine: FakeMachine) => Object.assign(machine, { removeMapping });
  const result = boot(`${KEY} rootfstype=vfat`, { before });
  expect(result.shells).toBe(0);
  expect(result.console).toMatch(/cannot be closed, so no\s+shell is started/);
  expect(result.console).not.toMatch(/levain (retry|unlock)/);
  expect(result.end).toBe("halt");
  const silent = boot(`${KEY} rootfstype=vfat rdshell=0`, { before });
  expect(silent.console).toMatch(/cannot be\s+closed\n/);
  expect(silent.console).not.toContain("so no shell");
});

test("if a disk holds up the closing of its volume, the report of the failure comes all the same, and no shell, nor a hook", () => {
  const before = (machine: FakeMachine) => machine.refuse("removeMapping", "luks", "ETIMEDOUT");
  const hook = "/etc/levain/hooks/failure.d/shell";
  let hooks = 0;
  const withHook = {
    files: { "/etc/root.key": "pass", [hook]: { data: ELF, mode: 0o755 } },
    programs: { [hook]: () => void hooks++ },
  };
  boot(`${KEY} rootfstype=vfat`, withHook);
  expect(hooks).toBe(2); // and after the retry
  const { console, shells, end } = boot(`${KEY} rootfstype=vfat`, { before, ...withHook });
  expect(hooks).toBe(2);
  expect(console).toContain(`could not mount ${NODE}`);
  expect(console).toMatch(/the disk below does not\s+answer \(ETIMEDOUT\)/);
  expect([shells, end]).toEqual([0, "halt"]);
});

test("no shell starts if a key file cannot be removed", () => {
  const before = (machine: FakeMachine) => machine.refuse("wipeFile", "/etc/root.key", "EROFS");
  const result = boot(`${KEY} rd.break=mount`, { before });
  expect(result.shells).toBe(0);
  expect(result.console).toContain("the key file /etc/root.key cannot be removed, so no shell is started");
});
