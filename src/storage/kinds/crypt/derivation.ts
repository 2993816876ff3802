import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { LuksHeader } from "../../../formats/luks/header.ts";
import type { Deriver } from "../../../keys/deriver.ts";
import type { DeriveKey } from "../../../keys/kdf.ts";
import { describeKdf, formatWait } from "../../../keys/kdf-cost.ts";
import type { KdfBound } from "../../../keys/obstacles.ts";
import type { CryptSettings } from "../../../parameters/crypt/place.ts";
import { problem } from "../../../problems/problem.ts";
import type { StorageContext } from "../../contract.ts";

/** The context of encrypted volumes. */
export interface CryptContext extends StorageContext {
  readonly passphrases: Uint8Array[];
  /** Those of the passphrases that were there when the search began. */
  readonly earlier: ReadonlySet<Uint8Array>;
  /** Derives keys; it ends with the search. */
  readonly deriver: Deriver;
}

const WORTH_TELLING_MS = 5000;
const FIRST_NOTICE_MS = 5000;
/** An estimate may be wrong, the machine busy, and a header may have 32 keyslots: all derivations together may take this many times the bound. */
const BOUND_TOLERANCE = 2;

/** Returns the bound that `settings` set; null if they set none. */
export function kdfBound({ deriver }: CryptContext, { maxKdfMs }: Pick<CryptSettings, "maxKdfMs">): KdfBound | null {
  return maxKdfMs === null || maxKdfMs === 0 ? null : { maxMs: maxKdfMs, estimateMs: deriver.estimateMs };
}

interface Watched {
  readonly device: BlockDevice;
  readonly header: LuksHeader;
  readonly bound: KdfBound | null;
}

/**
 * Derives the keys of one try to open a volume. Says what is derived and what it will cost; throws BootError on Ctrl-C, and if the
 * device goes away or the bound is exceeded.
 */
export function deriveForVolume(context: CryptContext, watched: Watched): DeriveKey {
  const { node } = watched.device;
  const described = new Set<string>();
  let spentMs = 0;
  return (kdf, passphrase, length) => {
    const waitMs = context.deriver.estimateMs(kdf, length) ?? 0;
    const wait = waitMs < WORTH_TELLING_MS ? "" : `, about ${formatWait(waitMs)}`;
    const text = `${describeKdf(kdf)}${wait}`;
    // In every header that cryptsetup makes a digest takes next to no time, and keyslots are alike.
    const isDigest = watched.header.digests.some(({ check }) => check?.kdf === kdf);
    if (!described.has(text) && (wait !== "" || !isDigest)) {
      context.voice.progress(`unlocking ${node}: ${text}${wait === "" ? "" : "; Ctrl-C gives up"}`);
    }
    described.add(text);
    const startMs = context.machine.nowMs();
    try {
      return context.deriver.derive(kdf, passphrase, length, createWatch(context, watched, wait, spentMs));
    } finally {
      spentMs += context.machine.nowMs() - startMs;
    }
  };
}

/** Called ten times a second. */
function createWatch(context: CryptContext, { device, bound }: Watched, wait: string, spentMs: number): () => void {
  const { machine, voice } = context;
  const startMs = machine.nowMs();
  let noticeMs = FIRST_NOTICE_MS;
  return () => {
    const tookMs = machine.nowMs() - startMs;
    // The user gives up, as at a prompt.
    if (context.terminals.drain() === "cancelled") throw problem("derivation-cancelled", {});
    context.takeEvents();
    if (!context.devices().includes(device)) throw problem("derivation-device-gone", {});
    const allMs = spentMs + tookMs;
    if (bound !== null && allMs > bound.maxMs * BOUND_TOLERANCE) {
      throw problem("derivation-too-long", { took: formatWait(allMs), limit: formatWait(bound.maxMs) });
    }
    if (tookMs < noticeMs) return;
    voice.progress(`unlocking ${device.node}: ${formatWait(tookMs)} so far${wait}; Ctrl-C gives up`);
    noticeMs *= 2;
  };
}
