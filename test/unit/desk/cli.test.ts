import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { type CommandWords, flagOrOption, readCommandLine, UsageError } from "../../../src/desk/command-line.ts";
import { readOptions } from "../../../src/desk/commands/image.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { desk } from "../../support/desk-in-process.ts";
import { fakeImage } from "../../support/fake-images.ts";
import { BUSYBOX } from "../../support/unpacked-programs.ts";
import { NO_OPTIONS } from "./image/no-options.ts";

const MAIN = join(import.meta.dir, "../../../src/main.ts");

interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function levain(argv: readonly string[], cwd = "/"): Answer {
  // citty colours its texts unless one of these is set.
  const environment = { ...process.env, NO_COLOR: undefined, CI: undefined, TEST: undefined, TERM: "xterm" };
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, ...argv], { cwd, env: environment });
  return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

test("--debug shows where in the program a command failed, as nothing else does", async () => {
  const [usual, debug] = [await desk("inspect", "/dev/null"), await desk("--debug", "inspect", "/dev/null")];
  expect(usual.stderr).not.toContain("inspection.ts");
  expect([usual.status, debug.status]).toEqual([1, 1]);
  expect(debug.stderr).toStartWith(usual.stderr);
  expect(debug.stderr).toContain("inspection.ts");
});

describe("levain as a process", () => {
  test("ends with the status of its command, and colours nothing", () => {
    expect(levain(["--version"])).toEqual({ status: 0, stdout: `${packageJson.version}\n`, stderr: "" });
    const { status, stdout, stderr } = levain(["image", "--help"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("--compress=<METHOD[:LEVEL]>");
    expect(stdout).not.toContain("\u001b");
    const refused = "Unknown option '--bogus'\nhint: levain image --help lists its options\n";
    expect(levain(["image", "--bogus"])).toEqual({ status: 2, stdout: "", stderr: refused });
    expect(levain(["plan", "root=LABL=x"])).toMatchObject({ status: 1, stdout: "" });
  });
});

describe("levain", () => {
  test.each([["--version"], ["-V"]])("%s prints the version and nothing else", async (flag) => {
    expect(await desk(flag)).toEqual({ status: 0, stdout: `${packageJson.version}\n`, stderr: "" });
  });

  test.each([["--help"], ["-h"], ["help"]])("%s lists every command", async (flag) => {
    const { status, stdout } = await desk(flag);
    expect(status).toBe(0);
    for (const command of ["image", "plan", "help", "status", "devices", "log", "retry"])
      expect(stdout).toContain(`${command} `);
    expect(stdout).not.toContain("\u001b");
  });

  test.each([[["image", "--help"]], [["image", "-h"]], [["help", "image"]], [["image", "--output", "x", "-h"]]])(
    "%j shows the command's options",
    async (argv) => {
      const { status, stdout } = await desk(...argv);
      expect(status).toBe(0);
      expect(stdout).toContain("levain image");
      expect(stdout).toContain("--compress=<METHOD[:LEVEL]>");
    },
  );

  test.each([
    ["rd.timeout", "rd.timeout=SECONDS", "Example: "],
    ["rd.timeout=60", "rd.timeout=SECONDS", "Default: "],
    ["rd.live.image", "rd.live.image", "Default: no"],
    ["rd.dm.uuid", "rd.dm.uuid is not supported: no device of firmware RAID is set up", ""],
    ["rd.iscsi.firmware", "rd.iscsi.firmware is not supported: the network is not set up", ""],
    ["console", "console is a parameter of the kernel, which levain does not use", ""],
  ])("help %s explains that parameter alone", async (name, first, later) => {
    const { status, stdout, stderr } = await desk("help", name);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(first);
    expect(stdout).toContain(later);
    expect(stdout.split("\n").length).toBeLessThan(12);
  });

  test.each([
    [["imge"], "Unknown command 'imge': did you mean image?\n"],
    [["unlok"], "Unknown command 'unlok': did you mean unlock?\n"],
    [["quite-another"], "Unknown command 'quite-another': levain help lists the commands\n"],
    [
      ["help", "rd.timout"],
      "Unknown command or parameter 'rd.timout': did you mean rd.timeout?\nhint: levain help lists the commands, levain help parameters the parameters\n",
    ],
    [
      ["image", "--comprss=zstd"],
      "Unknown option '--comprss': did you mean --compress?\nhint: levain image --help lists its options\n",
    ],
  ])("%j names what may have been meant, and nothing else", async (argv, message) => {
    expect(await desk(...argv)).toEqual({ status: 2, stdout: "", stderr: message });
  });

  test.each(["retry", "completion", "help"])("%s --help shows no options, because it has none", async (name) => {
    const { status, stdout } = await desk(name, "--help");
    expect(status).toBe(0);
    expect(stdout).toContain(`USAGE levain ${name}`);
    expect(stdout).not.toContain("[OPTIONS]");
    expect((await desk("unlock", "--help")).stdout).toContain("[OPTIONS]");
  });

  test("help parameters prints the table", async () => {
    const { status, stdout } = await desk("help", "parameters");
    expect(status).toBe(0);
    expect(stdout).toContain("rd.timeout=");
  });

  test.each([
    [[], "USAGE"],
    [["bogus"], "Unknown command 'bogus'"],
    [["__proto__"], "Unknown command '__proto__'"],
    [["image", "--bogus"], "Unknown option '--bogus'\nhint: levain image --help lists its options\n"],
    [["image", "--output"], "'-o, --output <value>' argument missing"],
    [["image", "--kernel", ""], "Option '--kernel' needs a value"],
    [["image", "-o", ""], "Option '--output' needs a value"],
    [["image", "stray"], "Unexpected argument 'stray'"],
    [["image", "\x1b[2J"], "Unexpected argument '\\x1b[2J'"],
    [["image", "--\x9bgus"], "Unknown option '--\\x9bgus'"],
    [["plan", "--json=x", "root=/dev/sda"], "--json"],
    [["help", "bogus"], "Unknown command or parameter 'bogus'"],
  ])("a command line like %j is refused with status 2", async (argv, message) => {
    const { status, stdout, stderr } = await desk(...argv);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(message);
  });
});

describe("levain plan", () => {
  test("checks the images that are at hand before it prints the plan", async () => {
    const directory = scratchDirectory();
    const { bytes } = fakeImage("squashfs");
    const [good, short] = ["good.sfs", "short.sfs"].map((name) => join(directory, name));
    writeFileSync(good ?? "", bytes);
    writeFileSync(short ?? "", bytes.subarray(0, 2048));
    const words = ["root=LABEL=STICK rd.image=/good.sfs"];
    expect(await desk("plan", "--image", good ?? "", ...words)).toMatchObject({ status: 0, stderr: "" });
    const { status, stdout, stderr } = await desk("plan", "--image", good ?? "", "--image", short ?? "", ...words);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr.replaceAll(/\s+/g, " ")).toContain(
      "short.sfs is shorter than its superblock says: 2048 of 4096 bytes are there",
    );
    writeFileSync(short ?? "", "no image");
    expect((await desk("plan", "--image", short ?? "")).stderr).toContain("nothing recognised in ");
    expect((await desk("plan", "--image", "/none", ...words)).stderr).toContain("/none");
  });

  test("draws the stack, but not as JSON", async () => {
    const { status, stdout, stderr } = await desk("plan", "--svg", "root=LABEL=<A> rd.overlay");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toStartWith("<svg ");
    expect(stdout).toContain(">LABEL=&lt;A&gt;<");
    expect(await desk("plan", "--svg", "--json", "root=LABEL=A")).toMatchObject({ status: 2, stdout: "" });
  });

  test("shows the plan in words, and as JSON", async () => {
    expect((await desk("plan", "root=LABEL=LIVE ro")).stdout).toContain("LABEL=LIVE");
    const plan = JSON.parse((await desk("plan", "--json", "root=LABEL=LIVE")).stdout);
    expect(plan.root).toEqual({ kind: "block", devices: [{ by: "label", value: "LIVE" }] });
  });

  test("shows no password of iSCSI", async () => {
    const words =
      "root=LABEL=R netroot=iscsi:u:pass-one@192.0.2.1::::iqn.a:b rd.iscsi.param=node.session.auth.password=pass-two";
    for (const form of [["--json"], []]) {
      const { status, stdout } = await desk("plan", ...form, words);
      expect(status).toBe(0);
      expect(stdout).toContain("iqn.a:b");
      expect(stdout).not.toContain("pass-");
    }
  });

  test("reports all mistakes with status 1", async () => {
    const { status, stderr } = await desk("plan", "root=LABL=x rd.timeout=soon");
    expect(status).toBe(1);
    expect(stderr).toContain("root=LABL=x");
    expect(stderr).toContain("rd.timeout=soon");
    expect(stderr).not.toContain("bug in levain");
  });

  test("takes the parameters of a levain.toml", async () => {
    const file = join(scratchDirectory(), "levain.toml");
    writeFileSync(file, 'parameters = ["root=LABEL=FROMFILE"]');
    expect((await desk("plan", "--config", file, "quiet")).stdout).toContain("LABEL=FROMFILE");
  });

  test("takes the crypttab that it is given, or that a levain.toml adds", async () => {
    const directory = scratchDirectory();
    const [file, table] = [join(directory, "levain.toml"), join(directory, "crypttab")];
    writeFileSync(file, 'add = ["crypttab:/etc/crypttab"]');
    writeFileSync(table, "fromtable /dev/sda2 none tries=7\n");
    expect((await desk("plan", "--config", file, "quiet")).stdout).toContain("/dev/sda2 as fromtable, 7 tries");
    expect((await desk("plan", "--crypttab", table, "quiet")).stdout).toContain("/dev/sda2 as fromtable, 7 tries");
    writeFileSync(table, "fromtable\n");
    expect((await desk("plan", "--config", file, "quiet")).stderr).toContain("/etc/crypttab line 1 is ignored");
  });
});

describe("levain image", () => {
  const directory = scratchDirectory();
  const usual = ["image", "--kernel", "none", "--busybox", BUSYBOX, "--init", BUSYBOX, "--compress", "zstd:1"];

  test("says what of the crypttab that is added will be ignored", async () => {
    const table = join(directory, "mistaken");
    writeFileSync(table, "root /dev/sda2 none tries=x\nx sda\n");
    const output = join(directory, "mistaken.img");
    const { status, stderr } = await desk(...usual, "-o", output, "--add", `${table}:/etc/crypttab`);
    expect(status).toBe(0);
    expect(stderr).toContain("/etc/crypttab line 1: root: tries= is ignored: expected tries= from 0 to 1000");
    expect(stderr).toContain("/etc/crypttab line 2 is ignored: expected a device");
  });

  test("makes an image where it is asked to, and says what it made", () => {
    const { status, stdout, stderr } = levain([...usual, "-o", "image"], directory);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")[0]).toBe(join(directory, "image"));
    expect(readFileSync(join(directory, "image")).subarray(0, 4).toString("hex")).toBe("28b52ffd");
  });

  test("writes it to the standard output, and then says what it made elsewhere", () => {
    const script = 'exec "$0" "$@" -o - | cat > piped';
    const argv = ["sh", "-c", script, process.execPath, MAIN, ...usual];
    const { exitCode, stderr } = Bun.spawnSync(argv, { cwd: directory });
    expect(exitCode).toBe(0);
    expect(stderr.toString()).toContain("any with built-in drivers");
    expect(readFileSync(join(directory, "piped")).equals(readFileSync(join(directory, "image")))).toBeTrue();
    expect(existsSync(join(directory, "-"))).toBeFalse();
  });

  test("a mistake is reported on stderr, with status 1 and no file", async () => {
    const output = join(directory, "other");
    const { status, stdout, stderr } = await desk(...usual, "-o", output, "--add", "/no/such:/x");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("cannot add /no/such to the image\n");
    expect(existsSync(output)).toBe(false);
  });
});

describe("the options of levain image", () => {
  const args = {
    output: { type: "string", alias: "o" },
    module: { type: "string" },
    json: { type: "boolean" },
    "rest...": { type: "positional", required: false },
  } as const;

  test("are repeated, joined or the last one wins", () => {
    const line = readCommandLine(["-o", "a", "--module", "x", "--output=b", "--module=y", "--json", "--", "-z"], args);
    expect([line.one("output"), line.all("module"), line.has("json"), line.words]).toEqual([
      "b",
      ["x", "y"],
      true,
      ["-z"],
    ]);
    expect(() => readCommandLine(["--nope"], args)).toThrow(UsageError);
  });

  test("may have no value where it may be left out", () => {
    const optional = { host: flagOrOption("HINTS", "a test"), ...args };
    const read = (...words: readonly string[]) => readCommandLine(words, optional);
    expect([read("--host", "-o", "a"), read("--host=h"), read("--", "--host")].map((line) => line.one("host"))).toEqual(
      ["", "h", null],
    );
    expect(read("--host", "h").words).toEqual(["h"]);
    expect(() => read("--host=")).toThrow("Option '--host' needs a value");
  });

  /** A command line as `readOptions` sees it. */
  function lineOf(options: Readonly<Record<string, string | readonly string[]>>): CommandWords {
    const all = (name: string) => [options[name] ?? []].flat();
    return { all, one: (name) => all(name).at(-1) ?? null, has: (name) => name in options, words: [] };
  }

  let config = "";
  beforeAll(() => {
    const directory = join(scratchDirectory(), "project");
    mkdirSync(directory);
    config = join(directory, "levain.toml");
    writeFileSync(
      config,
      `output = "out/image"\nkernel = "6.1"\nmodules-dir = "mods/6.1"\nmodules = ["a"]\nmodprobe-dirs = ["conf"]\nbusybox = "bb"\ninit = "/i"
host = "hints.json"
network = true
runtime = "plain"
       add = ["x:/x"]\nprograms = ["sbin/p"]\nkeymaps = ["de"]\ncompress = "lz4:3"\nmicrocode = true\nfirmware = ["a*"]\nstrip = true\nhooks = ["h", "root:led"]\nparameters = ["quiet"]
shell-password = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"`,
    );
  });

  test("without any are the usual ones", () => {
    expect(readOptions(lineOf({}), "/here")).toEqual({ ...NO_OPTIONS, compression: { method: "zstd", level: 9 } });
  });

  test("come from levain.toml, whose paths are its own", () => {
    const base = join(config, "..");
    expect(readOptions(lineOf({ config }), "/here")).toEqual({
      output: join(base, "out/image"),
      root: "/",
      kernel: "6.1",
      modulesDir: join(base, "mods/6.1"),
      modules: ["a"],
      host: { file: join(base, "hints.json") },
      network: true,
      modprobeDirs: [join(base, "conf")],
      busybox: join(base, "bb"),
      init: "/i",
      runtime: "plain",
      additions: [{ source: join(base, "x"), destination: "/x" }],
      programs: [join(base, "sbin/p")],
      keymaps: ["de"],
      compression: { method: "lz4", level: 3 },
      microcode: true,
      firmware: ["a*"],
      strip: true,
      hooks: [join(base, "h")],
      bootHooks: [{ point: "root", file: join(base, "led") }],
      parameters: ["quiet"],
      machines: {},
      shellPassword: "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
      uki: null,
    });
  });

  test("for a unified kernel image come from its table, if one is asked for", () => {
    const table = '[uki]\ncmdline = "@cmdline"\nsplash = "s.bmp"\nsign = "db.key:db.crt"\n';
    const own = join(scratchDirectory(), "levain.toml");
    writeFileSync(own, table);
    const base = join(own, "..");
    expect(readOptions(lineOf({ config: own }), "/here").uki).toBeNull();
    expect(readOptions(lineOf({ config: own, uki: [], linux: "vmlinuz", splash: "t.bmp" }), "/here").uki).toEqual({
      linux: "/here/vmlinuz",
      stub: null,
      cmdline: `@${join(base, "cmdline")}`,
      osRelease: null,
      splash: "/here/t.bmp",
      sign: { key: join(base, "db.key"), certificate: join(base, "db.crt") },
    });
  });

  test.each([
    [{ host: "" }, { file: null }],
    [{ host: "h.json" }, { file: "/here/h.json" }],
    [{ host: "", config: "" }, { file: null }],
  ])("for one machine: %j", (options, expected) => {
    const line = lineOf("config" in options ? { ...options, config } : options);
    expect(readOptions(line, "/here").host).toEqual(expected);
  });

  test("of the command line are stronger, and lists are joined", () => {
    const line = lineOf({
      config,
      output: "o",
      kernel: "none",
      "modules-dir": "m",
      module: ["b", "c"],
      "modprobe-dir": "d",
      busybox: "none",
      init: "i",
      runtime: "paged",
      add: "y:/y",
      program: "q",
      keymap: ["fr", "us"],
      compress: "xz",
    });
    expect(readOptions(line, "/here")).toMatchObject({
      output: "/here/o",
      kernel: "none",
      modulesDir: "/here/m",
      modules: ["a", "b", "c"],
      modprobeDirs: ["/here/d", join(config, "../conf")],
      busybox: "none",
      init: "/here/i",
      additions: [{ destination: "/x" }, { source: "/here/y", destination: "/y" }],
      programs: [join(config, "../sbin/p"), "/here/q"],
      keymaps: ["fr", "us", "de"],
      compression: { method: "xz", level: 6 },
    });
  });

  test("none for modprobe.d is said alone", () => {
    expect(readOptions(lineOf({ "modprobe-dir": "none" }), "/here").modprobeDirs).toEqual([]);
    expect(() => readOptions(lineOf({ config, "modprobe-dir": "none" }), "/here")).toThrow(
      `--modprobe-dir none contradicts --modprobe-dir ${join(config, "../conf")}`,
    );
  });
});
