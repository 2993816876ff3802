import { describe, expect, test } from "bun:test";
import { existsSync, linkSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createIdentity } from "../../../../src/desk/usb/identity.ts";
import { patternOf, regexOf } from "../../../../src/desk/usb/root/patterns.ts";
import { makeRootImage } from "../../../../src/desk/usb/root/root-image.ts";
import { sourceOfDirectory, sourceOfRunning } from "../../../../src/desk/usb/root/source.ts";
import { withWorkspace } from "../../../../src/desk/usb/workspace.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run } from "../../../support/command.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { listenToVoice } from "../heard-voice.ts";

const STRANGE = ["a b", "new\nline", "star*", "[x]", "back\\slash", "-e", "... dots", "ümlaut", "q?'\"$(x)", "!(x)+@"];

describe("patterns", () => {
  test.each(STRANGE)("the pattern of %j matches that path alone", (name) => {
    const regex = new RegExp(regexOf(patternOf(`/mnt/${name}`)), "u");
    expect(regex.test(`mnt/${name}`)).toBe(true);
    for (const other of ["mnt/other", `mnt/${name}x`, `xmnt/${name}`, `mnt/${name}/below`])
      expect(regex.test(other)).toBe(false);
  });

  test("a star is any part of one name, also a hidden one", () => {
    const regex = new RegExp(regexOf("home/*/.cache/*"));
    expect(["home/a/.cache/.x", "home/.b/.cache/y"].every((path) => regex.test(path))).toBe(true);
    expect(["home/a/b/.cache/x", "home/a/.cache", "home/a/xcache/y"].some((path) => regex.test(path))).toBe(false);
  });
});

/** A tree with what a root has, in which every directory that is filled at boot has something, and files of every kind. */
async function strangeTree(): Promise<string> {
  const tree = scratchDirectory();
  for (const path of ["usr/bin", "proc", "sys", "dev", "run", "tmp/deep", "mnt", "etc"])
    mkdirSync(join(tree, path), { recursive: true });
  for (const path of ["proc/1", "sys/.hidden", "tmp/deep/x", "tmp/.y", "run/z"]) writeFileSync(join(tree, path), "");
  for (const name of STRANGE) {
    mkdirSync(join(tree, "mnt", name));
    writeFileSync(join(tree, "mnt", name, "inside"), name);
  }
  writeFileSync(join(tree, "etc/machine-id"), "0123\n");
  linkSync(join(tree, "etc/machine-id"), join(tree, "usr/linked"));
  symlinkSync("/nowhere", join(tree, "usr/link"));
  await run(["mkfifo", join(tree, "usr/fifo")]);
  // A socket, as a daemon leaves it behind.
  await run([
    "python3",
    "-c",
    "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
    join(tree, "usr/s"),
  ]);
  return tree;
}

const identity = createIdentity(new Uint8Array(1));

function makeImage(
  source: Parameters<typeof makeRootImage>[0]["source"],
  type: "squashfs" | "erofs",
  isOwnedByRoot = true,
) {
  return withWorkspace(scratchDirectory(), async (workspace) => {
    const image = await makeRootImage({ source, type, isOwnedByRoot, identity }, workspace, listenToVoice());
    const kept = join(scratchDirectory(), "image");
    await run(["cp", image, kept]);
    return kept;
  });
}

/** Lists the paths in a squashfs; a newline in a name is one in the text too. */
const list = async (image: string) => (await run(["unsquashfs", "-lc", image])).replaceAll("squashfs-root/", "");

describe("the image of a root", () => {
  test("has files of every kind and name, and nothing of what a boot fills", async () => {
    const image = await makeImage(sourceOfDirectory(await strangeTree()), "squashfs");
    const names = `${await list(image)}\n`;
    for (const name of STRANGE) expect(names).toContain(`mnt/${name}/inside\n`);
    for (const name of ["usr/fifo", "usr/s", "usr/link", "usr/linked", "proc", "run", "sys", "tmp"])
      expect(names).toContain(`\n${name}\n`);
    for (const name of ["proc/", "sys/", "tmp/", "run/"]) expect(names).not.toContain(`\n${name}`);
  });

  test.each(["squashfs", "erofs"] as const)(
    "a %s leaves out exactly what it should, whatever its name",
    async (type) => {
      const source = sourceOfDirectory(await strangeTree());
      const left = STRANGE.filter((_, index) => index % 2 === 0);
      const excluded = [...source.excluded, ...left.map((name) => `${patternOf(`/mnt/${name}`)}/*`)];
      const image = await makeImage({ ...source, excluded }, type);
      const unpacked = join(scratchDirectory(), "unpacked");
      const unpack = {
        squashfs: ["unsquashfs", "-q", "-n", "-d", unpacked, image],
        erofs: ["fsck.erofs", `--extract=${unpacked}`, image],
      };
      await run(unpack[type]);
      const filled = STRANGE.filter((name) => existsSync(join(unpacked, "mnt", name, "inside")));
      expect(filled).toEqual(STRANGE.filter((name) => !left.includes(name)));
      expect(readdirSync(join(unpacked, "mnt")).sort()).toEqual([...STRANGE].sort());
      expect(["proc", "sys", "run", "tmp"].flatMap((name) => readdirSync(join(unpacked, name)))).toEqual([]);
    },
  );

  test("the machine ID is empty in it, and what it was on this host", async () => {
    const tree = await strangeTree();
    const file = join(tree, "etc/machine-id");
    const image = await makeImage({ ...sourceOfDirectory(tree), emptied: file }, "squashfs");
    expect(await run(["unsquashfs", "-cat", image, "etc/machine-id"])).toBe("");
    expect(await Bun.file(file).text()).toBe("0123\n");
  });

  test("is the same again with SOURCE_DATE_EPOCH", async () => {
    const tree = await strangeTree();
    process.env["SOURCE_DATE_EPOCH"] = "1700000000";
    try {
      const one = await makeImage(sourceOfDirectory(tree), "squashfs");
      utimesSync(join(tree, "usr"), new Date(), new Date());
      const other = await makeImage(sourceOfDirectory(tree), "squashfs");
      expect(Bun.hash(await Bun.file(one).bytes())).toBe(Bun.hash(await Bun.file(other).bytes()));
    } finally {
      delete process.env["SOURCE_DATE_EPOCH"];
    }
  });
});

describe("sources", () => {
  test("a directory that is no root is refused", () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "x\u001b[2J"), "");
    expect(refusalOf(() => sourceOfDirectory(directory)).join("\n")).toMatch(
      /it has no usr, bin or sbin\nseen: x\\x1b\[2J\n/,
    );
    expect(refusalOf(() => sourceOfDirectory(join(directory, "none")))[0]).toContain("is not a directory");
  });

  const mounts = [
    "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
    "2 1 0:5 / /proc rw - proc proc rw",
    "3 1 8:2 / /usr rw - ext4 /dev/sda2 rw",
    "4 1 8:3 / /home rw - ext4 /dev/sda3 rw",
    "5 1 8:4 / /boot/efi rw - vfat /dev/sda4 rw",
    "6 1 0:40 / /srv/nfs\\040x rw - nfs4 server:/x rw",
  ];
  const swaps = "Filename Type Size Used Priority\n/swap\\040file file 1 0 -2\n/dev/sda5 partition 1 0 -3\n";
  const proc: Readonly<Record<string, string>> = { "/proc/self/mountinfo": mounts.join("\n"), "/proc/swaps": swaps };
  const fake = fakeMachine();
  const machine = { ...fake, readFile: (path: string) => new TextEncoder().encode(proc[path] ?? "") };

  test("the running system is copied with what belongs to it, and without its identity", () => {
    const source = sourceOfRunning(machine, { keepsIdentity: false, mounts: [] }, ["/var/tmp/.levain-usb-1"]);
    expect(source.leftOut.map((text) => text.split(" (")[0])).toEqual(["/home", "/boot/efi", "/srv/nfs x"]);
    expect(source.excluded).toEqual(
      expect.arrayContaining([
        "home/*",
        "boot/efi/*",
        "srv/nfs\\ x/*",
        "swap\\ file",
        "etc/ssh/ssh_host_*_key",
        "etc/fstab",
      ]),
    );
    expect(source.excluded).toContain("var/tmp/.levain-usb-1");
    expect(source.excluded).not.toContain("usr/*");
  });

  test("the user can keep the identity and name mounts", () => {
    const source = sourceOfRunning(machine, { keepsIdentity: true, mounts: ["/home"] }, []);
    expect(source.excluded.filter((pattern) => pattern.includes("ssh") || pattern.startsWith("home/*/"))).toEqual([
      "home/*/.cache/*",
    ]);
    expect(source.excluded).not.toContain("home/*");
    const wrong = () => sourceOfRunning(machine, { keepsIdentity: true, mounts: ["/hme"] }, []);
    expect(refusalOf(wrong)[0]).toBe("nothing is mounted at /hme");
  });
});
