import { notSupportedYet } from "../../problems/not-supported.ts";
import { DEVICE_SPEC_FORMS, DEVICE_TAGS, type DeviceSpec, parseDeviceSpec } from "../device-spec.ts";
import { parseRemoteRoot, type RemoteRoot } from "../network/remote.ts";
import { Expected, parser } from "../parse.ts";
import { type OtherSource, parseOtherSource } from "./root-source.ts";

/**
 * root=: `device` is null for /dev/ram0, the initramfs itself, and for `other`, which is no block device, and "auto" where the GPT
 * decides; `isLive` if an image on the device is the root.
 */
export interface RootSetting {
  readonly device: DeviceSpec | "auto" | null;
  readonly isLive: boolean;
  readonly other: OtherSource | null;
  /** The server that `device` is on; left out for a device of this machine. */
  readonly remote?: RemoteRoot;
}

/** Spellings of a root on the network that are not supported yet: root=live:ftp://…, root=dhcp6. */
const ON_THE_NETWORK = /^(?:live:)?(?:(?:ftp|torrent)(?::|$)|dhcp6$)/;

/** Roots that are no block device: what each needs, as the error names it. */
const OTHER_ROOTS: readonly (readonly [shape: RegExp, expected: string])[] = [
  // systemd's initrd of NixOS and of others, which has an /etc/fstab of its own.
  [/^fstab$/, "the device of the root itself: the image has no fstab that names it"],
  [/^iscsi:/, "a device on the target, as LABEL=NAME, and the target in netroot=iscsi:…"],
  [ON_THE_NETWORK, `a local device (${notSupportedYet("a root on the network")})`],
  [/^zfs(?:[:=](?:auto)?)?$/i, `zfs:POOL/DATASET (${notSupportedYet("a root that the pool names")})`],
  [/^cifs:(?!\/\/)/, "cifs://[USER[:PASSWORD]@]HOST/SHARE[/PATH]"],
];
const localRoot = parser(
  `${DEVICE_SPEC_FORMS}, live:DEVICE, nbd:SERVER:EXPORT, aoe:eSHELF.SLOT, 9p:TAG, virtiofs:TAG, nfs:SERVER:PATH, http://…, zfs:POOL/DATASET, cifs://HOST/SHARE, dhcp, tmpfs, gpt-auto or /dev/ram0`,
  (text): RootSetting | null => {
    if (text === "/dev/ram0" || text === "/dev/ram") return { device: null, isLive: false, other: null };
    if (text === "gpt-auto" || text === "gpt-auto-force") return { device: "auto", isLive: false, other: null };
    // dracut's spellings: block: is the default, and CDLABEL= is an old name of LABEL=.
    const spec = text.replace(/^(?:live|block):/, "").replace(/^CDLABEL=/, "LABEL=");
    const isLive = text.startsWith("live:");
    const other = parseOtherSource(spec);
    if (other !== null) return { device: null, isLive, other };
    const remote = parseRemoteRoot(spec);
    if (remote !== null) return { device: remote.device, isLive, other: null, remote };
    const found = parseDeviceSpec(spec);
    return found && { device: found, isLive, other: null };
  },
  ["gpt-auto", "/dev/ram0", ...DEVICE_TAGS, ...DEVICE_TAGS.map((tag) => `live:${tag}`)],
);
/** A device, with dracut's live: or block: in front, systemd's gpt-auto, or /dev/ram0. */
export const root = (value: string): RootSetting => {
  const other = OTHER_ROOTS.find(([shape]) => shape.test(value));
  if (other !== undefined) throw new Expected(other[1]);
  return localRoot(value);
};
