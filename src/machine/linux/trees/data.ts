import * as fs from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import { SEEK_DATA, SEEK_HOLE } from "../../abi-trees.ts";
import type { DataReader, DataWriter } from "../../trees.ts";
import { refusable, writeAll } from "../descriptors.ts";
import { callKernel } from "../libc.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/** Opens the file at `place` for reading, of which `path` is the name for an error. Whatever else has taken its name is EINVAL, and nothing waits for it. */
export function openFile(place: Buffer, path: string): DataReader {
  const fd = refusable(path, () => fs.openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const status = fs.fstatSync(fd);
  if (!status.isFile()) {
    fs.closeSync(fd);
    throw new SyscallError("open", "EINVAL", path);
  }
  return {
    size: status.size,
    nextData(offset) {
      if (offset >= status.size) return null;
      const start = callKernel("lseek", [fd, offset, SEEK_DATA]);
      if (start === "ENXIO") return null;
      if (typeof start === "string") throw new SyscallError("lseek", start, path);
      const end = callKernel("lseek", [fd, start, SEEK_HOLE]);
      return { start, end: typeof end === "string" ? status.size : end };
    },
    read(to, offset) {
      let done = 0;
      while (done < to.length) {
        const count = refusable(path, () => fs.readSync(fd, to, done, to.length - done, offset + done));
        if (count === 0) break;
        done += count;
      }
      return done;
    },
    close: () => fs.closeSync(fd),
  };
}

/** Creates the file at `place`. */
export function createFile(place: Buffer, path: string): DataWriter {
  const fd = refusable(path, () => fs.openSync(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
  let end = 0;
  return {
    write(bytes, offset) {
      writeAll(fd, bytes, path, offset);
      end = Math.max(end, offset + bytes.length);
    },
    finish(size) {
      try {
        if (size !== end) refusable(path, () => fs.ftruncateSync(fd, size));
      } finally {
        fs.closeSync(fd);
      }
    },
  };
}
