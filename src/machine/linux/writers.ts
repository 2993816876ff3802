import * as fs from "node:fs";
import type { Writers } from "../writers.ts";
import { openFile, refusable, writeAll } from "./descriptors.ts";

const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
/** O_NONBLOCK: a pipe without a reader is refused (ENXIO) instead of blocking. */
const FLAGS = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

/** Implements `Writers`. */
export const linuxWriters: Writers = {
  openWriter(path) {
    const fd = openFile(path, FLAGS, 0o644);
    return {
      replace(data) {
        refusable(path, () => fs.ftruncateSync(fd));
        writeAll(fd, typeof data === "string" ? Buffer.from(data) : data, path, 0);
      },
      close: () => fs.closeSync(fd),
    };
  },
};
