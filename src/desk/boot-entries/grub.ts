import type { Machine } from "../../machine/machine.ts";
import { textOrNone } from "../../machine/small-files.ts";
import { splitShellWords } from "./shell-words.ts";

/** An entry of grub.cfg as it is written there. */
export interface GrubEntry {
  readonly title: string;
  readonly linux: string;
  readonly initrds: readonly string[];
  readonly cmdline: string;
  readonly isDefault: boolean;
}

interface Block {
  readonly kind: "menuentry" | "submenu" | "other";
  /** By number, title and id, from the outermost menu on. */
  readonly names: readonly (readonly string[])[];
  readonly title: string;
  linux: readonly string[] | null;
  initrds: readonly string[];
  entries: number;
}

/** Reads the entries of a grub.cfg as grub-mkconfig writes it: a script, of which only these commands are understood. */
export function parseGrubConfig(text: string, environment: ReadonlyMap<string, string>): readonly GrubEntry[] {
  const found: Block[] = [];
  const defaults: string[] = [];
  const top: Block = { kind: "submenu", names: [], title: "", linux: null, initrds: [], entries: 0 };
  const open: Block[] = [top];
  const innermost = (kind: Block["kind"]) => open.findLast((block) => block.kind === kind) ?? top;
  for (const line of text.split("\n")) {
    const words = splitShellWords(line);
    const [command = "", ...rest] = words;
    if (words.at(-1) === "{") open.push(openBlock(command, rest, innermost("submenu")));
    else if (command === "}") closeBlock(open, found);
    else if (/^linux(?:efi|16)?$/.test(command)) innermost("menuentry").linux = rest;
    else if (/^initrd(?:efi|16)?$/.test(command)) innermost("menuentry").initrds = rest;
    else if (command === "set" && rest[0]?.startsWith("default=")) defaults.push(rest[0].slice("default=".length));
  }
  const chosen = chooseDefault(defaults, environment);
  return found.map(({ title, names, linux, initrds }) => {
    const [kernel = "", ...parameters] = (linux ?? []).map((word) => expand(word, environment));
    return {
      title,
      linux: kernel,
      initrds,
      cmdline: parameters.filter(Boolean).join(" "),
      isDefault: isNamed(names, chosen),
    };
  });
}

function openBlock(command: string, words: readonly string[], parent: Block): Block {
  const kind = command === "menuentry" || command === "submenu" ? command : "other";
  const [title = ""] = words;
  // grub-mkconfig writes the option as a variable, because old versions of GRUB do not have it.
  const at = words.findIndex((word) => word === "--id" || word === "$menuentry_id_option");
  const number = kind === "other" ? "" : `${parent.entries}`;
  if (kind !== "other") parent.entries += 1;
  const id = at < 0 ? [] : [words[at + 1] ?? ""];
  const names = [...parent.names, [number, title, ...id]];
  return { kind, names, title, linux: null, initrds: [], entries: 0 };
}

function closeBlock(open: Block[], found: Block[]): void {
  const block = open.length > 1 ? open.pop() : undefined;
  if (block?.kind === "menuentry" && block.linux !== null) found.push(block);
}

/** The script sets it from grubenv, if it has a saved entry, else to a number or name. */
function chooseDefault(defaults: readonly string[], environment: ReadonlyMap<string, string>): string {
  const once = environment.get("next_entry");
  if (once !== undefined && once !== "" && defaults.some((value) => value.includes("next_entry"))) return once;
  const saved = environment.get("saved_entry");
  if (saved !== undefined && saved !== "" && defaults.some((value) => value.includes("saved_entry"))) return saved;
  return defaults.findLast((value) => !value.includes("$")) ?? "0";
}

/** `chosen` may lead through submenus: "1>0", or titles or ids in place of the numbers. A submenu stands for its first entry. */
function isNamed(names: readonly (readonly string[])[], chosen: string): boolean {
  // A title may contain the separator itself.
  const own = names.at(-1) ?? [];
  if (names.length === 1 && own.includes(chosen)) return true;
  const parts = chosen.split(">");
  return names.every((level, index) => level.includes(parts[index] ?? "0"));
}

function expand(word: string, environment: ReadonlyMap<string, string>): string {
  return word.replace(/\$\{?(\w+)\}?/g, (_, name: string) => environment.get(name) ?? "");
}

/** Reads GRUB's environment block (grubenv): lines NAME=VALUE, padded with "#". */
export function readGrubEnvironment(machine: Machine, path: string): ReadonlyMap<string, string> {
  const lines = textOrNone(machine, path).split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );
}
