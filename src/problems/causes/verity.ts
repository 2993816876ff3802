import { byHand, inBootLoader } from "../diagnosis.ts";

/** What to try with a medium that is damaged. */
export const WRITE_AGAIN = byHand("write the medium again, and compare it with the original");

/** What to try if no device matches the root hash. */
export const VERIFIED_HINTS = [
  inBootLoader("correct roothash= (rd.verity.roothash=), or name the devices: rd.verity.data= and rd.verity.hash="),
  WRITE_AGAIN,
];
