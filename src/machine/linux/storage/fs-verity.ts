import { SyscallError, unlessRefused } from "../../../problems/errors.ts";
import { closing, openFile } from "../descriptors.ts";
import { systemCall } from "../libc.ts";

/** _IOWR('f', 134, struct fsverity_digest) of linux/fsverity.h: the algorithm, the size of the digest, and the digest. */
const FS_IOC_MEASURE_VERITY = 0xc0046686;
const HEADER_BYTES = 4;
const MOST_DIGEST_BYTES = 64;
/** FS_VERITY_HASH_ALG_SHA256 and _SHA512. */
const ALGORITHMS: Readonly<Record<number, string>> = { 1: "sha256", 2: "sha512" };

/** Implements the measurement of a file with fs-verity. */
export function measureVerity(path: string): string | null {
  return closing(openFile(path, "r"), (fd) => {
    const buffer = new Uint8Array(HEADER_BYTES + MOST_DIGEST_BYTES);
    const view = new DataView(buffer.buffer);
    view.setUint16(2, MOST_DIGEST_BYTES, true);
    const isMeasured = unlessRefused(
      () => {
        systemCall("ioctl", path, fd, FS_IOC_MEASURE_VERITY, buffer);
        return true;
      },
      () => false,
      ...["ENODATA", "ENOTTY", "EOPNOTSUPP", "EINVAL", "ENOSYS"],
    );
    if (!isMeasured) return null;
    const algorithm = ALGORITHMS[view.getUint16(0, true)];
    if (algorithm === undefined) throw new SyscallError("ioctl", "EINVAL", path);
    return `${algorithm}:${buffer.slice(HEADER_BYTES, HEADER_BYTES + view.getUint16(2, true)).toHex()}`;
  });
}
