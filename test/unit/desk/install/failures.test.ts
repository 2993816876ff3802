import { beforeEach, expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { createLinuxMachine } from "../../../../src/machine/linux/linux.ts";
import { desk, deskOn } from "../../../support/desk-in-process.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";
import { createScene, QUICK } from "./scene.ts";

const MAIN = join(import.meta.dir, "../../../../src/main.ts");
const IMAGE = "/boot/initrd.img-6.1";

let { root, write, read, exists, addKernel, makeDebian } = createScene();

beforeEach(() => {
  ({ root, write, read, exists, addKernel, makeDebian } = createScene());
  makeDebian("6.1");
});

const words = (...more: readonly string[]) => ["--root", root, "--program", BUSYBOX, ...more];
const boot = () => fs.readdirSync(join(root, "boot")).sort();

/** Runs `levain install` in a process, and before it a script, in a mount namespace of its own. */
function installApart(script: string, after: string) {
  const text = `cd "$1"; ${script}\nshift; status=0; "$@" || status=$?; ${after}; exit $status`;
  const argv = [
    "unshare",
    "--mount",
    "/bin/sh",
    "-euc",
    text,
    "sh",
    root,
    process.execPath,
    MAIN,
    "install",
    ...words(),
  ];
  const { exitCode, signalCode, stdout, stderr } = Bun.spawnSync(argv);
  return { exitCode, signalCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

const MOUNTED = "cp -r boot kept; mount -t tmpfs -o size=1M none boot; cp kept/* boot; rm -r kept";
const LIST = "echo; cd boot; for file in $(ls -A); do echo $file $(stat -c %s $file); done";
const AS_BEFORE = "\ninitrd.img-6.1 23\nvmlinuz-6.1 10\n";

test("a full boot partition keeps its image, and nothing else is left on it", () => {
  const { exitCode, stdout, stderr } = installApart(MOUNTED, LIST);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("there is no space left (ENOSPC)")]);
  expect(stderr).toContain("initrd.img-6.1 is still the one from before");
  expect(stderr).toEndWith("hint: make room there, then run levain install --kernel 6.1\n");
  expect(stdout).toEndWith(AS_BEFORE);
});

test("a boot partition that is read-only is reported", () => {
  const { exitCode, stdout, stderr } = installApart(`${MOUNTED}; mount -o remount,ro boot`, LIST);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("the filesystem is read-only (EROFS)")]);
  expect(stdout).toEndWith(AS_BEFORE);
});

test("a build that is killed or interrupted leaves the image, and can be done again", async () => {
  write("/stop", "#!/bin/sh\nkill -KILL $PPID\n", 0o755);
  write("/etc/levain.toml", `${QUICK}hooks = ["/proc/self/cwd/stop"]\n`);
  expect(installApart("", "true").exitCode).toBeGreaterThan(128);
  expect((await desk("uninstall", "--root", root)).status).toBe(0);
  expect(boot()).toEqual(["initrd.img-6.1", "vmlinuz-6.1"]);
  write("/stop", "#!/bin/sh\nkill -INT $PPID\n", 0o755);
  // Nothing waits for the compression "none".
  write("/etc/levain.toml", 'busybox = "none"\nhooks = ["/proc/self/cwd/stop"]\n');
  const interrupted = expect.stringContaining("interrupted: each file and each image is as before or complete");
  expect(installApart("", "true")).toMatchObject({ exitCode: 130, stderr: interrupted });
  expect(boot()).toEqual(["initrd.img-6.1", "initrd.img-6.1.before-levain", "vmlinuz-6.1"]);
  expect(read(IMAGE)).toBe("made by initramfs-tools");
  // What a power cut while it is written leaves.
  write("/boot/.initrd.img-6.1.12345", "a beginning");
  write("/etc/levain.toml", QUICK);
  expect((await desk("install", ...words())).status).toBe(0);
  expect(boot()).toEqual(["initrd.img-6.1", "initrd.img-6.1.before-levain", "vmlinuz-6.1"]);
  expect(read(`${IMAGE}.before-levain`)).toBe("made by initramfs-tools");
  // A power cut between an image and its record: the new image is not the one from before.
  const record = JSON.parse(read("/var/lib/levain/install.json"));
  record.images["6.1"].sha256 = null;
  write("/var/lib/levain/install.json", JSON.stringify(record));
  expect((await desk("install", ...words("--kernel", "6.1"))).status).toBe(0);
  expect((await desk("uninstall", "--root", root)).status).toBe(0);
  expect(read(IMAGE)).toBe("made by initramfs-tools");
});

test("a second kernel, whose version has any characters, waits for the first", async () => {
  const version = "6.2,a=b:c#1~'\"$(x)";
  await desk("install", ...words());
  addKernel(version);
  const own = createLinuxMachine();
  const first = own.openTree(join(root, "var/lib/levain"), "as mounted");
  expect(first.lock()).toBeTrue();
  let tries = 0;
  const openTree: typeof own.openTree = (...args) => {
    tries += 1;
    expect(exists(`/boot/initrd.img-${version}`)).toBeFalse();
    if (tries === 2) first.close();
    return own.openTree(...args);
  };
  const { status, stderr } = await deskOn({ ...own, openTree }, "install", ...words("--kernel", version));
  expect([status, stderr]).toEqual([0, "waiting for another levain install\n"]);
  expect(Object.keys(JSON.parse(read("/var/lib/levain/install.json")).images)).toEqual(["6.1", version]);
  expect((await desk("uninstall", "--root", root, "--kernel", version)).status).toBe(0);
  expect(exists(`/boot/initrd.img-${version}`)).toBeFalse();
});

test("an image for this machine is not built for the system in another directory", async () => {
  write("/etc/levain.toml", `${QUICK}host = true\n`);
  const { status, stderr } = await desk("install", ...words());
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining("/etc/levain.toml says host = true, which is this machine"),
  ]);
  expect(read(IMAGE)).toBe("made by initramfs-tools");
});
