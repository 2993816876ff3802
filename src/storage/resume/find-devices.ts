import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";
import { wantsEncryption } from "../../plan/crypt/crypt.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { ResumePlan } from "../../plan/resume/plan.ts";
import { RESUME_TIMEOUT_MS } from "../../plan/resume/resume.ts";
import { printable } from "../../problems/report.ts";
import type { StoragePlan } from "../contract.ts";
import { STICK_MS } from "../kinds/grace.ts";
import { createPatience, type Limits } from "../patience.ts";
import { createSearch, type Search } from "../search.ts";
import { liesInVolume, liesOnStick } from "../trust.ts";

/** A plan that resumes from a device. */
export type NamedResume = ResumePlan & { readonly device: DeviceSpec };

/** A disk that has not answered may hold the image, and the root must not be mounted behind its back. */
const LIMITS: Limits = { usualMs: RESUME_TIMEOUT_MS, slowMs: 60_000 };

/**
 * Waits until a device appears that `resume` names, and returns all that do; none if the time is up. It opens encrypted volumes and
 * starts arrays, as the search for the root does, but only if no device outside them has the name. Throws BootError if the user gives up.
 */
export function findResumeDevices(context: Context, plan: BootPlan, resume: NamedResume): readonly BlockDevice[] {
  // What is only discarded is not worth a passphrase.
  const crypt = resume.isOff ? { ...plan.crypt, volumes: [], everyLuks: false } : plan.crypt;
  const own = { image: null, layers: [], roots: [resume.device], verity: [], isForResume: true } as const;
  const wish: StoragePlan = { ...plan, crypt, ...own };
  const search = createSearch(context, wish);
  // 1 ms: what is there when all drivers are loaded.
  const patience = createPatience(context, resume.device, resume.isOff ? 1 : resume.timeoutMs, search, LIMITS);
  const trust = createTrust(context, plan, search);
  try {
    for (;;) {
      search.takeEvents(0);
      search.settle();
      const found = findUsable(search, resume.device).filter(trust);
      const [first] = found;
      if (first !== undefined) {
        search.claim(first);
        return found;
      }
      const [closed = null] = resume.isOff || crypt.isOff ? [] : search.matches(resume.device);
      const round = patience.uncounted(() => search.advance(closed));
      if (round === "changed" || context.drivers.loadMore()) continue;
      if (!patience.wait(round)) return [];
    }
  } finally {
    patience.end();
    search.close();
  }
}

/** Returns the devices of that name that can be used as they are; those in encrypted volumes first. */
function findUsable(search: Search, spec: DeviceSpec): readonly BlockDevice[] {
  const isUsable = (device: BlockDevice) => {
    const state = search.state(device);
    return state === null || state.kind === "unopened";
  };
  return [...new Set([...search.matches(spec), ...search.find(spec)])].filter(isUsable);
}

/**
 * Returns the test for devices that may be resumed from: an image is a kernel, and names are public. If dm-verity verifies the root,
 * the image lies in an encrypted volume; if the machine has encrypted volumes, it lies there or on a disk that is not plugged in by hand.
 * Whether it has any may show only when the root appears, so an image on a stick waits for that.
 */
function createTrust(
  { machine, voice }: Context,
  { root, crypt, verity }: BootPlan,
  search: Search,
): (device: BlockDevice) => boolean {
  // A FILE.roothash beside an image, which live-boot looks for without a parameter, proves nothing.
  const isVerified = verity.root !== null || verity.images?.isBySidecar === false;
  const isLuks = ({ facts }: BlockDevice) => facts.type === "crypto_LUKS";
  const findRoots = () => (root.kind === "block" ? root.devices.flatMap(search.find) : []);
  // A root that is a LUKS volume itself needs no parameter that says so.
  const isRootEncrypted = () => findRoots().some(isLuks);
  const startMs = machine.nowMs();
  const isRootLate = () =>
    root.kind === "block" && findRoots().length === 0 && machine.nowMs() - startMs < STICK_MS && !crypt.isOff;
  const refused = new Set<string>();
  return (device) => {
    if (liesInVolume(machine)(device)) return true;
    const isEncrypted = () => wantsEncryption(crypt) || isRootEncrypted();
    const isOnStick = liesOnStick(machine, device.name);
    const isRefused = isVerified || (isOnStick && isEncrypted());
    if (!isRefused) return !(isOnStick && device.facts.type !== "swap" && isRootLate());
    const why = isVerified
      ? "the root is verified, and a hibernated system is not"
      : "the machine has encrypted volumes, and it is on a removable disk outside them";
    if (!refused.has(device.name)) voice.warn(printable(`not resuming from ${device.node}: ${why}`));
    refused.add(device.name);
    return false;
  };
}
