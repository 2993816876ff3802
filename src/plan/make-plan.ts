import { type CommandLine, parseCommandLine, type Word } from "../parameters/cmdline.ts";
import { parseCrypttab } from "../parameters/crypt/crypttab.ts";
import { type Inherited, passOn } from "../parameters/inherited.ts";
import type { OverlayPlan } from "../parameters/layer.ts";
import type { Settings } from "../parameters/parameters.ts";
import {
  type Mistake,
  type Origin,
  readParameters,
  type Source,
  splitParameter,
} from "../parameters/read-parameters.ts";
import { findRefused, warnOfUnsupported } from "../parameters/unsupported.ts";
import { BootError } from "../problems/errors.ts";
import { type CryptSurroundings, type DecidedVolume, decideVolumes, planCrypt } from "./crypt/crypt.ts";
import { findCryptMistakes, warnOfCrypt } from "./crypt/crypt-warnings.ts";
import type { Manifest } from "./manifest.ts";
import { decideMedium, readDialect } from "./media.ts";
import { decideModules } from "./module-parameters.ts";
import type { BootPlan } from "./plan.ts";
import { decideRescue } from "./rescue-policy.ts";
import { decideRoot, type RootSurroundings, rootDevices } from "./root.ts";
import { warnOfRefusedShell, warnOfStrangers, warnOfUnused } from "./warnings.ts";

/** What a plan is made from. */
export interface PlanInput {
  /** /proc/cmdline. */
  readonly cmdline: Uint8Array | string;
  /** null in an image without /etc/levain.json. */
  readonly manifest: Manifest | null;
  /** What the kernel gave to process 1; left out (on a desk), it is worked out from the command line. */
  readonly inherited?: Inherited | null;
  /** Parameters of `levain retry`, one a string; stronger than the command line. */
  readonly added?: readonly string[];
  /** As in `uname -m`; "x86_64" where left out. */
  readonly machine?: string;
  /** The PARTUUID of the EFI system partition that this machine was booted from, or null; asked only where it counts. */
  readonly findEsp?: () => string | null;
  /** The image's /etc/crypttab; null or left out where it has none. */
  readonly crypttab?: string | null;
  /** True where the image has a file at this path; none where left out. */
  readonly hasFile?: (path: string) => boolean;
}

type Surroundings = RootSurroundings & Omit<CryptSurroundings, "roots"> & { readonly inherited: Inherited | null };

const ROOT_TIMEOUT_MS = 30_000;

/**
 * Everything a boot decides, from its command line and its image's manifest, and what a person should know about it.
 * Deterministic. Throws one BootError that tells all mistakes.
 */
export function makePlan(input: PlanInput): { plan: BootPlan; warnings: readonly string[] } {
  const { cmdline, manifest, inherited = null, added, machine = "x86_64", findEsp = () => null } = input;
  const { crypttab: table = null, hasFile = () => false } = input;
  const line = parseCommandLine(cmdline);
  const sources: readonly Source[] = [
    { origin: "levain.toml", words: (manifest?.parameters ?? []).map(splitParameter) },
    { origin: "the kernel command line", words: line.words },
    { origin: "levain retry", words: (added ?? []).map(splitParameter) },
  ];
  const { settings, mistakes } = readParameters(sources);
  const dialect = readDialect(settings);
  const isTableRead = table !== null && settings.luks !== false && settings.luksCrypttab !== false;
  const crypttab = isTableRead ? parseCrypttab(table) : null;
  const refused = sources.flatMap(({ origin, words }) => findRefused(words, dialect).map((text) => ({ origin, text })));
  const all = [...mistakes, ...refused];
  if (all.length > 0) throw tellMistakes(all);
  const words = sources.flatMap((source) => source.words);
  const { plan, volumes } = decide(settings, words, line, { inherited, machine, findEsp, crypttab, hasFile });
  const warnings = [
    ...warnOfUnsupported(words),
    ...warnOfStrangers(sources),
    ...warnOfUnused(settings, plan),
    ...warnOfRefusedShell(sources, plan),
    ...warnOfCrypt(settings, crypttab, volumes),
  ];
  return { plan, warnings };
}

/** The plan, and what became of every encrypted device that was asked for. */
interface Decision {
  readonly plan: BootPlan;
  readonly volumes: readonly DecidedVolume[];
}

function decide(settings: Settings, words: readonly Word[], line: CommandLine, around: Surroundings): Decision {
  const medium = decideMedium(settings, around.machine);
  const root = decideRoot(settings, medium.devices, around);
  const isFinal = root.kind === "none";
  const image = isFinal ? null : medium.image;
  const layers = isFinal ? [] : settings.layers;
  const overlay = isFinal ? null : decideOverlay(settings, image !== null || layers.length > 0);
  const { inherited } = around;
  const { argv, environment } = passOn(line, inherited, settings.initArguments);
  const ofCrypt = { ...around, roots: rootDevices(root) };
  const volumes = decideVolumes(settings, ofCrypt);
  const clashes = findCryptMistakes(volumes);
  if (clashes.length > 0) throw tellMistakes(clashes.map((text) => ({ origin: "the kernel command line", text })));
  const plan: BootPlan = {
    root,
    rootTypes: settings.types ?? [],
    rootOptions: settings.options ?? "",
    rootCheck: settings.check ?? "auto",
    rootWritable: settings.writable === true && image === null && overlay === null && layers.length === 0,
    image,
    layers,
    overlay,
    crypt: planCrypt(settings, volumes, ofCrypt),
    keymap: settings.keymap ?? null,
    rootTimeoutMs: decideTimeout(settings),
    modules: decideModules(settings, words),
    handover: {
      mode: isFinal ? "stay" : (settings.handover ?? "auto"),
      putOld: settings.putOld ?? null,
      init: settings.init ?? null,
      arguments: argv,
      environment,
    },
    rescue: decideRescue(settings),
    talk: { level: decideLevel(settings), log: settings.log ?? "all" },
  };
  return { plan, volumes };
}

/** null, not undefined, is for ever. Who has written a delay for the kernel has not asked for less patience. */
function decideTimeout({ timeoutMs, delayMs }: Settings): number | null {
  return timeoutMs === undefined ? Math.max(ROOT_TIMEOUT_MS, delayMs ?? 0) : timeoutMs;
}

/** Over images by default: their filesystem cannot be written to, and hardly a system runs without a place to write. */
function decideOverlay({ overlay, overlaySize }: Settings, isUnwritable: boolean): OverlayPlan | null {
  const asked = overlay ?? (isUnwritable ? { kind: "tmpfs" as const, size: null } : false);
  return asked === false ? null : { kind: asked.kind, size: asked.size ?? overlaySize ?? null };
}

function decideLevel({ quiet, debug }: Settings): BootPlan["talk"]["level"] {
  if (debug === true) return "debug";
  return quiet === true ? "quiet" : "normal";
}

const REMEDIES: Readonly<Record<Origin, string>> = {
  "levain.toml": "correct levain.toml and build the image again",
  "the kernel command line": "correct the line in the boot loader",
  "levain retry": "give levain retry other parameters",
};

function tellMistakes(mistakes: readonly Mistake[]): BootError {
  const origins = [...new Set(mistakes.map(({ origin }) => origin))];
  const where = origins.map((origin) => (origin === "the kernel command line" ? `on ${origin}` : `in ${origin}`));
  const seen = mistakes.map(({ origin, text }) => (origins.length > 1 ? `${text} (${origin})` : text));
  const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
  const remedies = origins.map((origin) => REMEDIES[origin]).join(", ");
  return new BootError(`${count} ${where.join(" and ")}`, {
    seen,
    hint: `${remedies}; all of them: levain help parameters`,
  });
}
