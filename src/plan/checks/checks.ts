import { onlyTexts } from "../../formats/text.ts";
import type { Settings } from "../../parameters/parameters.ts";
import type { ChecksPlan } from "./plan.ts";

/** The plan without a check. */
export const NO_CHECKS: ChecksPlan = { iso: false, sums: [], digest: null, signature: false };

/** Decides the checks of the images. */
export function decideChecks(
  { checkIso, checkSums, imageDigest, checkSignature }: Settings,
  hasImage: boolean,
): ChecksPlan {
  if (!hasImage) return NO_CHECKS;
  return {
    iso: checkIso === true,
    sums: checkSums ?? [],
    digest: imageDigest ?? null,
    signature: checkSignature === true,
  };
}

/** Returns what is wrong with checks that cannot be made although the boot must not go on without. */
export function findCheckMistakes({ imageDigest, checkSignature }: Settings, hasImage: boolean): readonly string[] {
  return onlyTexts(
    imageDigest !== undefined &&
      !hasImage &&
      "rd.image.digest=: the root is no image file, so nothing would be checked",
    checkSignature === true && !hasImage && "rd.image.cms: the root is no image file, so nothing would be checked",
  );
}

/** Returns a line for each check that has no effect. */
export function warnOfUnusedChecks({ checkIso, checkSums }: Settings, hasImage: boolean): readonly string[] {
  return onlyTexts(
    checkIso === true && !hasImage && "rd.live.check needs an image: rd.image= or root=live:",
    (checkSums ?? []).length > 0 && !hasImage && "rd.live.sums needs an image: rd.image= or root=live:",
  );
}

/** Returns a line for each check, for `levain plan`. */
export function formatChecks({ iso, sums, digest, signature }: ChecksPlan): readonly (readonly [string, string])[] {
  return onlyTexts(
    iso && "the medium, by the checksum in it",
    sums.length > 0 && `the medium, by its checksum file (${sums.join(", else ")})`,
    digest && `the image, by ${digest.algorithm}:${digest.hex}`,
    signature && "each image, by its CMS signature",
  ).map((text) => ["checked", text] as const);
}
