import { onlyTexts } from "../../formats/text.ts";
import type { Settings } from "../../parameters/parameters.ts";
import type { ChecksPlan } from "./plan.ts";

/** The plan without a check. */
export const NO_CHECKS: ChecksPlan = { iso: false, sums: [], digest: null, signedList: null, signature: false };

/** The Ed25519 key for images: with it, every image that is downloaded needs a signature. */
export const IMAGE_KEY = "/etc/levain/image.pub";

/** What decides the checks besides parameters. */
interface CheckedRoot {
  readonly hasImage: boolean;
  /** The URLs of an image that is downloaded; none for another root. */
  readonly urls: readonly string[];
  readonly hasFile: (path: string) => boolean;
}

/** Decides the checks of the images. */
export function decideChecks(
  { checkIso, checkSums, imageDigest, imageSignature, checkSignature }: Settings,
  { hasImage, urls, hasFile }: CheckedRoot,
): ChecksPlan {
  if (!hasImage) return NO_CHECKS;
  const [url] = urls;
  const isSigned = url !== undefined && (imageSignature !== undefined || hasFile(IMAGE_KEY));
  return {
    iso: checkIso === true,
    sums: checkSums ?? [],
    digest: imageDigest ?? null,
    signedList: isSigned ? imageSignature || `${url.split("?")[0]}.sha256` : null,
    signature: checkSignature === true,
  };
}

/** Returns what is wrong with checks that cannot be made although the boot must not go on without. */
export function findCheckMistakes(
  { imageDigest, imageSignature, checkSignature }: Settings,
  { hasImage, urls }: Pick<CheckedRoot, "hasImage" | "urls">,
): readonly string[] {
  return onlyTexts(
    imageSignature !== undefined &&
      urls.length === 0 &&
      "rd.image.sig: no image is downloaded, so nothing would be checked",
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
export function formatChecks({
  iso,
  sums,
  digest,
  signedList,
  signature,
}: ChecksPlan): readonly (readonly [string, string])[] {
  return onlyTexts(
    iso && "the medium, by the checksum in it",
    sums.length > 0 && `the medium, by its checksum file (${sums.join(", else ")})`,
    digest && `the image, by ${digest.algorithm}:${digest.hex}`,
    signedList && `the download, by ${signedList} and its signature`,
    signature && "each image, by its CMS signature",
  ).map((text) => ["checked", text] as const);
}
