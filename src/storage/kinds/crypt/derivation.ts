import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Kdf, LuksHeader } from "../../../formats/luks/header.ts";
import type { DeriveKey } from "../../../keys/kdf.ts";
import { describeKdf, formatWait } from "../../../keys/kdf-cost.ts";
import type { KdfBound } from "../../../keys/obstacles.ts";
import type { CryptSettings } from "../../../parameters/crypt/settings.ts";
import { BootError } from "../../../problems/errors.ts";
import type { Scene } from "../../opener.ts";

/** Ctrl-C while a key is derived: the person gives up, as at a prompt. */
export class CancelledError extends BootError {}

const WORTH_TELLING_MS = 5000;
const FIRST_NOTICE_MS = 5000;
/** An estimate may be wrong, the machine busy, and a header may have 32 keyslots: what takes longer in all than this many times the bound is stopped. */
const BOUND_TOLERANCE = 2;

/** The bound that `settings` set; null where they set none. */
export function kdfBound({ deriver }: Scene, { maxKdfMs }: Pick<CryptSettings, "maxKdfMs">): KdfBound | null {
  return maxKdfMs === null || maxKdfMs === 0 ? null : { maxMs: maxKdfMs, estimateMs: deriver.estimateMs };
}

/** What a derivation for a volume has to watch. */
export interface Watched {
  readonly device: BlockDevice;
  readonly header: LuksHeader;
  readonly bound: KdfBound | null;
}

/**
 * Derives the keys of one try to open a volume. Says what is derived and what it will cost; throws CancelledError on Ctrl-C,
 * and BootError where the device goes or the bound is exceeded.
 */
export function deriveForVolume(scene: Scene, watched: Watched): DeriveKey {
  const { node } = watched.device;
  const described = new Set<string>();
  let spentMs = 0;
  return (kdf, passphrase, length) => {
    const waitMs = scene.deriver.estimateMs(kdf, length) ?? 0;
    const wait = waitMs < WORTH_TELLING_MS ? "" : `, about ${formatWait(waitMs)}`;
    const text = `${describeKdf(kdf)}${wait}`;
    // A digest is as quick as nothing in every header that cryptsetup makes, and keyslots are alike.
    if (!described.has(text) && (wait !== "" || !isDigest(watched.header, kdf))) {
      scene.voice.progress(`unlocking ${node}: ${text}${wait === "" ? "" : "; Ctrl-C gives up"}`);
    }
    described.add(text);
    const startMs = scene.machine.nowMs();
    try {
      return scene.deriver.derive(kdf, passphrase, length, createWatch(scene, watched, wait, spentMs));
    } finally {
      spentMs += scene.machine.nowMs() - startMs;
    }
  };
}

function isDigest({ digests }: LuksHeader, kdf: Kdf): boolean {
  return digests.some(({ check }) => check?.kdf === kdf);
}

/** Called ten times a second. */
function createWatch(scene: Scene, { device, bound }: Watched, wait: string, spentMs: number): () => void {
  const { machine, voice } = scene;
  const startMs = machine.nowMs();
  let noticeMs = FIRST_NOTICE_MS;
  return () => {
    const tookMs = machine.nowMs() - startMs;
    if (scene.terminals.drain() === "cancelled") throw new CancelledError("cancelled by Ctrl-C");
    scene.takeEvents();
    if (!scene.devices().includes(device)) throw new BootError("its device went away");
    const allMs = spentMs + tookMs;
    if (bound !== null && allMs > bound.maxMs * BOUND_TOLERANCE) throw exceeded(allMs, bound);
    if (tookMs < noticeMs) return;
    voice.progress(`unlocking ${device.node}: ${formatWait(tookMs)} so far${wait}; Ctrl-C gives up`);
    noticeMs *= 2;
  };
}

function exceeded(tookMs: number, { maxMs }: KdfBound): BootError {
  return new BootError(
    `deriving the key was stopped after ${formatWait(tookMs)}: max-kdf= allows ${formatWait(maxMs)}`,
    {
      hint: "rd.luks.options=max-kdf=0 lets it take any time",
    },
  );
}
