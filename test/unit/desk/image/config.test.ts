import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parseConfig, readConfig } from "../../../../src/desk/config/config.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { report } from "../../../../src/problems/report.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { refusalOf } from "../../../support/refusal.ts";

const complaint = (source: string) => refusalOf(() => parseConfig(source, "levain.toml"));

const KEYS =
  "hint: the keys are output, kernel, modules-dir, modules, host, network, modprobe-dirs, busybox, init, runtime, add, programs, keymaps, compress, microcode, firmware, strip, hooks, parameters, shell-password, machine, uki";

test("everything that can be said", () => {
  const source = `
    # a comment
    output = "boot/initramfs.img"
    kernel = "6.1.0-26-amd64"
    modules-dir = "lib/modules/6.1.0-26-amd64"
    modules = ["aoe", "e1000"]
    host = "hints.json"
    network = true
    modprobe-dirs = ["/etc/modprobe.d"]
    busybox = "none"
    init = "levain"
    runtime = "paged"
    add = ["hooks:/etc/hooks"]
    programs = ["/sbin/e2fsck"]
    keymaps = ["de-latin1", "us"]
    compress = "zstd:19"
    microcode = true
    firmware = ["i915/*.bin"]
    strip = true
    hooks = ["hooks/keys"]
    parameters = ["rd.timeout=60", 'rootflags=data=ordered']
    [machine."52:54:00:12:34:56"]
    parameters = ["root=LABEL=A"]
    [machine.R640]
    parameters = ["root=LABEL=B"]
    [uki]
    cmdline = "quiet"
    os-release = "os-release"
    sign = "db.key:db.crt"
  `;
  expect(parseConfig(source, "levain.toml")).toEqual({
    output: "boot/initramfs.img",
    kernel: "6.1.0-26-amd64",
    "modules-dir": "lib/modules/6.1.0-26-amd64",
    modules: ["aoe", "e1000"],
    host: "hints.json",
    network: true,
    "modprobe-dirs": ["/etc/modprobe.d"],
    busybox: "none",
    init: "levain",
    runtime: "paged",
    add: ["hooks:/etc/hooks"],
    programs: ["/sbin/e2fsck"],
    keymaps: ["de-latin1", "us"],
    compress: "zstd:19",
    microcode: true,
    firmware: ["i915/*.bin"],
    strip: true,
    hooks: ["hooks/keys"],
    parameters: ["rd.timeout=60", "rootflags=data=ordered"],
    machine: { "52:54:00:12:34:56": { parameters: ["root=LABEL=A"] }, R640: { parameters: ["root=LABEL=B"] } },
    uki: { cmdline: "quiet", "os-release": "os-release", sign: "db.key:db.crt" },
  });
});

test("nothing has to be said", () => {
  expect(parseConfig("", "levain.toml")).toEqual({
    modules: [],
    host: false,
    network: false,
    "modprobe-dirs": [],
    add: [],
    programs: [],
    keymaps: [],
    microcode: false,
    firmware: [],
    strip: false,
    hooks: [],
    parameters: [],
    machine: {},
    uki: {},
  });
});

describe("a mistake is reported with its line number", () => {
  test("a wrong type", () => {
    expect(complaint('kernel = "6.1"\nmodules = "aoe"\n')).toEqual([
      "levain.toml has a mistake",
      'seen: line 2: modules: expected a list but received "aoe"',
      KEYS,
    ]);
  });

  test("a wrong element", () => {
    expect(complaint('modules = [\n  "a",\n  5,\n]')[1]).toBe(
      "seen: line 3: modules[2]: expected a string but received 5",
    );
  });

  test("a hash of a password that is none, or out of bounds", () => {
    for (const hash of ["geheim", "$argon2id$v=19$m=9999999,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"]) {
      expect(complaint(`shell-password = "${hash}"`)[1]).toStartWith(
        "seen: line 1: shell-password: expected a hash by Argon2id",
      );
    }
  });

  test("an empty text", () => {
    expect(complaint('\noutput = ""')[1]).toBe(
      'seen: line 2: output: expected a string that is not empty but received ""',
    );
  });

  test("in a table of a machine, also what must hold for all machines", () => {
    const table = (text: string) => complaint(`quiet = 1\n[machine.a]\n${text}`).join("\n");
    expect(table('parameters = ["rd.timeout=soon"]')).toContain("line 2: machine.a.parameters[1]: rd.timeout=soon: ");
    expect(table('parameters = ["rdshell=0"]')).toContain(
      "rdshell must be in parameters of the file, for all machines",
    );
    expect(table('modules = ["a"]')).toContain("line 2: machine.a");
  });

  test("unknown keys and tables, all at once", () => {
    expect(complaint('module = ["a"]\ncompress = 3\n[kernel]\nversion = "6"')).toEqual([
      "levain.toml has 3 mistakes",
      "seen:",
      "  line 1: unknown key module: did you mean modules or modules-dir?",
      "  line 2: compress: expected a string but received 3",
      "  line 3: kernel: expected a string but received a table",
      KEYS,
    ]);
  });

  test("several unknown keys, each with its line", () => {
    expect(complaint('foo = 1\nkernel = "6"\nbar = 2\n[image]\ncompress = "zstd"').slice(1, -1)).toEqual([
      "seen:",
      "  line 1: unknown key foo",
      "  line 3: unknown key bar",
      "  line 4: unknown key image",
    ]);
  });

  test("what the command line would refuse too", () => {
    expect(complaint('compress = "zstd:99"\nadd = ["a:/b", "c:d"]').slice(1, 4)).toEqual([
      "seen:",
      '  line 1: compress: expected a level from 1 to 22 for zstd but received "99"',
      '  line 2: add[2]: expected SRC:DST with an absolute DST but received "c:d"',
    ]);
  });

  test("a date is no text", () => {
    expect(complaint("kernel = 1979-05-27T07:32:00Z")[1]).toBe(
      "seen: line 1: kernel: expected a string but received a date",
    );
  });
});

describe("malformed TOML is reported with its line number", () => {
  test.each([
    ['kernel = "6"\n\nmodules = [ "a" "b" ]\n', 3],
    ["kernel = 6.1.0-26-amd64", 1],
    ['kernel = "6"\nkernel = "7"\n', 2],
    ['add = ["a:/b"]\nkernel = "6\n', 2],
    ["modules\n", 1],
  ])("%j", (source, line) => {
    expect(complaint(source)[0]).toBe("levain.toml has a mistake");
    expect(complaint(source)[1]).toStartWith(`seen: line ${line}: `);
    expect(complaint(source).join("\n")).toContain("strings in double quotes");
  });

  test("together with every other mistake, in the order of the file", () => {
    const source = [
      "kernel = 6.1.0", //
      'modules = [\n  "a",\n  7,\n  "b",\n]',
      'keymap = "de"',
      'output = "x',
      'output = "boot.img"',
      'add = [\n  "a:/b",\n\n  "c:d",\n]',
      'kernel = "6.1"\nkernel = "6.2"',
      'compress = "zip"',
      'parameters = [\n  "rd.timeout=60", "rd.timeout=soon",\n  "root=LABL=x",\n  "",\n]',
    ].join("\n");
    const lines = complaint(source).filter((line) => line.startsWith("  line"));
    expect(lines.map((line) => line.replace(/: .*/, ""))).toEqual(
      [1, 4, 7, 8, 13, 16, 17, 19, 20, 21].map((line) => `  line ${line}`),
    );
    expect(lines[1]).toEndWith("modules[2]: expected a string but received 7");
    expect(lines[2]).toEndWith("unknown key keymap: did you mean keymaps?");
    expect(lines[4]).toEndWith('add[2]: expected SRC:DST with an absolute DST but received "c:d"');
    expect(lines[7]).toEndWith('parameters[2]: rd.timeout=soon: Expected a number of seconds but received "soon"');
    expect(lines[5]).toEndWith("kernel is already set in line 15");
    expect(complaint(source)[0]).toBe("levain.toml has 10 mistakes");
  });

  test("a mistake in a table is one, and a list that is not closed does not hide what follows", () => {
    const lines = complaint('modules = ["a",\ninit = 5\n[image]\nkernel = x\nbusybox = 3\n').join("\n");
    expect([...lines.matchAll(/line (\d+)/g)].map(([, line]) => line)).toEqual(["1", "2", "4"]);
  });

  test("a text of several lines that looks like keys is a text", () => {
    expect(parseConfig('output = """\nkernel = 5\n"""\ninit = "x"\n', "levain.toml")).toMatchObject({ init: "x" });
  });
});

test("any file is read, or refused with a BootError", () => {
  const piece = fc.constantFrom(
    "kernel",
    "modules",
    "=",
    '"',
    "'",
    "[",
    "]",
    "\n",
    ",",
    "a",
    "0",
    "#",
    "{",
    "}",
    ".",
    "\\",
    "__proto__",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        parseConfig(pieces.join(""), "levain.toml");
      } catch (error) {
        expect(error).toBeInstanceOf(BootError);
        expect(report(error).join("\n")).not.toContain("bug in levain");
      }
    }),
    { numRuns: 500 },
  );
});

test("a file that cannot be read is reported", () => {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "levain.toml"), 'kernel = "none"');
  expect(readConfig(join(directory, "levain.toml")).kernel).toBe("none");
  expect(() => readConfig(join(directory, "missing.toml"))).toThrow(
    `cannot read the configuration ${directory}/missing.toml`,
  );
  expect(() => readConfig(directory)).toThrow(`cannot read the configuration ${directory}`);
});
