import type { ImageDigest, SumDigest } from "../../parameters/checks.ts";

/** Which checks of whole files come before an image is used. */
export interface ChecksPlan {
  /** rd.live.check: the checksum in an ISO. */
  readonly iso: boolean;
  /** The digests of checksum files that may be used; empty: no check. */
  readonly sums: readonly SumDigest[];
  readonly digest: ImageDigest | null;
  /** rd.image.cms. */
  readonly signature: boolean;
}
