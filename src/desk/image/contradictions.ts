import type { BootPlan } from "../../plan/plan.ts";
import { BootError } from "../../problems/errors.ts";
import type { ImageOptions } from "./options.ts";

interface Wishes {
  readonly options: ImageOptions;
  readonly plan: BootPlan;
  /** Whether --add puts a file at this path of the image. */
  readonly hasFile: (path: string) => boolean;
}

type Row = readonly [option: string, reason: string, others: (wishes: Wishes) => readonly string[]];

const NO_MODULES = "an image for a kernel with all drivers built in has no modules";
const SHELLS = ["/bin/busybox", "/bin/sh", "/bin/bash", "/bin/ash"];

/** What an option rules out: `others` returns the options and parameters that were given nevertheless, as a person wrote them. */
const CONTRADICTIONS: readonly Row[] = [
  ["--kernel none", NO_MODULES, ({ options: { modules } }) => modules.map((name) => `--module ${name}`)],
  [
    "--kernel none",
    NO_MODULES,
    ({ options: { host, network } }) => [...(host === null ? [] : ["--host"]), ...(network ? ["--network"] : [])],
  ],
  ["--kernel none", NO_MODULES, ({ options: { modulesDir } }) => (modulesDir === null ? [] : ["--modules-dir"])],
  [
    "--kernel none",
    NO_MODULES,
    ({ options: { modprobeDirs } }) => (modprobeDirs ?? []).map((path) => `--modprobe-dir ${path}`),
  ],
  ["--kernel none", NO_MODULES, ({ options: { firmware } }) => firmware.map((name) => `--firmware ${name}`)],
  ["--kernel none", NO_MODULES, ({ plan }) => plan.modules.load.map((name) => `rd.modules=${name}`)],
  [
    "--root",
    "that is this machine, not the system in the directory",
    ({ options: { host } }) => (host?.file === null ? ["--host"] : []),
  ],
  [
    "--busybox none",
    "the image has no shell",
    ({ options: { shellPassword }, hasFile }) =>
      shellPassword === null || SHELLS.some(hasFile) ? [] : ["--shell-password"],
  ],
  [
    "--busybox none",
    "the image has no shell to start there",
    ({ plan, hasFile }) => (SHELLS.some(hasFile) ? [] : plan.rescue.breaks.map((step) => `rd.break=${step}`)),
  ],
];

/** Throws BootError if two options, or an option and a parameter of the image, exclude each other, or one lacks another. */
export function refuseContradictions(wishes: Wishes): void {
  if (wishes.plan.rescue.shell === "ask" && wishes.options.shellPassword === null) {
    throw new BootError("rdshell=ask in the image's parameters needs a password for the shell", {
      hint: "add --shell-password, or shell-password to levain.toml",
    });
  }
  const { kernel, busybox, root } = wishes.options;
  const given = [
    ...(kernel === "none" ? ["--kernel none"] : []),
    ...(busybox === "none" ? ["--busybox none"] : []),
    ...(root === "/" ? [] : ["--root"]),
  ];
  for (const [option, reason, others] of CONTRADICTIONS) {
    const found = given.includes(option) ? others(wishes) : [];
    if (found.length > 0) {
      throw new BootError(`${option} contradicts ${found.join(", ")}: ${reason}`, {
        hint: "leave one of them out, on the command line or in levain.toml",
      });
    }
  }
}
