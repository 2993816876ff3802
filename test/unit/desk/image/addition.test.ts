import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { writeCpio } from "../../../../src/desk/archive/cpio.ts";
import { type ImageTree, sortEntries } from "../../../../src/desk/archive/tree.ts";
import { addFromHost, parseAddition } from "../../../../src/desk/image/addition.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { report } from "../../../../src/problems/report.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { runScript } from "../../../support/command.ts";
import { readContent } from "../../../support/read-cpio.ts";
import { listenToVoice } from "../heard-voice.ts";

describe("SRC:DST", () => {
  test.each([
    ["a:/b", "/here/a", "/b"],
    ["/a:/b/", "/a", "/b/a"],
    ["/a:/", "/a", "/a"],
    ["../a:/x/./y//z", "/a", "/x/y/z"],
    ["/etc/hosts", "/etc/hosts", "/etc/hosts"],
    ["a", "/here/a", "/here/a"],
    ["pci-0000:00:1f.2:/x", "/here/pci-0000:00:1f.2", "/x"],
  ])("%s", (text, source, destination) => {
    expect(parseAddition(text, "/here")).toEqual({ source, destination });
  });

  test.each(["", ":", ":/x", "a:", "a:b", "a:b/c", "a:/../b", "a:/x/..", "a:/b\0"])("refuses %j", (text) => {
    expect(() => parseAddition(text, "/here")).toThrow(BootError);
  });
});

describe("a place of levain's own", () => {
  const taken = [
    "/init",
    "//init",
    "/./init",
    "/x/.//..//init",
    "/etc/levain.cmdline",
    "/etc/./levain.json",
    "/etc/levain.new",
  ];
  const also = [
    "/bin/levain",
    "/TRAILER!!!",
    "//TRAILER!!!",
    "/lib/modules/6.1/levain-modules",
    "/a\nb",
    "/a/\u001b[31m",
  ];

  test.each([...taken, ...also])("%j is refused", (destination) => {
    expect(() => parseAddition(`a:${destination}`, "/here")).toThrow(BootError);
    const tree: ImageTree = new Map();
    const source = scratchDirectory();
    expect(() => addFromHost(tree, { source, destination }, listenToVoice())).toThrow(`cannot add ${source} as `);
    expect(tree.size).toBe(0);
  });

  test.each(["/init.d", "/etc/init", "/x/init", "/x/TRAILER!!!", "/etc/levain/keymaps/x", "/bin/levain2"])(
    "%s is free",
    (destination) => {
      expect(parseAddition(`a:${destination}`, "/here").destination).toBe(destination);
    },
  );

  test("is refused in a directory that is added, too, and says what to do instead", () => {
    const overlay = scratchDirectory();
    mkdirSync(join(overlay, "etc"));
    writeFileSync(join(overlay, "etc/levain.cmdline"), "rdshell=1");
    const add = (destination: string) => () =>
      addFromHost(new Map(), { source: overlay, destination }, listenToVoice());
    expect(add("/")).toThrow("cannot add");
    expect(add("/opt")).not.toThrow();
    const other = scratchDirectory();
    writeFileSync(join(other, "init"), "#!/bin/sh");
    expect(() => addFromHost(new Map(), { source: other, destination: "/" }, listenToVoice())).toThrow(
      `cannot add ${other}/init as /init: this path is reserved for levain`,
    );
    expect(() =>
      addFromHost(new Map(), { source: join(overlay, "etc"), destination: "/etc" }, listenToVoice()),
    ).toThrow("the image's own parameters");
  });

  test("cannot be reached through a link that was added before", () => {
    const [tree, host]: [ImageTree, string] = [new Map(), scratchDirectory()];
    symlinkSync("/etc", join(host, "link"));
    writeFileSync(join(host, "file"), "x");
    addFromHost(tree, { source: join(host, "link"), destination: "/e" }, listenToVoice());
    const through = { source: join(host, "file"), destination: "/e/levain.cmdline" };
    expect(() => addFromHost(tree, through, listenToVoice())).toThrow("/e is a symlink there");
  });
});

describe("a directory", () => {
  const directory = scratchDirectory();
  const tree: ImageTree = new Map();
  const voice = listenToVoice();

  beforeAll(async () => {
    process.umask(0o022);
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, "sub/empty"), { recursive: true });
    writeFileSync(join(directory, "sub/file"), "text");
    chmodSync(join(directory, "sub/file"), 0o4711);
    chmodSync(join(directory, "sub"), 0o1770);
    linkSync(join(directory, "sub/file"), join(directory, "other"));
    symlinkSync("nowhere", join(directory, "dangling"));
    await runScript('mkfifo -m 620 "$1/fifo"', [directory]);
    const server = createServer().listen(join(directory, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    addFromHost(tree, { source: directory, destination: "/opt/x" }, voice);
    server.close();
  });

  test("comes with everything that is in it, as it is", () => {
    const shown = sortEntries(tree).map(
      (entry) => `${entry.kind} ${entry.path} ${"mode" in entry ? entry.mode.toString(8) : entry.target}`,
    );
    expect(shown).toEqual([
      "directory /opt 755",
      "directory /opt/x 755",
      "symlink /opt/x/dangling nowhere",
      "fifo /opt/x/fifo 620",
      "file /opt/x/other 4711",
      "directory /opt/x/sub 1770",
      "directory /opt/x/sub/empty 755",
      "file /opt/x/sub/file 4711",
    ]);
  });

  test("keeps hard links: one content, two names", () => {
    const [one, other] = ["/opt/x/other", "/opt/x/sub/file"].map((path) => tree.get(path));
    if (one?.kind !== "file" || other?.kind !== "file") throw new Error("not there");
    expect(one.content).toBe(other.content);
    expect(Buffer.from(readContent(one.content)).toString()).toBe("text");
  });

  test("a socket is left out, with a warning", () => {
    expect(voice.warnings).toEqual([`${directory}/socket is left out: an image cannot contain a socket`]);
  });
});

test("a symlink is added as one, not what it leads to", () => {
  const directory = scratchDirectory();
  symlinkSync("/etc/hostname", join(directory, "link"));
  const tree: ImageTree = new Map();
  addFromHost(tree, { source: join(directory, "link"), destination: "/link" }, listenToVoice());
  expect(tree.get("/link")).toEqual({ kind: "symlink", path: "/link", target: "/etc/hostname" });
});

test("the content of a directory can be laid over the image's root", () => {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "file"), "");
  const tree: ImageTree = new Map();
  addFromHost(tree, { source: directory, destination: "/" }, listenToVoice());
  expect([...tree.keys()]).toEqual(["/file"]);
});

test("files that the kernel makes up as they are read come with what they hold", () => {
  const tree: ImageTree = new Map();
  for (const source of ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled"]) {
    if (existsSync(source)) addFromHost(tree, { source, destination: source }, listenToVoice());
  }
  expect(tree.size).toBeGreaterThan(0);
  for (const [path, entry] of tree) {
    if (entry.kind !== "file") continue; // the directories above them
    expect(Buffer.from(readContent(entry.content)).toString()).toBe(readFileSync(path, "utf8"));
  }
});

test("device nodes keep their numbers", () => {
  const tree: ImageTree = new Map();
  addFromHost(tree, { source: "/dev/null", destination: "/dev/null" }, listenToVoice());
  expect(tree.get("/dev/null")).toMatchObject({ kind: "character", major: 1, minor: 3 });
});

test("device numbers beyond eight bits, where this user may make such a node", async () => {
  if (process.getuid?.() !== 0) return;
  const directory = scratchDirectory();
  await runScript('mknod "$1/node" b 2748 773000', [directory]);
  const tree: ImageTree = new Map();
  addFromHost(tree, { source: join(directory, "node"), destination: "/node" }, listenToVoice());
  expect(tree.get("/node")).toMatchObject({ kind: "block", major: 2748, minor: 773_000 });
});

test("a missing source is reported", () => {
  const add = () => addFromHost(new Map(), { source: "/does/not/exist", destination: "/x" }, listenToVoice());
  try {
    add();
    throw new Error("was not refused");
  } catch (error) {
    expect(report(error)).toEqual([
      "cannot add /does/not/exist to the image",
      "  /does/not/exist: no such file or directory (ENOENT)",
      "hint: check the path given to --add",
    ]);
  }
});

test("a file that shrinks before it is its turn is an error, not a hole", () => {
  const path = join(scratchDirectory(), "file");
  writeFileSync(path, "long enough");
  const tree: ImageTree = new Map();
  addFromHost(tree, { source: path, destination: "/file" }, listenToVoice());
  writeFileSync(path, "");
  expect(() => [...writeCpio(sortEntries(tree))]).toThrow("became shorter while levain read it");
});

test("a name that is not valid UTF-8 is reported", async () => {
  const directory = scratchDirectory();
  await runScript('touch "$1/$(printf "a\\377")"', [directory]);
  expect(() => addFromHost(new Map(), { source: directory, destination: "/x" }, listenToVoice())).toThrow(
    "not valid UTF-8",
  );
});
