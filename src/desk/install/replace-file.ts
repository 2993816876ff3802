import * as fs from "node:fs";
import { dirname } from "node:path";
import { attempt } from "../host.ts";

/** A hint for what could not be written. */
export const AS_ROOT = "run the command as root, on a filesystem that can be written";

/** Makes a file completely or not at all: `make` writes it beside its place. Throws BootError. */
export function replaceFile(target: string, make: (path: string) => void, hint = AS_ROOT): void {
  const beside = `${target}.levain-new`;
  attempt(
    `cannot write ${target}`,
    () => {
      fs.mkdirSync(dirname(target), { recursive: true });
      fs.rmSync(beside, { force: true });
      try {
        make(beside);
        fs.renameSync(beside, target);
      } finally {
        fs.rmSync(beside, { force: true });
      }
    },
    hint,
  );
}
