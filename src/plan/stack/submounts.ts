import { onlyTexts } from "../../formats/text.ts";
import { type DeviceSpec, formatDeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";
import { formatStore } from "../../parameters/stack/overlay.ts";
import type { TmpfsPlan, UnionSetting } from "../../parameters/stack/submounts.ts";
import type { BootPlan, SubmountsPlan, UnionPlan, UsrPlan, VolatilePlan } from "../plan.ts";

/** The device of a verified /usr. */
const VERIFIED_USR: DeviceSpec = { by: "path", path: "/dev/mapper/usr" };

/** Nothing: an initramfs that is the final system has no root to mount below. */
export const NO_SUBMOUNTS: SubmountsPlan = { usr: null, fstab: false, extra: [], tmpfs: [], unions: [] };

/** Decides what is mounted below the root. */
export function decideSubmounts(settings: Settings): SubmountsPlan {
  const { fstab = true, extraMounts, tmpfs, unions } = settings;
  return {
    usr: decideUsr(settings),
    fstab,
    extra: extraMounts,
    tmpfs: lastOfEach(tmpfs),
    unions: lastOfEach(unions).map((union) => planUnion(union, settings)),
  };
}

function decideUsr({ usr: named, usrHash, usrTypes, usrOptions, writable }: Settings): UsrPlan | null {
  const usr = named ?? (usrHash === undefined ? undefined : VERIFIED_USR);
  if (usr === undefined && usrTypes === undefined && usrOptions === undefined) return null;
  const options = usrOptions ?? "";
  // As the root, unless its own options say how.
  const isGiven = usr === undefined || /(?:^|,)r[ow](?:,|$)/.test(options);
  const access = isGiven || writable === true ? [] : ["ro"];
  return {
    device: usr ?? null,
    types: usrTypes ?? [],
    options: onlyTexts(...access, options !== "" && options).join(","),
  };
}

function planUnion({ path, size, store }: UnionSetting, settings: Settings): UnionPlan {
  const { overlayPolicy: policy = "required", overlayReadOnly: readOnly = false } = settings;
  const place = store && {
    device: store.device,
    path: store.path ?? path,
    isNamedByMedium: false,
    options: "",
  };
  return { path, size, store: place, policy, readOnly };
}

/** Decides whether the root is a tmpfs. */
export function decideVolatile({ volatile, overlaySize }: Settings): VolatilePlan | null {
  return volatile === true ? { size: overlaySize ?? null } : null;
}

/** Of two for one path, the last counts; it keeps the place of the first. */
function lastOfEach<T extends TmpfsPlan>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((one) => [one.path, one])).values()];
}

/** Formats what is mounted below the root, a subject each. */
export function formatSubmounts({ submounts, volatile }: BootPlan): readonly (readonly [string, string | null])[] {
  const { usr, fstab, extra, tmpfs, unions } = submounts;
  const size = (one: { readonly size: string | null }) => (one.size === null ? "" : ` of ${one.size}`);
  return [
    ["volatile", volatile && `the root is a tmpfs${size(volatile)}, with the /usr of the root device`],
    ["/usr", usr && formatUsr(usr)],
    ["fstab", fstab ? null : "not read"],
    ...extra.map((one) => ["mount", `${one.source} at ${one.target} (${one.type}, ${one.options})`] as const),
    ...tmpfs.map((one) => ["tmpfs", `${one.path}, a tmpfs${size(one)}`] as const),
    ...unions.map((one) => ["union", `${one.path}, below ${formatKept(one)}a tmpfs${size(one)}`] as const),
  ];
}

function formatKept({ store, policy, readOnly }: UnionPlan): string {
  if (store === null) return "";
  const how = onlyTexts(readOnly && "not written to", policy === "fallback" && "if it can be used").join(", ");
  return `${formatStore(store)}${how === "" ? "" : ` (${how})`} and `;
}

function formatUsr({ device, types, options }: UsrPlan): string {
  return onlyTexts(
    device === null ? "the device in fstab, or a subvolume of the root device" : formatDeviceSpec(device),
    `as ${types.join(", else ") || "the type in its superblock"}`,
    options !== "" && `options ${options}`,
  ).join(", ");
}
