import { decodeText } from "../formats/text.ts";
import type { CommandLine } from "./cmdline.ts";
import { isKernelParameter } from "./kernel-parameters.ts";
import { findParameters } from "./parameters.ts";

/** What the kernel passed to process 1 (`argv_init` and `envp_init` of init/main.c). */
export interface Inherited {
  /** From argv[1] on. */
  readonly argv: readonly string[];
  /** "NAME=value" each: HOME=/, TERM=linux, and the unknown words of the command line. */
  readonly environment: readonly string[];
}

/** Parses the contents of /proc/self/cmdline and /proc/self/environ: strings that end in NUL. */
export function parseInherited(cmdline: Uint8Array, environ: Uint8Array): Inherited {
  return { argv: splitStrings(cmdline).slice(1), environment: splitStrings(environ).filter((text) => text !== "") };
}

/**
 * Returns the arguments and the environment of the real init: what the kernel passed to levain without levain's own
 * parameters, and with `more` arguments before those after `--`, which reach init unchanged. Without `inherited`
 * (`levain plan` outside the initramfs), `isKernelParameter` stands in for the kernel.
 */
export function passOn(line: CommandLine, inherited: Inherited | null, more: readonly string[]): Inherited {
  const given = inherited ?? playKernel(line);
  const own = line.initArguments;
  const first = given.argv.length - own.length;
  // They are last unless a bootconfig adds more; then the two cannot be distinguished, and levain's are removed everywhere.
  const areLast = first >= 0 && own.every((argument, index) => given.argv[first + index] === argument);
  const before = areLast ? given.argv.slice(0, first) : given.argv;
  return {
    argv: [...before.filter((text) => !isOurs(text, null)), ...more, ...(areLast ? own : [])],
    environment: given.environment.filter((text) => !isOurs(text.slice(0, text.indexOf("=")), text)),
  };
}

/** `unknown_bootoption` and `set_init_arg`, without their limit of 32 words each. */
function playKernel(line: CommandLine): Inherited {
  const environment = new Map(Object.entries({ HOME: "HOME=/", TERM: "TERM=linux" }));
  let argv: string[] = [];
  for (const word of line.words) {
    // init= and rdinit= forget the arguments before them ("auto" of LILO).
    if (word.value !== null && /^(?:rd)?init$/.test(word.name)) argv = [];
    if (word.name.includes(".") || isKernelParameter(word.name)) continue;
    if (word.value === null) argv.push(word.text);
    else environment.set(word.name, word.text);
  }
  return { argv: [...argv, ...line.initArguments], environment: [...environment.values()] };
}

function isOurs(name: string, environmentWord: string | null): boolean {
  const matches = findParameters(name);
  // HOME and TERM are the kernel's own; no parameter has their names.
  return matches.length > 0 && (environmentWord !== null || !matches.some(({ alias }) => alias?.isPassedOn === true));
}

function splitStrings(bytes: Uint8Array): readonly string[] {
  return bytes.length === 0 ? [] : decodeText(bytes).replace(/\0$/, "").split("\0");
}
