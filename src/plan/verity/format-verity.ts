import { onlyTexts } from "../../formats/text.ts";
import { formatDeviceSpec } from "../../parameters/device-spec.ts";
import type { VerityOptions } from "../../parameters/verity.ts";
import { partitionOf } from "./verity.ts";
import type { VerityImages, VerityPlan, VerityVolume } from "./volumes.ts";

/** Returns a line for each volume, for `levain plan`. */
export function formatVerity({ root, usr, images }: VerityPlan): readonly (readonly [string, string])[] {
  const volumes = [root, usr].flatMap((volume) =>
    volume === null ? [] : ([["verified", formatVolume(volume)]] as const),
  );
  return images === null ? volumes : [...volumes, ["verified", formatImages(images)]];
}

function formatVolume({ name, rootHash, data, hash, options, needsSignature }: VerityVolume): string {
  return onlyTexts(
    `${data.map(formatDeviceSpec).join(", else ")} as ${name}`,
    `root hash ${rootHash}`,
    `hash tree on ${formatDeviceSpec(hash ?? partitionOf(rootHash, "hash"))}${hash === null ? ", or on any device" : ""}`,
    ...formatOptions(options, needsSignature),
  ).join(", ");
}

function formatImages({ rootHash, named, hashFile, options, needsSignature, isBySidecar }: VerityImages): string {
  if (isBySidecar) return "images with FILE.verity and FILE.roothash beside them";
  return onlyTexts(
    rootHash !== null && `the image, root hash ${rootHash}`,
    ...named.map(({ name, hash }) => `${name}, root hash ${hash}`),
    hashFile !== null && `hash tree in ${hashFile}`,
    ...formatOptions(options, needsSignature),
  ).join(", ");
}

function formatOptions(options: VerityOptions, needsSignature: boolean): readonly string[] {
  const { onCorruption, flags, fec, signature, hasSuperblock, hashOffset } = options;
  return onlyTexts(
    !hasSuperblock && "without a superblock",
    hashOffset !== null && `hash tree from byte ${hashOffset}`,
    onCorruption !== "error" && `damage: ${onCorruption}`,
    ...flags,
    fec !== null && `error correction on ${fec.kind === "device" ? formatDeviceSpec(fec.device) : fec.path}`,
    signature !== null && "signed",
    needsSignature && "signature required",
  );
}
