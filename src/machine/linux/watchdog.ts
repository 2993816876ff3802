import * as fs from "node:fs";
import { orIfRefused } from "../../problems/errors.ts";
import type { Watchdog } from "../watchdog.ts";
import { openFile, writeAll } from "./descriptors.ts";
import { systemCall } from "./libc.ts";

/** linux/watchdog.h: these take the address of an int, and of a watchdog_info of 40 bytes that begins with the options. */
const WDIOC_SETTIMEOUT = 0xc0045706;
const WDIOC_GETTIMEOUT = 0x80045707;
const WDIOC_GETSUPPORT = 0x80285700;
const INFO_WORDS = 10;
const WDIOF_MAGICCLOSE = 0x100;
/** Any byte feeds; this one, as the last, lets the close stop the watchdog. */
const [FOOD, MAGIC] = [Uint8Array.of(0), Buffer.from("V")];

/** Implements `Watchdogs`. */
export function openWatchdog(node: string, seconds: number): Watchdog {
  const fd = openFile(node, "w");
  const value = Int32Array.of(seconds);
  // EINVAL: not a time that the hardware knows; EOPNOTSUPP: it knows one only.
  orIfRefused(() => systemCall("ioctl", node, fd, WDIOC_SETTIMEOUT, value), 0);
  orIfRefused(() => systemCall("ioctl", node, fd, WDIOC_GETTIMEOUT, value), 0);
  const info = new Uint32Array(INFO_WORDS);
  orIfRefused(() => systemCall("ioctl", node, fd, WDIOC_GETSUPPORT, info), 0);
  return {
    seconds: value[0] ?? seconds,
    staysArmed: ((info[0] ?? 0) & WDIOF_MAGICCLOSE) !== 0,
    feed: () => writeAll(fd, FOOD, node),
    close(how) {
      writeAll(fd, how === "stopped" ? MAGIC : FOOD, node);
      fs.closeSync(fd);
    },
  };
}
