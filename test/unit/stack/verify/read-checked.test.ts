import { expect, test } from "bun:test";
import { SyscallError } from "../../../../src/problems/errors.ts";
import { readChecked } from "../../../../src/stack/verify/read-checked.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { byteSource, whatItSays } from "../../../support/luks/sources.ts";

const VOICE = { warn: () => undefined, debug: () => undefined, progress: () => undefined };

test.each([0, 4096, 1_000_000, 5_000_000, 9_999_999])("the first block that cannot be read is named: %d", (bad) => {
  const machine = fakeMachine();
  const source = byteSource(new Uint8Array(10_000_000));
  // As a disk: a read that touches the sector fails as a whole.
  const read = (at: number, length: number) => {
    if (at <= bad && bad < at + length) throw new SyscallError("pread", "EIO", "/x");
    return source.read(at, length);
  };
  machine.openReader = () => ({ size: source.size, read, close: () => undefined });
  const file = { source: "/x", name: "/live/x", bytes: null };
  const block = Math.floor(bad / 4096) * 4096;
  expect(whatItSays(() => readChecked({ machine, voice: VOICE }, file, [], null))).toContain(
    `the medium is damaged: /live/x at byte ${block}`,
  );
});
