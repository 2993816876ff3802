import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readNewSecret } from "../../../../src/desk/usb/disk/ask.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run } from "../../../support/command.ts";
import { desk } from "../../../support/desk-in-process.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";

const MAIN = join(import.meta.dir, "../../../../src/main.ts");

/** A root that is only looked at, in a directory of its own. */
function makeRoot() {
  const directory = scratchDirectory();
  for (const path of ["root/sbin", "root/tmp"]) mkdirSync(join(directory, path), { recursive: true });
  writeFileSync(join(directory, "root/sbin/init"), "an init\n".repeat(1000));
  writeFileSync(join(directory, "vmlinuz"), "a kernel");
  return directory;
}

const words = (directory: string, output: string) => [
  ...["usb", "--root", join(directory, "root"), "--output", join(directory, output), "--kernel", "none"],
  ...["--vmlinuz", join(directory, "vmlinuz"), "--init", BUSYBOX, "--compress", "none", "--bios", "none"],
];

async function make(directory: string, output: string, ...more: readonly string[]) {
  const { status, stdout, stderr } = await desk(...words(directory, output), "--json", ...more);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

interface Part {
  readonly role: string;
  readonly start: number;
  readonly bytes: number;
}

/** Returns the bytes of a partition. */
const readPart = (image: string, { start, bytes }: Part) =>
  Bun.file(image)
    .slice(start, start + bytes)
    .bytes();

describe("levain usb", () => {
  test("makes an image with a boot partition, the root and a filesystem for changes", async () => {
    const directory = makeRoot();
    const { partitions } = await make(directory, "a b\nc.img", "--persist", "16M", "--label", "rye");
    const image = join(directory, "a b\nc.img");
    const [boot, root, changes] = partitions;
    expect(partitions.map(({ role }: Part) => role)).toEqual(["boot", "root", "changes"]);
    const files = await run(["mdir", "-/", "-b", "-i", `${image}@@${boot.start}`, "::"]);
    for (const name of ["vmlinuz", "initrd.img", "EFI/BOOT/BOOTX64.EFI", "loader/entries/levain.conf"])
      expect(files).toContain(`::/${name}\n`);
    const entry = await run(["mtype", "-i", `${image}@@${boot.start}`, "::loader/entries/levain.conf"]);
    expect(entry).toContain(`options root=PARTUUID=${root.partUuid} rd.overlay=PARTUUID=${changes.partUuid}\n`);
    const found = await desk("devices", "--json", image);
    expect(JSON.parse(found.stdout)[0].tags.PTTYPE).toBe("gpt");
    expect(new TextDecoder().decode((await readPart(image, root)).subarray(0, 4))).toBe("hsqs");
    const filesystem = join(directory, "changes");
    writeFileSync(filesystem, await readPart(image, changes));
    await run(["e2fsck", "-f", "-n", filesystem]);
    expect(await run(["dumpe2fs", "-h", filesystem])).toContain("Block size:               4096\n");
    expect(readdirSync(directory).sort()).toEqual(["a b\nc.img", "changes", "root", "vmlinuz"]);
  });

  test("makes the same bytes of the same seed", async () => {
    const directory = makeRoot();
    process.env["SOURCE_DATE_EPOCH"] = "1700000000";
    try {
      for (const name of ["one", "other"]) await make(directory, name, "--seed", "x", "--persist", "16M", "--verity");
    } finally {
      delete process.env["SOURCE_DATE_EPOCH"];
    }
    await run(["cmp", join(directory, "one"), join(directory, "other")]);
  });

  test("says what does not fit before it writes anything", async () => {
    const directory = makeRoot();
    const { status, stderr } = await desk(...words(directory, "disk"), "--size", "32M");
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /disk is too small: it has 32 MiB, and the stick needs \d+ MiB\nseen: boot 64 MiB · root 1 MiB\nhint: give a larger --size/,
    );
    expect(readdirSync(directory).sort()).toEqual(["root", "vmlinuz"]);
  });

  test.each([
    [["--root", "/"], /Missing --output/],
    [["-o", "x"], /Missing --root DIR, --from-running or --debian SUITE/],
    [["-o", "x", "--root", "/", "--debian", "sid"], /Use only one of --root/],
    [["-o", "x", "--root", "/", "--include", "vim"], /--include needs --debian/],
    [["-o", "x", "--root", "/", "--root-password-file", "p"], /--root-password-file needs --debian/],
    [["-o", "x", "--debian", "sid;reboot"], /expected the name of a suite or a package but received "sid;reboot"/],
    [["-o", "x", "--root", "/", "--persist", "4X"], /--persist: expected a size such as 512M or 4G but received "4X"/],
    [["-o", "x", "--root", "/", "--label", "a/b"], /--label: expected at most 11 letters/],
    [["-o", "x", "--root", "/", "--cmdline", 'a="b c"'], /--cmdline: a boot loader would change quotes/],
    [["-o", "x", "--root", "/", "--key-file", "k"], /--key-file needs --encrypt/],
    [["-o", "x", "--root", "/", "--bios", "lilo"], /--bios: expected syslinux, grub or none but received "lilo"/],
  ])("%j is refused", async (argv, message) => {
    const { status, stderr } = await desk("usb", ...argv);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  test("a password is one line, and a passphrase any bytes; the newline at the end of a line does not count", () => {
    const file = join(scratchDirectory(), "secret");
    const read = (noun: "passphrase" | "password", text: string) => {
      writeFileSync(file, text);
      return Buffer.from(readNewSecret(file, { noun, of: "root", option: "x" })).toString();
    };
    expect(read("password", "rye\n")).toBe("rye");
    expect(read("passphrase", "a\nb\n")).toBe("a\nb\n");
    expect(() => read("password", "a\nlp:b\n")).toThrow("has more than one line");
    expect(() => read("password", "\n")).toThrow("is empty: an empty password protects nothing");
  });

  test("a disk that does not exist does not become a file", async () => {
    const directory = makeRoot();
    const argv = words(directory, "x").map((word) => (word === join(directory, "x") ? "/dev/sdzzz" : word));
    expect((await desk(...argv)).stderr).toContain("there is no disk /dev/sdzzz\nhint: levain devices lists disks");
    expect(existsSync("/dev/sdzzz")).toBe(false);
  });

  test("Ctrl-C removes what was begun, and ends its programs", async () => {
    const directory = makeRoot();
    const programs = scratchDirectory();
    const started = join(directory, "started");
    writeFileSync(
      join(programs, "mksquashfs"),
      `#!/bin/sh\necho $$ > '${started}.new'; mv '${started}.new' '${started}'\nexec sleep 600\n`,
    );
    chmodSync(join(programs, "mksquashfs"), 0o755);
    const env = { ...process.env, PATH: `${programs}:${process.env["PATH"]}` };
    const child = Bun.spawn([process.execPath, MAIN, ...words(directory, "disk")], {
      env,
      stdio: ["ignore", "ignore", "ignore"],
    });
    while (!existsSync(started)) await Bun.sleep(20);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    // An orphan that ended is a zombie until the test run reaps it.
    const squashing = `/proc/${readFileSync(started, "utf8").trim()}/stat`;
    const isRunning = () => existsSync(squashing) && !/\) [ZX] /.test(readFileSync(squashing, "utf8"));
    expect(readdirSync(directory).sort()).toEqual(["root", "started", "vmlinuz"]);
    while (isRunning()) await Bun.sleep(20);
  });
});
