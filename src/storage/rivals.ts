import { type BlockDevice, describeDevice } from "../devices/block-devices.ts";
import type { Context } from "../drivers/context.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import { wantsEncryption } from "../plan/crypt/crypt.ts";
import { DEFAULT_TIMEOUT_MS } from "../plan/make-plan.ts";
import type { StoragePlan, Wait } from "./contract.ts";
import { STICK_MS } from "./kinds/grace.ts";
import type { Search } from "./search.ts";
import { liesInVolume, liesOnStick } from "./trust.ts";

// A device in an encrypted volume comes before one outside, and a LUKS header before a filesystem with its UUID. That holds only
// if both have been seen: a stranger's stick must not win because the encrypted disk takes longer to answer.

/** What a search knows of the devices that could still turn out to hold the encrypted root. */
interface Rivals {
  /** Returns the wait that comes before `match` is accepted; "idle" if it can be accepted now, or if there is none. */
  roundBefore(match: BlockDevice | null): Wait | "idle";
}

/** Watches for the rivals of what `spec` matches; warns if one has not answered in time. */
export function watchRivals(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  plan: Pick<StoragePlan, "crypt" | "image" | "rootTimeoutMs">,
  spec: DeviceSpec,
  search: Pick<Search, "unanswered">,
): Rivals {
  let sinceMs: number | null = null;
  return {
    roundBefore(match) {
      if (match === null || liesInVolume(machine)(match)) return "idle";
      const limitMs = limitOf(plan, spec, () => liesOnStick(machine, match.name));
      // A disc is never encrypted, and a drive may take long to read one.
      const nodes = search.unanswered().flatMap(({ entry }) => (entry.area.kind === "optical" ? [] : entry.node));
      if (limitMs === 0 || nodes.length === 0) return "idle";
      // Counted from the first rival: devices that come and go must not extend the wait.
      sinceMs ??= machine.nowMs();
      const leftMs = sinceMs + limitMs - machine.nowMs();
      const rivals = nodes.join(" and ");
      if (leftMs > 0) return { text: `${rivals}, which may hold the encrypted root`, leftMs };
      voice.warn(
        `${describeDevice(match)} is not encrypted; ${rivals}, which may hold the encrypted root, did not answer in time`,
      );
      return "idle";
    },
  };
}

/** Returns how many milliseconds a match outside encrypted volumes waits for its rivals. */
function limitOf(
  { crypt, image, rootTimeoutMs }: Pick<StoragePlan, "crypt" | "image" | "rootTimeoutMs">,
  spec: DeviceSpec,
  isOnPluggable: () => boolean,
): number {
  if (spec.by === "path" || spec.by === "number") return 0; // no other device has that name
  if (wantsEncryption(crypt)) return rootTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  // A live stick has a label and is meant to be plugged in.
  return !crypt.isOff && image === null && isCopyable(spec) && isOnPluggable() ? STICK_MS : 0;
}

/** True for names that anyone can give to a disk, and that a LUKS header or its partition can have. */
function isCopyable({ by }: DeviceSpec): boolean {
  return by === "uuid" || by === "label" || by === "partuuid" || by === "partlabel";
}
