import { deepEqual, equal, fail, ok, throws } from "node:assert/strict";
import type { CopyWatch } from "../../src/machine/machine.ts";
import { type ContractCase, mountTmpfs, refuses } from "./case.ts";

const MIB = 2 ** 20;

export const COPY_CASES: readonly ContractCase[] = [
  {
    name: "copyFile tells its progress after each part, and gives every byte of the copy to a check",
    check(machine, directory) {
      const bytes = new Uint8Array(9 * MIB).map((_, index) => (index * 7 + (index >> 12)) & 0xff);
      machine.writeFile(`${directory}/source`, bytes);
      const copy = (watch: CopyWatch) => machine.copyFile(`${directory}/source`, `${directory}/target`, watch);
      const isCopied = () => Buffer.from(machine.readFile(`${directory}/target`)).equals(bytes);
      for (const isChecked of [false, true]) {
        const doneBytes: number[] = [];
        const seen: Uint8Array[] = [];
        const onBytes = isChecked ? (part: Uint8Array) => void seen.push(part.slice()) : undefined;
        copy({ onProgress: (done) => doneBytes.push(done), onBytes });
        deepEqual(doneBytes, [4 * MIB, 8 * MIB, 9 * MIB]);
        ok(isCopied());
        if (isChecked) ok(Buffer.concat(seen).equals(bytes));
      }
      refuses("ENOENT", () => machine.copyFile(`${directory}/none`, `${directory}/other`));
      equal(machine.stat(`${directory}/other`), null);
      throws(() => copy({ onProgress: () => fail("stopped") }));
      equal(machine.stat(`${directory}/target`), null);
    },
  },
  {
    name: "the filesystem of a copy can be unmounted at once after a check has stopped it",
    check(machine, directory) {
      machine.writeFile(`${directory}/source`, new Uint8Array(9 * MIB));
      mountTmpfs(machine, `${directory}/small`, "size=10M");
      const copy = () =>
        machine.copyFile(`${directory}/source`, `${directory}/small/target`, { onBytes: () => fail("stopped") });
      throws(copy);
      deepEqual(machine.listDirectory(`${directory}/small`), []);
      machine.unmount(`${directory}/small`);
    },
  },
  {
    name: "a copy that does not fit is ENOSPC and leaves nothing behind",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/small`, "size=1M");
      machine.writeFile(`${directory}/source`, new Uint8Array(2 * MIB));
      refuses("ENOSPC", () => machine.copyFile(`${directory}/source`, `${directory}/small/target`));
      deepEqual(machine.listDirectory(`${directory}/small`), []);
    },
  },
];
