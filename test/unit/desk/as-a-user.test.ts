import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printable } from "../../../src/problems/report.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { unprivileged } from "../../support/command.ts";
import { rawCpio } from "../../support/crafted-cpio.ts";
import { type DeskAnswer, desk } from "../../support/desk-in-process.ts";
import { BUSYBOX } from "../../support/unpacked-programs.ts";

// Commands as users run them: on paths that a shell or a terminal would change, without root, on a full disk, on what cannot be read.
// Ctrl-C has tests where something would be left: usb.test.ts, run-command.test.ts, output.test.ts.

const directory = join(scratchDirectory(), "a b\nc\u001b[2J");
const at = (name: string) => join(directory, name);
mkdirSync(at("root/sbin"), { recursive: true });
writeFileSync(at("root/sbin/init"), "an init");
writeFileSync(at("image"), rawCpio([{ name: "readme", data: "nothing" }]));
writeFileSync(at("levain.toml"), 'kernel = "none"\n');
writeFileSync(at("vmlinuz"), "a kernel");
writeFileSync(at("hints.json"), (await desk("host", "--json")).stdout);
writeFileSync(at("closed"), readFileSync(at("image")), { mode: 0 });

type Row = readonly [status: number, ...argv: string[]];

const image = (output: string, init = BUSYBOX) =>
  ["image", "--kernel", "none", "--busybox", "none", "--compress", "none", "--init", init, "-o", output] as const;
const usb = (output: string, root = at("root"), vmlinuz = at("vmlinuz")) => {
  const how = ["--busybox", "none", "--init", BUSYBOX, "--compress", "none", "--bios", "none"] as const;
  return ["usb", "--root", root, "-o", output, "--kernel", "none", "--vmlinuz", vmlinuz, ...how] as const;
};

/** What a user without root may do, in this order. */
const USES: readonly Row[] = [
  [0, ...image(at("of levain")), "--json"],
  [0, ...usb(at("disk"))],
  [0, "host", at("hints.json")],
  [0, "inspect", at("image")],
  [0, "inspect", "--tree", at("of levain")],
  [0, "diff", at("image"), at("image")],
  [1, "diff", "--json", at("image"), at("of levain")],
  [0, "config", "check", at("levain.toml")],
  [0, "config", "show", "--json", at("levain.toml")],
  [2, "doctor", at("of levain"), "--cmdline", "root=LABEL=x", "--host", at("hints.json"), "--json"],
];

/** Each input of each command, which is `file`. */
const inputs = (file: string): readonly Row[] => [
  [1, ...image(at("none"), file)],
  [1, "image", "--config", file],
  [1, "image", `--host=${file}`],
  [1, ...usb(at("none"), at("root"), file)],
  [1, ...usb(at("none")), "--config", file],
  [1, ...usb(at("none")), "--encrypt", "--key-file", file],
  [1, "host", file],
  [1, "inspect", file],
  [2, "diff", at("image"), file],
  [1, "config", "check", file],
  [1, "doctor", file],
  [1, "doctor", at("image"), "--host", file],
  [1, "doctor", at("image"), "--kernel", file],
  [1, "run", file],
  [1, "run", at("image"), "--kernel", file],
  [1, "run", "--disk", file],
];

const SUPPORT = join(import.meta.dir, "../../support");

/** Runs commands in one process, started by `start`: by default without root's capabilities. */
function runAll(rows: readonly Row[], start = unprivileged): readonly DeskAnswer[] {
  const script = `import { desk } from "${SUPPORT}/desk-in-process.ts";
    const answers = [];
    for (const [, ...argv] of ${JSON.stringify(rows)}) answers.push(await desk(...argv));
    process.stdout.write(JSON.stringify(answers));`;
  const { exitCode, stdout, stderr } = Bun.spawnSync(start([process.execPath, "-e", script]));
  if (exitCode !== 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString());
}

/** No sequence for a terminal, no line that a name of a file began, and no stack. */
function expectClean({ stdout, stderr }: DeskAnswer) {
  expect(`${stdout}${stderr}`).not.toMatch(/\u001b|^c\\x1b|^\s+at \S+ \(/m);
}

test("no command needs root for files of the user, or does anything else at a path with spaces and newlines", () => {
  const answers = runAll(USES);
  for (const [index, [status, ...argv]] of USES.entries()) {
    const answer = answers[index] ?? { status: -1, stdout: "", stderr: "" };
    expect([argv, answer.status, answer.stderr]).toEqual([argv, status, ""]);
    expectClean(answer);
  }
  for (const index of [0, 6, 8, 9]) expect(() => JSON.parse(answers[index]?.stdout ?? "")).not.toThrow();
});

test("a full disk is named, and nothing is left on it", () => {
  const full = at("full");
  for (const path of [full, at("large"), at("large/bin")]) mkdirSync(path);
  writeFileSync(at("large/bin/noise"), randomBytes(4 << 20));
  const rows: readonly Row[] = [
    [1, ...image(join(full, "image"))],
    [1, ...usb(join(full, "disk"), at("large"))],
  ];
  const script = 'mount -t tmpfs -o size=1536k none "$0"; "$@"; [ -z "$(ls -A "$0")" ]';
  const mounted = (argv: readonly string[]) => ["unshare", "--mount", "/bin/sh", "-euc", script, full, ...argv];
  const [ofImage, ofUsb] = runAll(rows, mounted);
  expect(ofImage).toMatchObject({ status: 1, stderr: expect.stringContaining("there is no space left (ENOSPC)") });
  expect(ofUsb).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/mksquashfs failed\nseen: it printed nothing, as if .* were full\nhint: free/),
  });
});

describe("an input that", () => {
  function expectRefusals(rows: readonly Row[], answers: readonly DeskAnswer[], file: string, why: RegExp) {
    for (const [index, [status, ...argv]] of rows.entries()) {
      const answer = answers[index] ?? { status: -1, stdout: "", stderr: "" };
      expect([argv, answer.status, answer.stdout]).toEqual([argv, status, ""]);
      expect(answer.stderr).toContain(printable(file));
      expect([argv, answer.stderr]).toEqual([argv, expect.stringMatching(why)]);
      expectClean(answer);
    }
    expect(readdirSync(directory)).not.toContain("none");
  }

  test.each([
    ["does not exist", at("not\nthere"), /no such file/],
    ["is a directory", at("root"), /is a directory|not a (?:regular )?file|neither a file nor/],
  ])("%s is reported by every command", async (_, file, why) => {
    const answers: DeskAnswer[] = [];
    for (const [, ...argv] of inputs(file)) answers.push(await desk(...argv));
    expectRefusals(inputs(file), answers, file, why);
  });

  test("this user may not read is reported by every command", () => {
    const rows = inputs(at("closed"));
    expectRefusals(rows, runAll(rows), at("closed"), /permission denied \(EACCES\)/);
  });
});
