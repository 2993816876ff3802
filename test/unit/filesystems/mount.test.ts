import { expect, test } from "bun:test";
import { mountDevice } from "../../../src/filesystems/mount.ts";
import { BootError } from "../../../src/problems/errors.ts";
import { fakeMachine } from "../../support/fake-machine.ts";
import { listenToVoice } from "../desk/heard-voice.ts";

const NTFS = {
  node: "/dev/sda",
  facts: { type: "ntfs", label: null, uuid: null, partitionTable: null, ambivalent: [] },
  unreadable: null,
};

test("an NTFS is mounted with the driver that the kernel has", () => {
  const machine = fakeMachine({ disks: [{ name: "sda" }] });
  const loaded: string[] = [];
  const drivers = { loadFilesystem: (type: string) => void loaded.push(type), blocked: () => [] };
  const order = { device: NTFS, target: "/mnt", types: [], access: "read-only", options: "", role: "root" } as const;
  const context = { machine, drivers, voice: listenToVoice(), undo: () => undefined };
  let refusal: unknown;
  try {
    mountDevice(context, order);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(BootError);
  expect(loaded).toEqual(["ntfs3", "ntfs"]);
  expect((refusal as BootError).hints[0]?.text).toContain("levain image --module ntfs3");
  // A type that is named is the only one.
  loaded.length = 0;
  expect(() => mountDevice(context, { ...order, types: ["ntfs"] })).toThrow(BootError);
  expect(loaded).toEqual(["ntfs"]);
});
