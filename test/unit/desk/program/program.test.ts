import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { contentOfBytes } from "../../../../src/desk/archive/content.ts";
import { writeCpio } from "../../../../src/desk/archive/cpio.ts";
import { type ImageTree, putEntry, sortEntries } from "../../../../src/desk/archive/tree.ts";
import { EM } from "../../../../src/desk/program/elf.ts";
import type { RuntimeKind } from "../../../../src/desk/program/init-program.ts";
import { addBusybox, addInit, addProgram } from "../../../../src/desk/program/program.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run, runScript } from "../../../support/command.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";

const MACHINE = process.arch === "arm64" ? EM.AARCH64 : EM.X86_64;
const STATIC = BUSYBOX;
const isRoot = process.getuid?.() === 0;

const complaint = (action: () => unknown) => refusalOf(action).join("\n");

/** Unpacks the tree with cpio(1) and returns the directory. */
async function unpack(tree: ImageTree): Promise<string> {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "cpio"), Buffer.concat([...writeCpio(sortEntries(tree))]));
  await runScript('cd "$1"; mkdir root; cd root; cpio --quiet -id < ../cpio', [directory]);
  return join(directory, "root");
}

/** Compiles C into `output` with these further arguments. */
async function compile(source: string, output: string, ...args: readonly string[]): Promise<void> {
  await run(["gcc", "-x", "c", "-", "-x", "none", "-o", output, ...args], { stdin: source });
}

describe("a program with libraries", () => {
  test("runs in a root that holds nothing else", async () => {
    const tree: ImageTree = new Map();
    addProgram(tree, "/sbin/e2fsck", "/sbin/e2fsck", MACHINE);
    if (!isRoot) return;
    const root = await unpack(tree);
    expect(await runScript('chroot "$1" /sbin/e2fsck -V 2>&1', [root])).toContain("e2fsck 1.");
  });

  test("has its loader once, and not the library of another machine", () => {
    const tree: ImageTree = new Map();
    addProgram(tree, "/sbin/e2fsck", "/sbin/e2fsck", MACHINE);
    const files = [...tree.values()].filter(({ kind }) => kind === "file").map(({ path }) => path);
    expect(files.filter((path) => path.includes("/ld-"))).toHaveLength(1);
    expect(files.filter((path) => path.endsWith("/libc.so.6"))).toHaveLength(1);
  });

  test("finds libraries by RUNPATH and $ORIGIN, and theirs in turn", async () => {
    const directory = scratchDirectory();
    mkdirSync(join(directory, "lib"));
    const at = (name: string) => join(directory, name);
    await compile(
      "int inner(void) { return 42; }",
      at("lib/libinner.so"),
      "-shared",
      "-fPIC",
      "-Wl,-soname,libinner.so",
    );
    await compile(
      "int inner(void); int outer(void) { return inner(); }",
      at("lib/libouter.so"),
      "-shared",
      "-fPIC",
      at("lib/libinner.so"),
      "-Wl,-rpath,$ORIGIN",
      "-Wl,-soname,libouter.so",
    );
    await compile(
      '#include <stdio.h>\nint outer(void); int main(void) { printf("%d\\n", outer()); }',
      at("program"),
      `-L${at("lib")}`,
      "-louter",
      "-Wl,--allow-shlib-undefined",
      "-Wl,-rpath,$ORIGIN/lib",
    );
    const tree: ImageTree = new Map();
    addProgram(tree, at("program"), at("program"), MACHINE);
    expect([...tree.keys()]).toContain(at("lib/libouter.so"));
    expect([...tree.keys()]).toContain(at("lib/libinner.so"));
    if (isRoot) {
      // Without /proc the loader learns the program's place only so.
      const environment = { LD_ORIGIN_PATH: directory };
      expect(await run(["chroot", await unpack(tree), at("program")], { environment })).toBe("42\n");
    }
  });

  test("a missing library is named, with who needs it", async () => {
    const directory = scratchDirectory();
    const library = join(directory, "libgone.so");
    await compile("int gone(void) { return 1; }", library, "-shared", "-fPIC", "-Wl,-soname,libgone.so");
    await compile("int gone(void); int main(void) { return gone(); }", join(directory, "program"), library);
    await run(["rm", library]);
    const said = complaint(() => addProgram(new Map(), join(directory, "program"), "/program", MACHINE));
    expect(said).toContain(`seen: libgone.so, needed by ${directory}/program`);
  });
});

describe("a script", () => {
  const scriptOf = (text: string) => {
    const script = join(scratchDirectory(), "fsck.xfs");
    writeFileSync(script, text);
    return script;
  };

  test("for the shell that BusyBox is comes alone, and can be executed", () => {
    const tree: ImageTree = new Map();
    addProgram(tree, scriptOf("#!/bin/sh -f\nexit 0\n"), "/usr/sbin/fsck.xfs", MACHINE);
    expect(tree.get("/usr/sbin/fsck.xfs")).toMatchObject({ kind: "file", mode: 0o755 });
    expect([...tree.keys()].some((path) => path.includes("/sh"))).toBe(false);
  });

  test("for another interpreter brings that, with its libraries", () => {
    const tree: ImageTree = new Map();
    addProgram(tree, scriptOf("#! /bin/bash\nexit 0\n"), "/usr/sbin/fsck.xfs", MACHINE);
    expect([...tree.keys()]).toContain("/bin/bash");
    expect([...tree.keys()].some((path) => path.endsWith("/libc.so.6"))).toBe(true);
  });
});

describe("a file that is not a program for this image is refused", () => {
  test("data", () => {
    const file = join(scratchDirectory(), "data");
    writeFileSync(file, "text\n");
    const said = complaint(() => addProgram(new Map(), file, "/x", MACHINE));
    expect(said).toContain("neither an ELF file nor a script\nhint: add data with --add SRC:DST");
  });

  test.each([
    ["#!/usr/bin/env sh\n", "its interpreter is looked up on the path"],
    ["#!/no/such\n", "cannot add /no/such, the interpreter of"],
    ["#!\n", "cannot add , the interpreter of"],
    ["#!/etc/passwd\n", "its interpreter /etc/passwd is not an ELF file"],
  ])("a script that could not start: %p", (text, why) => {
    const script = join(scratchDirectory(), "script");
    writeFileSync(script, text);
    expect(complaint(() => addProgram(new Map(), script, "/x", MACHINE))).toContain(why);
  });

  test("a program of another machine", () => {
    const said = complaint(() => addProgram(new Map(), STATIC, "/x", EM.I386));
    expect(said).toContain("/init is for i386");
  });

  test("a file that is not there, a directory", () => {
    expect(complaint(() => addProgram(new Map(), "/no/such", "/x", MACHINE))).toContain("no such file or directory");
    expect(complaint(() => addProgram(new Map(), "/etc", "/x", MACHINE))).toContain("it is a directory");
  });

  test("a damaged ELF file", () => {
    const file = join(scratchDirectory(), "damaged");
    writeFileSync(file, Buffer.from("7f454c46020101", "hex"));
    expect(complaint(() => addProgram(new Map(), file, "/x", MACHINE))).toContain("is not a supported ELF file");
  });
});

describe("BusyBox", () => {
  test("a static one comes alone, without the /bin/sh that the kernel would start", () => {
    const tree: ImageTree = new Map();
    addBusybox(tree, null, MACHINE, ["/no/such", STATIC]);
    expect([...tree.keys()].sort()).toEqual(["/bin", "/bin/busybox"]);
  });

  test("a dynamic one comes with its loader and libraries", async () => {
    const program = join(scratchDirectory(), "busybox");
    // As BusyBox's table of applets is stored.
    await compile(
      '#include <stdio.h>\nconst char applets[] = "[\\0sh\\0"; int main(void) { return puts(applets) < 0; }',
      program,
    );
    const tree: ImageTree = new Map();
    addBusybox(tree, program, MACHINE);
    expect([...tree.keys()].some((path) => path.endsWith("/libc.so.6"))).toBe(true);
    if (isRoot) await run(["chroot", await unpack(tree), "/bin/busybox"]);
  });

  test("a program without a shell is refused: the rescue shell would not start", async () => {
    const program = join(scratchDirectory(), "busybox");
    await compile("int main(void) { return 0; }", program);
    const said = complaint(() => addBusybox(new Map(), program, MACHINE));
    expect(said).toContain("cannot be the image's BusyBox: it has no applet sh");
  });

  test("a script is refused, which would only run another program", () => {
    const script = join(scratchDirectory(), "busybox");
    writeFileSync(script, '#!/bin/sh\nexec /opt/busybox "$@"\n', { mode: 0o755 });
    const said = complaint(() => addBusybox(new Map(), script, MACHINE));
    expect(said).toContain(`${script} cannot be the image's BusyBox: it is not an ELF file`);
    expect(said).toContain("--busybox FILE");
  });

  test("none comes where none is wanted", () => {
    const tree: ImageTree = new Map();
    addBusybox(tree, "none", MACHINE);
    expect(tree.size).toBe(0);
  });

  test("the error on a host without one says what to do", () => {
    const said = complaint(() => addBusybox(new Map(), null, MACHINE, ["/no/such"]));
    expect(said).toContain("seen: /no/such: not found");
    expect(said).toContain("apt install busybox-static");
  });
});

const FIRST_KIND = ([kind = "plain"]: readonly RuntimeKind[]) => kind;

describe("/init", () => {
  test("is a static program, and levain is on the path", () => {
    const tree: ImageTree = new Map();
    expect(addInit(tree, STATIC, FIRST_KIND)).toEqual({ machine: MACHINE, isCompressed: false });
    expect(tree.get("/init")).toMatchObject({ kind: "file", mode: 0o755 });
    expect(tree.get("/bin/levain")).toMatchObject({ kind: "symlink", target: "/init" });
  });

  test("that needs a loader would never start", async () => {
    const program = join(scratchDirectory(), "dynamic");
    await compile("int main(void) { return 0; }", program);
    expect(complaint(() => addInit(new Map(), program, FIRST_KIND))).toContain("it needs the loader");
  });

  test("that is missing is reported", () => {
    expect(complaint(() => addInit(new Map(), "/no/such", FIRST_KIND))).toContain(
      "cannot read /no/such, which is to become /init",
    );
  });

  test("cannot be put where a directory is", () => {
    const tree: ImageTree = new Map();
    putEntry(tree, { kind: "file", path: "/init/x", mode: 0o644, content: contentOfBytes("") });
    expect(complaint(() => addInit(tree, STATIC, FIRST_KIND))).toContain("would be both a directory and a file");
  });
});
