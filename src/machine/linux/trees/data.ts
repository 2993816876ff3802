import { closeSync, constants } from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import { O_CLOEXEC } from "../../abi/constants.ts";
import { O_NOFOLLOW, SEEK_DATA, SEEK_HOLE, UTIME_OMIT } from "../../abi/trees.ts";
import type { DataReader, DataWriter, Kept } from "../../trees.ts";
import { callKernel, systemCall } from "../libc.ts";
import type { EntryPlace } from "./directories.ts";
import { encodeName } from "./names.ts";
import { openStatusOf } from "./status.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NONBLOCK } = constants;

/** Opens the file at `place` for reading, of which `path` is the name for an error. Whatever else has taken its name is EINVAL, and nothing waits for it. */
export function openFile({ directory, name }: EntryPlace, path: string): DataReader {
  const fd = systemCall("openat", path, directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  const { isFile, size, mayHaveHoles } = openStatusOf(fd, path);
  if (!isFile) {
    closeSync(fd);
    throw new SyscallError("open", "EINVAL", path);
  }
  return {
    size,
    mayHaveHoles,
    nextData(offset) {
      if (offset >= size) return null;
      const start = callKernel("lseek", [fd, offset, SEEK_DATA]);
      if (start === "ENXIO") return null;
      if (typeof start === "string") throw new SyscallError("lseek", start, path);
      const end = callKernel("lseek", [fd, start, SEEK_HOLE]);
      return { start, end: typeof end === "string" ? size : end };
    },
    read(to, offset) {
      let done = 0;
      while (done < to.length) {
        const rest = done === 0 ? to : to.subarray(done);
        const count = systemCall("pread64", path, fd, rest, rest.length, offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    },
    close: () => void callKernel("close", [fd]),
  };
}

/** Creates the file at `place`. */
export function createFile({ directory, name }: EntryPlace, path: string): DataWriter {
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const fd = systemCall("openat", path, directory, name, flags, 0o600);
  let end = 0;
  return {
    write(bytes, offset) {
      for (let done = 0; done < bytes.length; ) {
        const rest = done === 0 ? bytes : bytes.subarray(done);
        done += systemCall("pwrite64", path, fd, rest, rest.length, offset + done);
      }
      end = Math.max(end, offset + bytes.length);
    },
    finish(size, kept) {
      try {
        if (size !== end) systemCall("ftruncate", path, fd, size);
        if (kept !== undefined) keep(fd, path, kept);
      } finally {
        closeSync(fd);
      }
    },
  };
}

/** The owner first: changing it removes capabilities and the set-user-ID bit. The time last. */
function keep(fd: number, path: string, { access, attributes, modifiedNs }: Kept): void {
  systemCall("fchown", path, fd, access.userId, access.groupId);
  systemCall("fchmod", path, fd, access.mode);
  for (const [name, value] of attributes) {
    systemCall("fsetxattr", path, fd, encodeName(name), value, value.length, 0);
  }
  systemCall("utimensat", path, fd, 0, encodeTimes(modifiedNs), 0);
}

/** Returns two struct timespec: an access time that stays, and this modification time. */
export function encodeTimes(modifiedNs: bigint): BigInt64Array {
  return BigInt64Array.of(0n, BigInt(UTIME_OMIT), ...splitTime(modifiedNs));
}

/** Returns the seconds, and the nanoseconds since then. */
export function splitTime(timeNs: bigint): readonly [seconds: bigint, nanoseconds: bigint] {
  const second = 1_000_000_000n;
  const nanoseconds = ((timeNs % second) + second) % second;
  return [(timeNs - nanoseconds) / second, nanoseconds];
}
