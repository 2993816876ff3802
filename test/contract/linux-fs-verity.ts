import { equal } from "node:assert/strict";
import * as fs from "node:fs";
import { systemCall } from "../../src/machine/linux/libc.ts";
import { type ContractCase, FIXTURES } from "./case.ts";

/** _IOW('f', 133, struct fsverity_enable_arg) of linux/fsverity.h. */
const FS_IOC_ENABLE_VERITY = 0x40806685;
const BLOCK_BYTES = 4096;
const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest();

/** The digest of a file of one block: Documentation/filesystems/fsverity.rst, "Merkle tree" and "fs-verity descriptor". */
function digestOf(content: Uint8Array): string {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(content);
  const descriptor = Buffer.alloc(256);
  // version 1, FS_VERITY_HASH_ALG_SHA256, log2 of the size of a block
  descriptor.set([1, 1, 12]);
  descriptor.writeBigUInt64LE(BigInt(content.length), 8);
  descriptor.set(sha256(block), 16);
  return `sha256:${sha256(descriptor).toString("hex")}`;
}

function enableVerity(path: string): void {
  const order = Buffer.alloc(128);
  order.writeUInt32LE(1, 0);
  order.writeUInt32LE(1, 4);
  order.writeUInt32LE(BLOCK_BYTES, 8);
  const fd = fs.openSync(path, "r");
  systemCall("ioctl", path, fd, FS_IOC_ENABLE_VERITY, order);
  fs.closeSync(fd);
}

/** fs-verity, which only a real filesystem has. */
export const LINUX_FS_VERITY_CASES: readonly ContractCase[] = [
  {
    name: "a file with fs-verity has the digest of its descriptor, and any other file has none",
    check(machine, directory) {
      const place = `${directory}/verity`;
      machine.makeDirectory(place);
      const source = `/dev/${FIXTURES.verityDisk}`;
      machine.mount({ source, target: place, type: "ext4", flags: [], options: "" });
      const content = Buffer.from("an image\n");
      machine.writeFile(`${place}/image`, content);
      equal(machine.measureVerity(`${place}/image`), null);
      enableVerity(`${place}/image`);
      equal(machine.measureVerity(`${place}/image`), digestOf(content));
      equal(machine.measureVerity("/proc/version"), null);
      machine.unmount(place);
    },
  },
];
