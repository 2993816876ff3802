import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { contentOfBytes } from "../../../../src/desk/archive/content.ts";
import { type ImageTree, putEntry } from "../../../../src/desk/archive/tree.ts";
import {
  findKeys,
  findSecrets,
  warnOfCopy,
  warnOfReaders,
  warnOfStandardOutput,
} from "../../../../src/desk/image/secrets.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { runScript } from "../../../support/command.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";

const MAIN = join(import.meta.dir, "../../../../src/main.ts");

function treeOf(files: Readonly<Record<string, number>>): ImageTree {
  const tree: ImageTree = new Map();
  for (const [path, mode] of Object.entries(files)) {
    if (path.endsWith("/")) putEntry(tree, { kind: "directory", path: path.slice(0, -1), mode });
    else putEntry(tree, { kind: "file", path, mode, content: contentOfBytes("x") });
  }
  return tree;
}

function secretsOf(
  files: Readonly<Record<string, number>>,
  parameters: readonly string[] = [],
  crypttab: string | null = null,
) {
  const manifest = { version: 1 as const, kernel: null, parameters };
  const hasFile = (path: string) => Object.hasOwn(files, path);
  return findSecrets(treeOf(files), [makePlan({ cmdline: "", manifest, hasFile, crypttab }).plan]);
}

test("what is removed before a shell: keys, but no program that only root may start", () => {
  const files = { "/etc/root.key": 0o600, "/sbin/tool": 0o700, "/etc/hosts": 0o644 };
  const { plan } = makePlan({ cmdline: "", manifest: null, hasFile: () => false, crypttab: null });
  expect(findKeys(treeOf(files), [plan])).toEqual(["/etc/root.key"]);
});

describe("secrets of an image", () => {
  test("are files that others cannot read here, and those in directories that others cannot enter", () => {
    const files = { "/etc/a": 0o600, "/etc/b": 0o644, "/etc/c": 0o640, "/etc/keys/": 0o700, "/etc/keys/d": 0o644 };
    expect(secretsOf(files)).toEqual(["/etc/a", "/etc/c", "/etc/keys/d"]);
  });

  test("are keys by the place that they are at", () => {
    const files = { "/etc/cryptsetup-keys.d/root.key": 0o644, "/crypto_keyfile.bin": 0o644, "/etc/hosts": 0o644 };
    expect(secretsOf(files)).toEqual(["/etc/cryptsetup-keys.d/root.key", "/crypto_keyfile.bin"]);
  });

  test("are keys that a parameter or the crypttab names", () => {
    const files = { "/k/one": 0o644, "/k/two": 0o644, "/k/three": 0o644 };
    const uuid = "c1b72fc6-0000-4000-8000-000000000000";
    expect(secretsOf(files, [`rd.luks.uuid=${uuid}`, "rd.luks.key=/k/one"])).toEqual(["/k/one"]);
    expect(secretsOf(files, [], `root UUID=${uuid} /k/two luks\n`)).toEqual(["/k/two"]);
    expect(secretsOf(files, ["rd.integrity=safe:/dev/vda,key=/k/three"])).toEqual(["/k/three"]);
  });

  test("are keys that the integritytab of the image names", () => {
    const tree = treeOf({ "/k/one": 0o644, "/k/two": 0o644 });
    const content = contentOfBytes("# name device key\nsafe /dev/vda /k/two\n");
    putEntry(tree, { kind: "file", path: "/etc/integritytab", mode: 0o644, content });
    expect(findSecrets(tree, [])).toEqual(["/k/two"]);
  });
});

describe("a warning", () => {
  test("is given where others can read the file, and only if there are secrets", () => {
    expect(warnOfReaders(["/k"], "/boot/efi/x", { mode: 0o100755 })).toContain(
      "other users can read /boot/efi/x (mode 0755), which contains secrets (/k)",
    );
    expect(warnOfReaders(["/k"], "/x", { mode: 0o100640 })).not.toBeNull();
    expect(warnOfReaders(["/k"], "/x", { mode: 0o100600 })).toBeNull();
    expect(warnOfReaders([], "/x", { mode: 0o100755 })).toBeNull();
    expect(warnOfReaders(["1", "2", "3", "4", "5", "6", "7"], "/x", { mode: 0o100644 })).toContain("5 and 2 more");
  });

  test("is given for a copy that more users can read than what it was made of", () => {
    const directory = scratchDirectory();
    const [a, b] = [join(directory, "a"), join(directory, "b")];
    for (const file of [a, b]) writeFileSync(file, "x");
    chmodSync(a, 0o600);
    chmodSync(b, 0o644);
    expect(warnOfCopy(a, b)).toContain(`other users can read ${b} (mode 0644)`);
    expect([warnOfCopy(b, a), warnOfCopy(a, a), warnOfCopy(b, b)]).toEqual([null, null, null]);
  });

  test("is given for a pipe, and for a file that others can read, not for one of mode 0600", async () => {
    const directory = scratchDirectory();
    mkdirSync(join(directory, "etc"));
    const key = join(directory, "etc/root.key");
    writeFileSync(key, "secret", { mode: 0o600 });
    const build =
      '"$1" "$2" image --kernel none --busybox none --init "$5" --compress none --add "$3:/etc/root.key" --output -';
    const say = (where: string) =>
      runScript(`umask 022; cd "$4"; { ${build} ${where}; } 2>&1 >/dev/null`, [
        process.execPath,
        MAIN,
        key,
        directory,
        BUSYBOX,
      ]);
    expect(await say("| cat >/dev/null")).toContain(
      "warning: the image on standard output contains secrets (/etc/root.key)",
    );
    expect(await say("> open")).toContain("is a file that other users can read (mode 0644), and the image contains");
    expect(statSync(join(directory, "open")).mode & 0o777).toBe(0o644);
    writeFileSync(join(directory, "closed"), "", { mode: 0o600 });
    expect(await say("> closed")).not.toContain("warning");
  });
});

test("a device that keeps nothing is no place to warn of", () => {
  expect(warnOfStandardOutput(["/k"], statSync("/dev/null"))).toBeNull();
  expect(warnOfStandardOutput([], statSync("/"))).toBeNull();
});
