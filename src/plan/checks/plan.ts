import type { ImageDigest, SumDigest } from "../../parameters/checks.ts";

/** Which checks of whole files come before an image is used. */
export interface ChecksPlan {
  /** rd.live.check: the checksum in an ISO. */
  readonly iso: boolean;
  /** The digests of checksum files that may be used; empty: no check. */
  readonly sums: readonly SumDigest[];
  readonly digest: ImageDigest | null;
  /** The URL of the signed list of checksums that has to name the image that is downloaded; null: it need not be signed. */
  readonly signedList: string | null;
  /** rd.image.cms. */
  readonly signature: boolean;
}
