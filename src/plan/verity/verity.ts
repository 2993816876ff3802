import { formatUuid } from "../../formats/bytes.ts";
import { onlyTexts } from "../../formats/text.ts";
import { type DeviceSpec, formatDeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";
import { joinVerityOptions } from "../../parameters/verity.ts";
import { VERIFIED_ROOT } from "../root.ts";
import type { VerityImages, VerityPlan, VerityVolume } from "./volumes.ts";

/** What is known of the root besides the parameters. */
interface RootFacts {
  /** The devices that root= and the like name. */
  readonly roots: readonly DeviceSpec[];
  readonly hasImage: boolean;
  readonly isLiveBoot: boolean;
}

/** Decides what dm-verity verifies. */
export function decideVerity(settings: Settings, facts: RootFacts): VerityPlan {
  const { rootHash, usrHash, verityData } = settings;
  const isOfImage = facts.hasImage && verityData === undefined;
  return {
    root: rootHash === undefined || isOfImage ? null : decideRootVolume(settings, rootHash, facts.roots),
    usr: usrHash === undefined ? null : decideUsrVolume(settings, usrHash),
    images: facts.hasImage ? decideImages(settings, isOfImage, facts.isLiveBoot) : null,
  };
}

function decideRootVolume(settings: Settings, rootHash: string, roots: readonly DeviceSpec[]): VerityVolume {
  const { verityData, verityHash, verityOptions, veritySigned } = settings;
  return {
    name: "root",
    rootHash,
    data: verityData === undefined ? dataDevices(rootHash, roots) : [verityData],
    hash: verityHash?.kind === "device" ? verityHash.device : null,
    options: joinVerityOptions(verityOptions),
    needsSignature: veritySigned === true,
  };
}

function decideUsrVolume(
  { usrVerityData, usrVerityHash, usrVerityOptions, veritySigned }: Settings,
  rootHash: string,
): VerityVolume {
  return {
    name: "usr",
    rootHash,
    data: usrVerityData === undefined ? dataDevices(rootHash, []) : [usrVerityData],
    hash: usrVerityHash ?? null,
    options: joinVerityOptions(usrVerityOptions),
    needsSignature: veritySigned === true,
  };
}

function decideImages(settings: Settings, isOfImage: boolean, isLiveBoot: boolean): VerityImages | null {
  const { rootHash, verityHash, verityImages, verityOptions, veritySigned } = settings;
  const own = isOfImage ? (rootHash ?? null) : null;
  const isBySidecar = isLiveBoot && own === null && verityImages.length === 0;
  if (own === null && verityImages.length === 0 && !isBySidecar) return null;
  return {
    rootHash: own,
    named: verityImages,
    hashFile: verityHash?.kind === "file" ? verityHash.path : null,
    options: joinVerityOptions(verityOptions),
    needsSignature: veritySigned === true,
    isBySidecar,
  };
}

/** The data partition of the Discoverable Partitions Specification first: its PARTUUID is the first half of the root hash. */
function dataDevices(rootHash: string, roots: readonly DeviceSpec[]): readonly DeviceSpec[] {
  const own = formatDeviceSpec(VERIFIED_ROOT);
  return [partitionOf(rootHash, "data"), ...roots.filter((spec) => formatDeviceSpec(spec) !== own)];
}

/** Returns the partition that belongs to a root hash: the first 128 bits of the hash are the PARTUUID of the data, the last 128 that of the hash tree. */
export function partitionOf(rootHash: string, part: "data" | "hash"): DeviceSpec {
  const digits = part === "data" ? rootHash.slice(0, 32) : rootHash.slice(-32);
  return { by: "partuuid", value: formatUuid(Uint8Array.fromHex(digits)), partitionOffset: 0 };
}

/** Returns the volumes that are opened for a part of the root besides the root device: that of /usr if it is named. */
export function volumesFor({ usr }: VerityPlan, device: DeviceSpec): readonly VerityVolume[] {
  return usr !== null && formatDeviceSpec(device) === `/dev/mapper/${usr.name}` ? [usr] : [];
}

/** Returns what is wrong with parameters of dm-verity that cannot be obeyed. */
export function findVerityMistakes(
  settings: Settings,
  { hasImage, isFinal, hasDevice: isOnDevice }: { hasImage: boolean; isFinal: boolean; hasDevice: boolean },
): readonly string[] {
  const { rootHash, verityData, verityHash, verityImages, verityOptions, usrHash } = settings;
  const options = joinVerityOptions(verityOptions);
  const isOfImage = hasImage && rootHash !== undefined && verityData === undefined;
  const hasDevice = verityHash?.kind === "device" || options.fec?.kind === "device";
  const hasFile = verityHash?.kind === "file" || options.fec?.kind === "file";
  return onlyTexts(
    isFinal &&
      (rootHash ?? usrHash) !== undefined &&
      "rd.verity.roothash=: the initramfs is the root, so nothing would be verified",
    !isFinal &&
      !isOnDevice &&
      !isOfImage &&
      rootHash !== undefined &&
      "rd.verity.roothash=: the root is no block device and no image, so nothing would be verified",
    hasFile &&
      (!hasImage || verityData !== undefined) &&
      "rd.verity.hash=: Expected a device, because no image file is verified",
    hasDevice &&
      isOfImage &&
      "rd.verity.hash=, fec-device=: Expected a path on the medium, because an image file is verified",
    verityImages.length > 0 && !hasImage && "rd.verity.image=: the root is no image file, so nothing would be verified",
  );
}
