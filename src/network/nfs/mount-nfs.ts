import type { Context } from "../../drivers/context.ts";
import { makePlace } from "../../filesystems/mount.ts";
import { isMounted } from "../../filesystems/mounts.ts";
import { parseAddress } from "../../formats/network/addresses.ts";
import { CHILD_COMMANDS } from "../../machine/child-commands.ts";
import { formatNfs } from "../../parameters/sources/nfs-source.ts";
import type { NfsVersion } from "../../plan/network/nfs.ts";
import { describeServer } from "../../problems/causes/file-server.ts";
import { tolerateRefusal } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { createDialogue, type Dialogue } from "./dialogue.ts";
import { type NfsMount, nfsModules, nfsPorts, nfsRequest } from "./requests.ts";

/** A mount, how long it may take, and who asks for it. */
export interface NfsTask extends NfsMount {
  /** null: no limit. */
  readonly timeoutMs: number | null;
  /** What tells this machine from others on the server. */
  readonly clientId: string | null;
}

const CONNECT_MS = 5000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 4000];
/** What a server answers that has only just started need not be its last word. */
const SETTLE_MS = 10_000;
const REFUSALS: ReadonlySet<string> = new Set(["EACCES", "EPERM", "ENOENT", "ENOTDIR", "EPROTONOSUPPORT"]);
/** Nothing that the server does can change these. */
const HOPELESS: ReadonlySet<string> = new Set(["ENODEV", "EINVAL"]);
/** Of getaddrinfo(3): no other port helps. */
const WITHOUT_ADDRESS: ReadonlySet<string> = new Set(["ENOTFOUND", "EAI_AGAIN"]);
/** Another minor version may do. */
const OF_VERSION: ReadonlySet<string> = new Set(["EPROTONOSUPPORT", "EINVAL"]);

/** Why there is no mount: of each version that was tried, or of the connection. */
interface Refusal {
  readonly version: NfsVersion | null;
  readonly code: string;
}

/** Mounts a directory of an NFS server, and returns what was mounted, as "NFS 4.2". Waits for the server. Throws BootError. */
export function mountNfs(context: Context, task: NfsTask): string {
  const { machine, undo } = context;
  const source = printable(formatNfs(task.place));
  makePlace(machine, task.target);
  const child = machine.startChild(CHILD_COMMANDS.nfs);
  let dialogue: Dialogue | null = null;
  try {
    // Beside the process, which starts meanwhile.
    loadNfs(context, task);
    dialogue = createDialogue(context, child, source, task.timeoutMs);
    // It takes seconds on a slow machine, and the server is not to blame for them.
    dialogue.ask({ kind: "start" }, "starting the process that mounts");
    return mountInTime(context, task, dialogue);
  } finally {
    child.stop();
    if (dialogue?.isUnanswered() === true) {
      // The kernel may have mounted it after all.
      tolerateRefusal(() => machine.unmount(task.target));
    } else if (isMounted(machine, task.target)) undo(() => machine.unmount(task.target));
  }
}

const CLIENT_ID = "/sys/module/nfs/parameters/nfs4_unique_id";

/** The modules; the kernel asks modprobe(8) for them, which an initramfs need not have. */
function loadNfs({ machine, drivers }: Context, { place, clientId }: NfsTask): void {
  drivers.loadFilesystem("nfs");
  for (const module of nfsModules(place)) drivers.loadByName(module);
  if (clientId === null) return;
  // Documentation/filesystems/nfs/client-identifier.rst: the server takes machines without a host name for one that has
  // restarted, and ends the lease of the other.
  tolerateRefusal(() => {
    const current = new TextDecoder().decode(machine.readFile(CLIENT_ID)).trim();
    if (current === "") machine.writeFile(CLIENT_ID, clientId);
  });
}

function mountInTime(context: Context, task: NfsTask, dialogue: Dialogue): string {
  const { machine, voice } = context;
  let pauseMs = FIRST_PAUSE_MS;
  let settleMs: number | null = null;
  for (;;) {
    const refusals = tryOnce(task, dialogue);
    if (typeof refusals === "string") return refusals;
    const reasons = [...new Set(refusals.map(describeRefused))];
    const isFinal = refusals.every(({ code }) => REFUSALS.has(code) || HOPELESS.has(code));
    settleMs = isFinal ? (settleMs ?? machine.nowMs() + SETTLE_MS) : null;
    const isOver = machine.nowMs() + pauseMs >= Math.min(dialogue.deadlineMs, settleMs ?? Number.POSITIVE_INFINITY);
    const isHopeless = refusals.every(({ code }) => HOPELESS.has(code));
    if (isHopeless || isOver) throw dialogue.giveUp(reasons, refusals.at(-1)?.code ?? null);
    dialogue.say(reasons.join("; "));
    voice.debug(printable(`trying again in ${pauseMs} ms: ${reasons.join("; ")}`));
    pause(context, pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Waits, and meanwhile loads the drivers of devices that appear. */
function pause({ machine, drivers }: Context, pauseMs: number): void {
  const endMs = machine.nowMs() + pauseMs;
  for (let leftMs = pauseMs; leftMs > 0; leftMs = endMs - machine.nowMs()) {
    const event = machine.nextDeviceEvent(leftMs);
    if (event !== null) drivers.handleEvent(event);
    drivers.advance();
  }
}

function describeRefused({ version, code }: Refusal): string {
  return version === null ? describeServer(code) : `NFS ${version}: ${describeServer(code)}`;
}

/** Connects, and mounts with the first version that both sides have. Returns what was mounted, or why nothing was. */
function tryOnce(task: NfsTask, dialogue: Dialogue): string | readonly Refusal[] {
  const { place } = task;
  let address: string | null = null;
  let code: string | null = null;
  for (const port of nfsPorts(place)) {
    if (!(port >= 1 && port <= 0xffff))
      throw dialogue.giveUp([`port=${port}: a port is a number from 1 to 65535`], null);
    const answer = dialogue.ask(
      { kind: "connect", host: place.server, port, timeoutMs: CONNECT_MS },
      parseAddress(place.server) === null
        ? `no answer yet about the address of ${place.server}, or from its port ${port}`
        : `no answer from port ${port} of ${place.server}`,
    );
    if ("address" in answer) {
      ({ address } = answer);
      break;
    }
    // Of several ports, the first is that of NFS itself.
    code ??= answer.code;
    if (WITHOUT_ADDRESS.has(answer.code)) break;
  }
  return address === null ? [{ version: null, code: code ?? "EIO" }] : mountVersions(task, dialogue, address);
}

function mountVersions(task: NfsTask, dialogue: Dialogue, address: string): string | readonly Refusal[] {
  const refusals: Refusal[] = [];
  const versions: readonly (NfsVersion | null)[] = task.place.versions.length === 0 ? [null] : task.place.versions;
  for (const version of versions) {
    const isMinor = version !== null && version !== "3";
    const last = refusals.at(-1);
    // What is wrong with one minor version but the version itself is wrong with all.
    if (isMinor && last !== undefined && !OF_VERSION.has(last.code)) continue;
    const request = nfsRequest(task, version, address);
    const name = version === null ? "NFS" : `NFS ${version}`;
    const answer = dialogue.ask({ kind: "mount", request }, `${address} does not answer the mount by ${name}`);
    if ("address" in answer) return name;
    refusals.push({ version, code: answer.code });
  }
  return refusals;
}
