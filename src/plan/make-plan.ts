import { type CommandLine, parseCommandLine, type Word } from "../parameters/cmdline.ts";
import { parseCrypttab } from "../parameters/crypt/crypttab.ts";
import { findRefused, warnOfUnsupported } from "../parameters/dialects/unsupported.ts";
import { type Inherited, passOn } from "../parameters/inherited.ts";
import type { Settings } from "../parameters/parameters.ts";
import { readParameters } from "../parameters/read-parameters.ts";
import type { Mistake } from "../problems/diagnoses/boot.ts";
import type { BootError } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { printable } from "../problems/report.ts";
import { decideAssembled } from "./assembled.ts";
import { decideChecks, findCheckMistakes, warnOfUnusedChecks } from "./checks/checks.ts";
import { type CryptSurroundings, decideVolumes, planCrypt } from "./crypt/crypt.ts";
import { findDoubleNames, warnOfCrypt } from "./crypt/crypt-warnings.ts";
import { decideConfig, findDownloadMistakes } from "./downloads/downloads.ts";
import { decideHandover } from "./handover/handover.ts";
import { decideMedium, dropImage, findArchiveMistakes, readDialect } from "./media.ts";
import { decideModules } from "./module-parameters.ts";
import { planNetwork, warnOfUnusedNetwork } from "./network/network.ts";
import { obeyRootPath } from "./network/root-path.ts";
import type { BootPlan } from "./plan.ts";
import { listSources, type PlanInput } from "./plan-input.ts";
import { decideRemote, mountOfRoot } from "./remote/remote.ts";
import { decideRescue, findRefusedInits, waitsForPerson } from "./rescue-policy.ts";
import { decideResume } from "./resume/resume.ts";
import { decideRoot, networkNeedsOf, rootDevices } from "./root.ts";
import { chooseAfter, decideSlots, warnOfSlots } from "./slots.ts";
import { decideStack, NO_STACK } from "./stack/stack.ts";
import { warnOfUnsupportedDevices } from "./unsupported-devices.ts";
import { decideVerity, findVerityMistakes } from "./verity/verity.ts";
import { describeUnknown, findUnknownParameters, warnOfRefusedShell, warnOfUnused } from "./warnings.ts";

type Surroundings = Omit<CryptSurroundings, "roots"> &
  Parameters<typeof decideRoot>[2] &
  Pick<BootPlan, "slots"> & {
    readonly inherited: Inherited | null;
    readonly isPart: boolean;
    /** A configuration from a server will complete the plan, but not what is needed to download it. */
    readonly isBeforeConfig: boolean;
  };

/** rd.timeout= where it is not given, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Decides everything about a boot, from its command line and its image's manifest, with warnings for the user.
 * Deterministic. Throws one BootError for all mistakes.
 */
export function makePlan(input: PlanInput): { plan: BootPlan; warnings: readonly string[] } {
  const { inherited = null, added, machine = "x86_64", findEsp = () => null, fetchedParameters } = input;
  const { crypttab: table = null, hasFile = () => false, isPart = false, rootPath = null } = input;
  const line = parseCommandLine(input.cmdline);
  const sources = listSources(input, line.words);
  const { settings: given, mistakes } = readParameters(sources);
  const { chooseSlot, ...firstSlot } = input;
  // What refuses the plan fails with every slot: it throws before a try is counted.
  const chooser = isPart ? undefined : chooseAfter(() => makePlan(firstSlot), chooseSlot);
  const { settings, slots } = decideSlots(dropImage(obeyRootPath(given, rootPath)), added, chooser);
  const dialect = readDialect(settings);
  const isTableRead = table !== null && settings.luks !== false && settings.luksCrypttab !== false;
  const crypttab = isTableRead ? parseCrypttab(table) : null;
  const refused = sources.flatMap(({ origin, words }) => findRefused(words, dialect).map((text) => ({ origin, text })));
  const all = [...mistakes, ...refused, ...findRefusedInits(sources)];
  if (all.length > 0) throw mistaken(all);
  const words = sources.flatMap((source) => source.words);
  const { plan, volumes, ofNetwork } = decide(settings, words, line, {
    ...{ inherited, machine, findEsp, crypttab, hasFile, slots, isPart },
    isBeforeConfig: settings.configUrl !== undefined && fetchedParameters === undefined,
  });
  const warnings = [
    ...warnOfUnsupported(words),
    ...findUnknownParameters(sources, inherited).map(describeUnknown),
    ...warnOfUnsupportedDevices(plan),
    ...warnOfUnused(settings, plan),
    ...warnOfSlots(given, { slots, isAttended: waitsForPerson(plan.rescue) }),
    ...warnOfUnusedChecks(settings, plan.image !== null),
    ...warnOfUnusedNetwork(settings, plan.network),
    ...ofNetwork,
    ...warnOfRefusedShell(sources, plan),
    ...warnOfCrypt(settings, crypttab, volumes),
  ];
  return { plan, warnings };
}

function decide(settings: Settings, words: readonly Word[], line: CommandLine, around: Surroundings) {
  const medium = decideMedium(settings, around.machine);
  const root = decideRoot(settings, medium, around);
  const isFinal = root.kind === "none";
  const image = isFinal ? null : medium.image;
  const urls = root.kind === "download" ? root.urls : [];
  const checked = { hasImage: image !== null, urls, hasFile: around.hasFile };
  const { argv, environment } = passOn(line, around.inherited, settings.initArguments);
  const ofCrypt = { ...around, roots: rootDevices(root) };
  const volumes = decideVolumes(settings, ofCrypt);
  const doubles = findDoubleNames(volumes).map((name) => printable(`two encrypted devices use the name "${name}"`));
  const remote = decideRemote(settings, rootDevices(root));
  const needs = networkNeedsOf(root, remote, settings.configUrl !== undefined, around.isBeforeConfig);
  const { network, mistakes, warnings } = planNetwork(settings, needs, around.isPart);
  const downloads = [...mistakes, ...findDownloadMistakes(settings, needs.isNeeded)];
  const incomplete = [
    ...findVerityMistakes(settings, { hasImage: isMounted(image), isFinal, hasDevice: root.kind === "block" }),
    ...[...findArchiveMistakes(settings), ...findCheckMistakes(settings, checked)],
  ];
  const isPartial = around.isBeforeConfig || root.kind === "dhcp";
  const known = isPartial ? downloads : [...downloads, ...incomplete];
  throwContradictions([...doubles, ...(around.isPart ? [] : known)]);
  const rescue = decideRescue(settings);
  const plan: BootPlan = {
    ...{ root, slots: around.slots, remote, watchdogSeconds: settings.watchdogSeconds ?? null },
    ...mountOfRoot(settings),
    ...{ rootCheck: settings.check ?? "auto", rootRepair: settings.repair ?? "preen" },
    ...(isFinal ? NO_STACK : decideStack(settings, medium.image, around.machine)),
    crypt: planCrypt(settings, volumes, ofCrypt),
    resume: decideResume(settings, rescue),
    ...decideAssembled(settings),
    network,
    checks: decideChecks(settings, checked),
    verity: decideVerity(settings, {
      roots: rootDevices(root),
      hasImage: isMounted(image),
      isLiveBoot: image?.maker === "live-boot",
    }),
    config: decideConfig(settings),
    keymap: settings.keymap ?? null,
    rootTimeoutMs: decideTimeout(settings),
    modules: decideModules(settings, words, remote),
    handover: decideHandover(settings, isFinal, { arguments: argv, environment }),
    rescue,
    talk: { level: decideLevel(settings), log: settings.log ?? "all" },
  };
  return { plan, volumes, ofNetwork: warnings };
}

/** True for an image that is mounted, and not unpacked: dm-verity can verify it. */
function isMounted(image: BootPlan["image"]): boolean {
  return image !== null && image.memory === undefined;
}

function throwContradictions(texts: readonly string[]): void {
  if (texts.length > 0) throw mistaken(texts.map((text) => ({ origin: "the kernel command line", text })));
}

/** null is no limit, undefined is not given. rootdelay= can only lengthen the default. */
function decideTimeout({ timeoutMs, delayMs }: Settings): number | null {
  return timeoutMs === undefined ? Math.max(DEFAULT_TIMEOUT_MS, delayMs ?? 0) : timeoutMs;
}

function decideLevel({ quiet, debug }: Settings): BootPlan["talk"]["level"] {
  if (debug === true) return "debug";
  return quiet === true ? "quiet" : "normal";
}

function mistaken(mistakes: readonly Mistake[]): BootError {
  const isOneOrigin = new Set(mistakes.map(({ origin }) => origin)).size === 1;
  const seen = mistakes.map(({ origin, text }) => (isOneOrigin ? text : `${text} (${origin})`));
  return problem("parameter-mistakes", { mistakes }, { seen });
}
