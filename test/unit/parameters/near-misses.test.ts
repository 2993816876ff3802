import { expect, test } from "bun:test";
import { nearMisses } from "../../../src/parameters/near-misses.ts";

const NAMES = ["virtio_net", "virtio_blk", "virtio", "ext4", "ext2", "e1000", "e1000e", "nvme", "xfs"];

test.each([
  ["virtoi_net", ["virtio_net"]],
  ["ext3", ["ext2", "ext4"]],
  ["e100", ["e1000", "e1000e"]],
  ["virtio_nett", ["virtio_net", "virtio"]],
  ["xfss", ["xfs"]],
  ["something_else", []],
  ["", []],
])("%j may have been %j", (given, near) => expect([...nearMisses(given, NAMES)].sort()).toEqual([...near].sort()));

test("no more than were asked for", () => expect(nearMisses("virtio", NAMES, 2)).toHaveLength(2));
