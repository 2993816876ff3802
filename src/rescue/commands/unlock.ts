import { planMachine } from "../../boot/plan-reader.ts";
import { type BlockDevice, describeDevice, readDeviceEntry } from "../../devices/block-devices.ts";
import { describeUnanswered } from "../../devices/device-probe.ts";
import type { Context } from "../../drivers/context.ts";
import { createLoader } from "../../drivers/loader.ts";
import type { Loader } from "../../drivers/make-loader.ts";
import type { Machine } from "../../machine/machine.ts";
import { parseMapperName } from "../../parameters/crypt/text.ts";
import { type DeviceSpec, parseDeviceSpec } from "../../parameters/device-spec.ts";
import { tryParse } from "../../parameters/parse.ts";
import type { CryptPlan, CryptVolume } from "../../plan/plan.ts";
import { rootDevices } from "../../plan/root.ts";
import type { BootError } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { sentence } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { createWaitNotice } from "../../problems/wait-notice.ts";
import { createHeldTerminals } from "../../prompt/held-terminals.ts";
import type { Wait } from "../../storage/contract.ts";
import { describeSeen } from "../../storage/findings.ts";
import { createSearch, type Search } from "../../storage/search.ts";
import { specText } from "../../storage/search-words.ts";
import { listOpenVolumes } from "../../storage/trust.ts";

interface UnlockQuestion {
  /** As in root=; null: the volumes that the command line names, or every LUKS volume. */
  readonly device: string | null;
  /** NAME of /dev/mapper/NAME; null: as on the command line, or luks-UUID. */
  readonly name: string | null;
  /** A file with the key; null: as on the command line. */
  readonly keyFile: string | null;
}

const OWN_TERMINAL = "/dev/tty";
/** A person who asks for a volume waits for its disk for so long, or presses Ctrl-C. */
const ANSWER_MS = 30_000;

/**
 * Opens encrypted volumes as a boot would, but asks on this terminal alone, or on the `terminals` that are given, and keeps them open. Returns a line for each volume that
 * is open now. Throws BootError if none is.
 */
export function unlockVolumes(
  machine: Machine,
  question: UnlockQuestion,
  voice: Voice,
  terminals = createHeldTerminals(machine, () => [OWN_TERMINAL]),
): readonly string[] {
  const { plan } = planMachine(machine, voice);
  const loader = createLoader(machine, { ...plan.modules, load: [] }, voice);
  // This terminal works without more drivers, whose messages the kernel would print into the prompt.
  const drivers: Loader = {
    ...loader,
    loadInBackground: () => ({ leftMs: Number.POSITIVE_INFINITY, hasMoved: false, hasNews: false }),
  };
  const wish = { ...plan, crypt: planUnlock(plan.crypt, question), verity: [], roots: [], rootOptions: "" };
  const context = { machine, drivers, voice, undo: () => undefined };
  const search = createSearch(context, wish, { terminals });
  const result = closing(search, () => {
    openAll({ ...context, search }, question.device === null ? rootDevices(plan.root) : []);
    const problems = search.problems();
    const failure = problems.find(({ isFatal }) => isFatal)?.error ?? nothingOpened(search, question);
    return { opened: listOpened(machine, search), problems, failure };
  });
  // The end of the search stops the arrays in which nothing was opened.
  const open = result.opened.filter(({ inside }) => readDeviceEntry(machine, inside) !== null);
  if (open.length === 0) throw result.failure;
  for (const { error } of result.problems) voice.warn(sentence(error));
  return open.map(({ text }) => text);
}

function closing<Result>(search: Search, use: () => Result): Result {
  try {
    return use();
  } finally {
    search.close();
  }
}

interface Opened {
  /** The kernel's name. */
  readonly inside: string;
  readonly text: string;
}

/** Lists the encrypted volumes that are open now, also if their content has not answered yet. */
function listOpened(machine: Machine, search: Search): readonly Opened[] {
  const volumes = listOpenVolumes(machine).map(({ device }) => device);
  const describe = (name: string) => {
    const known = search.inventory.get(name);
    if (known !== undefined) return describeDevice(known);
    const slow = search.unanswered().find(({ entry }) => entry.name === name);
    return slow === undefined ? name : describeUnanswered(slow);
  };
  return search.links().flatMap(({ from, to, isReplacement }) => {
    const outside = from.flatMap((name) => search.inventory.get(name) ?? []);
    // A member of an array that runs is of no interest here.
    if (to === null || !isReplacement || !volumes.includes(to)) return [];
    return outside.map(({ node }) => ({ inside: to, text: `${node} is open: ${describe(to)}` }));
  });
}

/** Opens volumes until none is left, and waits for devices with keys as the boot does. An encrypted root is one of the volumes that the command line names. */
function openAll(
  { search, machine, drivers, voice }: Context & { readonly search: Search },
  roots: readonly DeviceSpec[],
): void {
  const deadlineMs = machine.nowMs() + ANSWER_MS;
  const waitFor = createWait(search, machine, voice);
  const isClosed = (device: BlockDevice) => search.state(device)?.kind === "closed";
  for (;;) {
    search.takeEvents(0);
    search.settle();
    const root = roots.flatMap((spec) => [...search.matches(spec), ...search.strangers(spec)]).find(isClosed) ?? null;
    const round = search.advance(root);
    if (round === "changed") continue;
    if (round !== "idle" && drivers.loadMore()) continue;
    const wait = round === "idle" ? awaitAnswer(search, deadlineMs - machine.nowMs()) : round;
    if (wait === null) return;
    waitFor(wait);
  }
}

/** Returns what waits for a device, and says so from time to time. Throws BootError if the user gives up. */
function createWait({ terminals }: Search, machine: Machine, voice: Voice): (wait: Wait) => void {
  const notice = createWaitNotice(voice);
  let waited = { text: "", startMs: 0 };
  return ({ text, leftMs }) => {
    if (text !== waited.text) waited = { text, startMs: machine.nowMs() };
    const waitedMs = machine.nowMs() - waited.startMs;
    const noticeMs = notice(text, waitedMs, Number.isFinite(leftMs) ? waitedMs + leftMs : null);
    const answer = terminals.waitForDevice(Math.max(1, Math.min(leftMs, noticeMs)));
    if (answer === "cancelled") throw problem("unlock-cancelled", {});
  };
}

/** Returns the wait for a device that may hold a volume, or was just made from one, and has not answered yet; null if there is none or the time is over. */
function awaitAnswer(search: Search, leftMs: number): Wait | null {
  const slow = search.unanswered()[0];
  const isAllRead = search.links().every(({ to }) => to === null || search.inventory.has(to));
  if (slow === undefined || leftMs <= 0 || (search.links().length > 0 && isAllRead)) return null;
  return { text: describeUnanswered(slow), leftMs };
}

/** Returns the plan for the volumes that are meant: the boot's plan, changed by the arguments. */
function planUnlock(crypt: CryptPlan, { device, name, keyFile }: UnlockQuestion): CryptPlan {
  const place = { in: "image", device: null, type: null, offset: 0, size: null } as const;
  const changes = {
    ...(name === null ? {} : { name: checkName(name) }),
    ...(keyFile === null ? {} : { keys: [{ ...place, path: keyFile }] }),
  };
  if (device === null) {
    const volumes = crypt.volumes.map((volume) => ({ ...volume, ...changes }));
    if (name !== null && volumes.length !== 1) throw problem("unlock-name-ambiguous", { count: volumes.length });
    return { ...crypt, isOff: false, volumes, everyLuks: crypt.everyLuks || volumes.length === 0 };
  }
  const spec = parseDeviceSpec(device);
  if (spec === null) throw problem("unlock-device-malformed", { device });
  const known = crypt.volumes.find((volume) => specText(volume.device) === specText(spec));
  const unnamed: CryptVolume = { ...crypt.unnamed, device: spec, name: null, plain: null, isOptional: false };
  return { ...crypt, isOff: false, volumes: [{ ...(known ?? unnamed), ...changes }], everyLuks: false };
}

/** The name becomes a path below /dev/mapper. */
function checkName(name: string): string {
  const read = tryParse(parseMapperName, name);
  if ("value" in read) return read.value;
  throw problem("unlock-name-malformed", { name, why: read.expected });
}

function nothingOpened(search: Search, { device }: UnlockQuestion): BootError {
  const missing = search.problems().map(({ error }) => sentence(error));
  const answered = [...search.inventory.values()].map((one) => describeSeen(search, one));
  const seen = [...answered, ...search.unanswered().map(describeUnanswered)];
  return problem("nothing-unlocked", { device, missing }, { seen });
}
