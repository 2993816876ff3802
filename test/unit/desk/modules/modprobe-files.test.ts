import { beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  chooseModprobeDirectories,
  keepObeyedLines,
  parseModprobeRequest,
  readModprobeFiles,
} from "../../../../src/desk/modules/modprobe-files.ts";
import { scratchDirectory } from "../../../support/cache.ts";

let base = "";
beforeEach(() => {
  base = scratchDirectory();
});

function put(path: string, text: string): string {
  mkdirSync(join(base, path, ".."), { recursive: true });
  writeFileSync(join(base, path), text);
  return join(base, path);
}

const directories = () => ["etc", "usr"].map((name) => join(base, name)); // in their precedence
const texts = () => readModprobeFiles(directories()).map(({ name, text }) => [name, text]);

describe("the files of several directories", () => {
  test("come in the order of their names; of one name the first directory's counts", () => {
    put("usr/b.conf", "blacklist hidden\n");
    put("usr/a.conf", "blacklist a\n");
    put("etc/b.conf", "blacklist b\n");
    expect(texts()).toEqual([
      ["a.conf", "blacklist a\n"],
      ["b.conf", "blacklist b\n"],
    ]);
  });

  test("are hidden by an empty file or a link to /dev/null", () => {
    put("usr/a.conf", "blacklist a\n");
    put("usr/b.conf", "blacklist b\n");
    put("etc/a.conf", "");
    symlinkSync("/dev/null", join(base, "etc/b.conf"));
    symlinkSync("/nowhere", join(base, "etc/c.conf"));
    expect(texts()).toEqual([
      ["a.conf", ""],
      ["b.conf", ""],
      ["c.conf", ""],
    ]);
  });

  test("do not include others: backups, hidden files, directories, what would block", () => {
    for (const name of ["etc/a.conf~", "etc/.a.conf", "etc/README", "usr/d.conf/x.conf"]) put(name, "blacklist a\n");
    Bun.spawnSync(["mkfifo", join(base, "etc/pipe.conf")]);
    expect(texts()).toEqual([["pipe.conf", ""]]);
  });
});

describe("a file that cannot be read", () => {
  // A loop of links, because root may read files of any mode.
  beforeEach(() => {
    put("usr/a.conf", "blacklist a\n");
    put("etc/b.conf", "blacklist b\n");
    symlinkSync("loop.conf", join(base, "etc/loop.conf"));
  });

  test("is refused if its directory was asked for", () => {
    expect(() => readModprobeFiles(directories())).toThrow(`cannot read ${base}/etc/loop.conf`);
  });

  test("is left out with a warning if its directory is a default", () => {
    const warnings: string[] = [];
    const files = readModprobeFiles([...directories(), join(base, "gone")], (text) => warnings.push(text));
    expect(files.map(({ name }) => name)).toEqual(["a.conf", "b.conf"]);
    expect(warnings).toEqual([
      expect.stringMatching(/^cannot read .*\/gone: .*no such file.*; the image does not contain its settings$/),
      expect.stringMatching(/^cannot read .*\/etc\/loop\.conf: .+; the image does not contain its settings$/),
    ]);
  });
});

describe("the lines of a file", () => {
  const file = (text: string) => ({ name: "a.conf", path: "/etc/modprobe.d/a.conf", text });

  test("that a boot obeys are left as they are, with comments", () => {
    const text = "# mine\noptions nvme  poll_queues=4\nsoftdep nvme pre: \\\n  vfio-pci\ninstall floppy /bin/false\n";
    expect(keepObeyedLines(file(text))).toEqual({ file: file(text), warning: null });
  });

  test("that a boot ignores are left out and named", () => {
    const text =
      "install snd /sbin/modprobe --ignore-install snd\nblacklist pcspkr\nremove snd rm -rf /\ninclude x\nwhat\n";
    const { file: kept, warning } = keepObeyedLines(file(text));
    expect(kept.text).toBe("# /etc/modprobe.d/a.conf without the lines that levain ignores\nblacklist pcspkr\n");
    expect(warning).toBe(
      '/etc/modprobe.d/a.conf: levain runs no commands of install and remove, and ignores unknown lines: "install snd /sbin/modprobe --ignore-install snd", "remove snd rm -rf /", "include x" and 1 more',
    );
  });
});

describe("the directories", () => {
  const kernelIn = (path: string) => {
    mkdirSync(join(base, path), { recursive: true });
    return { version: "6.1", modulesDir: join(base, path) };
  };

  test("are this host's for a kernel that is installed here, each once, also by a link", () => {
    const own = kernelIn("usr/lib/modules/6.1");
    symlinkSync("usr/lib", join(base, "lib"));
    for (const path of ["etc/modprobe.d", "usr/lib/modprobe.d"]) mkdirSync(join(base, path), { recursive: true });
    const directories = ["etc", "run", "usr/lib", "lib"].map((path) => join(base, path, "modprobe.d"));
    const host = { modulesRoots: [join(base, "lib/modules")], directories };
    for (const kernel of [own, { version: "6.1", modulesDir: join(base, "lib/modules/6.1") }]) {
      expect(chooseModprobeDirectories(null, kernel, host)).toEqual([directories[0] ?? "", directories[2] ?? ""]);
      expect(chooseModprobeDirectories([], kernel, host)).toEqual([]);
    }
  });

  test("are none for another machine's kernel, unless asked for", () => {
    const other = kernelIn("other/lib/modules/6.1");
    kernelIn("lib/modules/6.1");
    for (const modulesRoot of [join(base, "lib/modules"), join(base, "no/lib/modules")]) {
      const host = { modulesRoots: [modulesRoot], directories: [base] };
      expect(chooseModprobeDirectories(null, other, host)).toEqual([]);
      expect(chooseModprobeDirectories([base], other, host)).toEqual([base]);
    }
  });

  test("that do not exist are refused", () => {
    expect(() => chooseModprobeDirectories([join(base, "no")], kernelIn("x"))).toThrow("no directory");
    expect(() => chooseModprobeDirectories([put("f", "")], kernelIn("x"))).toThrow("no directory");
  });

  test("and none contradict each other", () => {
    expect(parseModprobeRequest([])).toBeNull();
    expect(parseModprobeRequest(["none"])).toEqual([]);
    expect(() => parseModprobeRequest(["none", "/x"])).toThrow("--modprobe-dir none contradicts --modprobe-dir /x");
  });
});
