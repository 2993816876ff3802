import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ArgsDef } from "citty";
import { COMMANDS, LEVAIN_OPTIONS } from "../../../src/desk/all-commands.ts";
import { formatBash } from "../../../src/desk/completion/bash.ts";
import { formatFish } from "../../../src/desk/completion/fish.ts";
import type { CommandLine } from "../../../src/desk/completion/lines.ts";
import { formatZsh } from "../../../src/desk/completion/zsh.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { run, runScript } from "../../support/command.ts";
import { desk } from "../../support/desk-in-process.ts";
import { TEST_PROGRAMS } from "../../support/test-programs.ts";

const place = scratchDirectory();
mkdirSync(join(place, "a directory"));
writeFileSync(join(place, "an image"), "");

const script = async (shell: string) => (await desk("completion", shell)).stdout;

/** What is typed, and what it becomes. */
const TYPED: readonly (readonly [string, string])[] = [
  ["levain insp", "levain inspect"],
  ["levain image --outp", "levain image --output"],
  ["levain image --modules-dir a", "levain image --modules-dir a directory/"],
  ["levain inspect an", "levain inspect an image"],
  ["levain image -o an", "levain image -o an image"],
  ["levain config sch", "levain config schema"],
  ["levain image --host --outp", "levain image --host --output"],
  ["levain --deb", "levain --debug"],
  ["levain help param", "levain help parameters"],
  ["levain completion fi", "levain completion fish"],
  ["levain image --output=an", "levain image --output=an image"],
  ["levain image --kernel ", "levain image --kernel"],
  ["levain no-command ", "levain no-command"],
];

/** Types the lines in an interactive shell in which `levain` only says how it was called; `start` is a directory with what the shell reads first. */
async function typeIn(shell: string, start: string): Promise<string[]> {
  const lines = join(start, "lines");
  writeFileSync(lines, `${TYPED.map(([typed]) => `${typed}\t\n`).join("")}exit\n`);
  const type = `HOME=$3 ZDOTDIR=$3 TERM=dumb script -qec "$1" /dev/null < "$2" > /dev/null`;
  await runScript(type, [shell, lines, start], { cwd: place });
  return (await Bun.file(join(start, "typed")).text()).trimEnd().split("\n");
}

const EXPECTED = TYPED.map(([, becomes]) => `typed: ${becomes.replace(/\/$/, "")}`);

test("bash completes them, as they are typed", async () => {
  const home = scratchDirectory();
  writeFileSync(join(home, "completion"), await script("bash"));
  const levain = `levain() { echo "typed: levain $*" >> "${home}/typed"; }`;
  writeFileSync(join(home, ".bashrc"), `. "${home}/completion"; bind 'set bell-style none'\n${levain}\n`);
  const typed = await typeIn("bash -i", home);
  expect(typed.map((line) => line.replace(/\/$/, ""))).toEqual(EXPECTED);
});

const fish = (program: string, ...args: readonly string[]) => {
  const functions = join(TEST_PROGRAMS, "root/usr/share/fish/functions");
  const whole = `set fish_function_path ${functions}; ${program}`;
  return run([join(TEST_PROGRAMS, "bin/fish"), "--no-config", "-c", whole, ...args], { cwd: place });
};

test("fish completes them, with their explanations", async () => {
  writeFileSync(join(place, "levain.fish"), await script("fish"));
  const program = "source ./levain.fish; for line in $argv; complete -C $line; echo; end";
  const offers = (await fish(program, ...TYPED.map(([typed]) => typed))).split("\n\n").map((each) => each.trim());
  expect(offers[0]).toStartWith("inspect\tShow what an initramfs contains");
  for (const [index, [typed, becomes]] of TYPED.entries()) {
    // A name with a space is escaped.
    expect(offers[index]?.replaceAll("\\", "")).toContain(becomes.slice(typed.lastIndexOf(" ") + 1));
  }
});

test("zsh completes them, as they are typed", async () => {
  const share = join(TEST_PROGRAMS, "root/usr/share/zsh/functions");
  const home = scratchDirectory();
  writeFileSync(join(home, "_levain"), await script("zsh"));
  writeFileSync(
    join(home, ".zshrc"),
    `module_path=(${TEST_PROGRAMS}/root/usr/lib/x86_64-linux-gnu/zsh/*(N))
fpath=(${home} ${share} ${share}/Completion ${share}/Completion/*(/N))
autoload -Uz compinit; compinit -u -D; unsetopt LIST_BEEP
levain() { print -r -- "typed: levain $*" >> ${home}/typed; }\n`,
  );
  expect(await typeIn(`${join(TEST_PROGRAMS, "bin/zsh")} -i`, home)).toEqual(EXPECTED);
});

test.each([
  ["bash", (_: string, word: string) => word],
  ["zsh", (_: string, word: string) => `*${word}`],
  ["fish", (name: string, word: string) => `from ${name}' -l ${word.slice(2)} `],
])("%s completes every option of every command", async (shell, spell) => {
  const text = await script(shell);
  const lines = text.split("\n");
  const missing = Object.entries(COMMANDS).flatMap(([name, { args = {} }]) => {
    const options = Object.entries(args as ArgsDef).filter(([, { type }]) => type !== "positional");
    const own = lines.filter((line) => line.includes(`${name}) _`) || line.includes(`from ${name}'`)).join("\n");
    return options.map(([word]) => spell(name, `--${word}`)).filter((word) => !own.includes(word));
  });
  expect(missing).toEqual([]);
  for (const word of Object.keys(LEVAIN_OPTIONS)) expect(text).toMatch(new RegExp(`(--|-l )${word}\\b`));
});

test("an explanation with any character is one in every shell", async () => {
  const text = `it's "a" [b]: \\c $(d) \`e\``;
  const line: CommandLine = {
    ...{ name: "x", text, argument: "nothing", choices: [] },
    options: [{ words: ["--y", "-y"], text, value: "file" }],
  };
  for (const [shell, format] of [
    ["bash", formatBash],
    ["zsh", formatZsh],
    ["fish", formatFish],
  ] as const) {
    writeFileSync(join(place, `odd.${shell}`), format([line], line.options));
    const program = shell === "bash" ? shell : join(TEST_PROGRAMS, "bin", shell);
    await run([program, "-n", join(place, `odd.${shell}`)]);
  }
  expect(await fish("source ./odd.fish; complete -C 'levain '")).toContain(text);
});

test("an unknown shell is refused", async () => {
  expect(await desk("completion", "csh")).toMatchObject({ status: 2 });
});
