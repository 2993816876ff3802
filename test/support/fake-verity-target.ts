import { findHash } from "../../src/crypto/hash.ts";
import { digestBlock, type HashTree, planTree } from "../../src/formats/verity/tree.ts";
import type { MappingTarget } from "../../src/machine/encryption.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeTarget } from "./fake-crypt-target.ts";
import type { FakeBlockDevice } from "./fake-disk.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** Optional parameters without a value, and those with one. */
const FLAGS = [
  "ignore_corruption",
  "restart_on_corruption",
  "panic_on_corruption",
  "ignore_zero_blocks",
  "check_at_most_once",
];
const VALUED = ["use_fec_from_device", "fec_start", "fec_blocks", "fec_roots", "root_hash_sig_key_desc"];

/** The PKCS #7 that the trusted keyring of the fake kernel accepts. */
export const TRUSTED_SIGNATURE = "signed by the fake kernel's vendor";

/** drivers/md/dm-verity-target.c: a device that shows the data if all of its blocks match the tree, and fails to read otherwise. Error correction corrects nothing. */
export function openVerityTarget(
  kernel: FakeKernel,
  name: string,
  { sectors }: MappingTarget,
  words: readonly string[],
  findDevice: (text: string) => FakeBlockDevice,
): FakeTarget {
  const refuse = (code: string): never => {
    throw new SyscallError("ioctl", code, name);
  };
  const [type, dataText = "", hashText = "", ...more] = words;
  const [dataBlock = 0, hashBlock = 0, dataBlocks = 0, start = 0] = more.slice(0, 4).map(Number);
  const [algorithm = "", rootHash = "", salt = "", count = "0", ...optional] = more.slice(4);
  const hash = findHash(algorithm) ?? refuse("ENOENT");
  if (Number(count) !== optional.length || rootHash.length !== hash.bytes * 2) refuse("EINVAL");
  const options = readOptional(optional) ?? refuse("EINVAL");
  const [data, hashes] = [findDevice(dataText), findDevice(hashText)];
  const fec = options.get("use_fec_from_device");
  const format = {
    ...{ hashType: Number(type) as 0 | 1, uuid: null, algorithm, dataBlock, hashBlock, dataBlocks },
    salt: Uint8Array.fromHex(salt === "-" ? "" : salt),
  };
  const tree = planTree(format, hash, start) ?? refuse("EINVAL");
  const isTooShort = dataBlocks * dataBlock > data.content.length || tree.end * hashBlock > hashes.content.length;
  if (isTooShort || sectors * 512 > dataBlocks * dataBlock) refuse("EINVAL");
  checkSignature(kernel, options.get("root_hash_sig_key_desc"), refuse);
  const isGood = options.has("ignore_corruption") || matches(tree, rootHash, data.content, hashes.content);
  return {
    below: data,
    others: [...new Set([hashes, ...(fec === undefined ? [] : [findDevice(fec)])])].filter((one) => one !== data),
    logicalBytes: dataBlock,
    ...(isGood ? {} : { failsWith: "EIO" }),
    read: () => data.content.subarray(0, dataBlocks * dataBlock),
  };
}

function checkSignature(kernel: FakeKernel, description: string | undefined, refuse: (code: string) => never): void {
  if (description === undefined) return;
  const payload = kernel.keys.payloadOf(description) ?? refuse("ENOKEY");
  if (Buffer.from(payload).toString() !== TRUSTED_SIGNATURE) refuse("ENOKEY");
}

function readOptional(words: readonly string[]): ReadonlyMap<string, string> | null {
  const found = new Map<string, string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (VALUED.includes(word)) found.set(word, words[++at] ?? "");
    else if (FLAGS.includes(word)) found.set(word, "");
    else return null;
  }
  return found;
}

/** Checks every block from the top of the tree down. */
function matches(tree: HashTree, rootHash: string, data: Uint8Array, hashes: Uint8Array): boolean {
  const { format, levels, perBlock, stride, hash } = tree;
  const block = (bytes: Uint8Array, index: number, size: number) => bytes.subarray(index * size, (index + 1) * size);
  let wanted: readonly string[] = [rootHash];
  for (const { start, blocks } of levels.toReversed()) {
    const below: string[] = [];
    for (let index = 0; index < blocks; index++) {
      const bytes = block(hashes, start + index, format.hashBlock);
      if (digestBlock(tree, bytes).toHex() !== wanted[index]) return false;
      for (let at = 0; at < perBlock; at++) below.push(bytes.subarray(at * stride, at * stride + hash.bytes).toHex());
    }
    wanted = below;
  }
  return Array.from({ length: format.dataBlocks }, (_, index) => index).every(
    (index) => digestBlock(tree, block(data, index, format.dataBlock)).toHex() === wanted[index],
  );
}
