import { createFindHash, type Hash } from "../../../crypto/hash.ts";
import { withReader } from "../../../devices/block-devices.ts";
import type { Context } from "../../../drivers/context.ts";
import type { ByteSource } from "../../../formats/facts.ts";
import { checkFormat, readVeritySuperblock, type VerityFormat } from "../../../formats/verity/superblock.ts";
import { checkFirstPath, firstHashBlock, type HashTree, planTree } from "../../../formats/verity/tree.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import { orProblem, problem } from "../../../problems/problem.ts";
import { sentence } from "../../../problems/report.ts";
import { createVerityMapping } from "./dm-verity.ts";
import type { VerityOrder, VerityPart } from "./order.ts";

/** Creates the dm-verity device, after a look at what would otherwise fail at the first read: the sizes, the root hash, the first block. Throws BootError. */
export function openVerity(context: Context, order: VerityOrder): Mapping {
  const { data, hashes, rootHash, options } = order;
  return orProblem("verity-not-opened", { name: data.name }, () => {
    const format = withReader(context.machine, hashes.node, (reader) => readFormat(reader, order));
    requireSize(data, format.dataBlocks * format.dataBlock);
    const start = firstHashBlock(format, options.hashOffset ?? 0, options.hasSuperblock);
    const hash = createFindHash(context.machine)(format.algorithm);
    if (hash !== null) checkTree(context, order, { format, hash, start });
    const digits = hash === null ? rootHash.length : hash.bytes * 2;
    if (digits !== rootHash.length) {
      throw problem("verity-unknown-hash", { algorithm: format.algorithm, digits: rootHash.length });
    }
    return createVerityMapping(context, order, format, start);
  });
}

function readFormat(reader: ByteSource, { options, data, hashes }: VerityOrder): VerityFormat {
  const { hasSuperblock, hashOffset, dataBlocks, salt, ...own } = options;
  const offset = hashOffset ?? 0;
  if (hasSuperblock) {
    const format = readVeritySuperblock(reader, offset);
    if (format === null) throw problem("verity-no-superblock", { name: hashes.name, offset });
    return format;
  }
  const end = hashes.number === data.number ? offset : data.sizeBytes;
  const { hashType, algorithm, dataBlock, hashBlock } = own;
  return checkFormat({
    hashType,
    uuid: null,
    algorithm,
    dataBlock,
    hashBlock,
    dataBlocks: dataBlocks ?? Math.floor(end / dataBlock),
    salt: Uint8Array.fromHex(salt),
  });
}

function requireSize({ name, sizeBytes }: VerityPart, neededBytes: number): void {
  if (sizeBytes < neededBytes) throw problem("verity-too-short", { name, bytes: sizeBytes, neededBytes });
}

interface Plan {
  readonly format: VerityFormat;
  readonly hash: Hash;
  readonly start: number;
}

/** Error correction may repair what does not match, and ignore-corruption accepts it: then it is a warning. */
function checkTree(context: Context, order: VerityOrder, { format, hash, start }: Plan): void {
  const { data, hashes, rootHash, options, fec } = order;
  if (rootHash.length !== hash.bytes * 2) return;
  const tree = planTree(format, hash, start);
  if (tree === null) throw problem("verity-unknown-hash", { algorithm: format.algorithm, digits: rootHash.length });
  requireSize(hashes, tree.end * format.hashBlock);
  const failure = findFlaw(context, order, tree);
  if (failure === null) return;
  if (fec === null && options.onCorruption !== "ignore") throw failure;
  const instead = fec === null ? "ignore-corruption accepts it" : "the kernel may correct it";
  context.voice.warn(`${data.name}: ${sentence(failure)}; ${instead}`);
}

function findFlaw({ machine }: Context, { data, hashes, rootHash }: VerityOrder, tree: HashTree) {
  const flaw = withReader(machine, data.node, (dataReader) =>
    withReader(machine, hashes.node, (hashReader) =>
      checkFirstPath(tree, Uint8Array.fromHex(rootHash), dataReader, hashReader),
    ),
  );
  if (flaw === null) return null;
  if (flaw.kind === "data") return problem("verity-other-data", { name: data.name });
  const isTop = flaw.level === tree.levels.length - 1;
  if (isTop) return problem("verity-wrong-root-hash", { name: hashes.name });
  return problem("medium-damaged", { name: hashes.name, offset: flaw.offset });
}
