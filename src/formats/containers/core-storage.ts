import { le16, le32 } from "../bytes.ts";
import { rawCrc32c } from "../checksums.ts";
import { at, crypto, header, uuid, version } from "../layout.ts";

// The physical volume header of libfvde, "FileVault Drive Encryption (FVDE)": a block of type 0x10 with a key for AES-XTS.
const HEADER_BYTES = 512;
const SUM_BYTES = 8;
const BLOCK_TYPE = 0x10;
const KEY_BYTES = 16;
const AES_XTS = 2;

function isFileVault(bytes: Uint8Array): boolean {
  const isKnown = le16(bytes, 8) === 1 && le32(bytes, 90) === 1;
  const isRight = isKnown && rawCrc32c(bytes.subarray(SUM_BYTES), le32(bytes, 4)) === le32(bytes, 0);
  return isRight && le16(bytes, 10) === BLOCK_TYPE && le32(bytes, 168) === KEY_BYTES && le32(bytes, 172) === AES_XTS;
}

/** Apple's FileVault 2, encryption on a physical volume of Core Storage. */
export const coreStorage = crypto("cs_fvault2", at(88, "CS"), header(0, HEADER_BYTES, isFileVault), [
  version((bytes) => le16(bytes, 8)),
  uuid(304),
]);
