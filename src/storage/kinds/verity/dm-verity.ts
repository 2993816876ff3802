import type { Context } from "../../../drivers/context.ts";
import type { VerityFormat } from "../../../formats/verity/superblock.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import { BootError, isErrno, tolerateRefusal } from "../../../problems/errors.ts";
import { isProblem, problem } from "../../../problems/problem.ts";
import { describeRefusal } from "../../../problems/report.ts";
import { createMapping, requireFreeNames, requireTarget } from "../../device-mapper/mapping.ts";
import { listCipherAliases } from "../crypt/dm-crypt.ts";
import type { VerityOrder } from "./order.ts";

/** The kernel's words for the policies (Documentation/admin-guide/device-mapper/verity.rst). */
const POLICIES = {
  error: [],
  ignore: ["ignore_corruption"],
  restart: ["restart_on_corruption"],
  panic: ["panic_on_corruption"],
} as const;

/** Creates the device; `start` is the number of the first hash block. Throws BootError if the kernel refuses. */
export function createVerityMapping(
  context: Context,
  order: VerityOrder,
  format: VerityFormat,
  start: number,
): Mapping {
  const { machine, drivers } = context;
  requireTarget(context, "verity");
  for (const alias of listCipherAliases(format.algorithm)) drivers.loadByAlias(alias);
  requireFreeNames(machine, [order.mapping]);
  const uuid = ["CRYPT-VERITY", ...(format.uuid === null ? [] : [format.uuid.replaceAll("-", "")]), order.mapping].join(
    "-",
  );
  const request = { name: order.mapping, uuid, readOnly: true };
  const sectors = (format.dataBlocks * format.dataBlock) / 512;
  const load = (description: string | null) => {
    const parameters = new TextEncoder().encode(formatTable(order, format, start, description));
    return createMapping(context, request, { type: "verity", sectors, parameters });
  };
  return order.signature === null ? load(null) : loadSigned(context, order, order.signature, load);
}

/** The kernel takes the signature from a key of type "user" that this thread can find, and keeps a copy. */
function loadSigned(
  { machine }: Context,
  { mapping, data }: VerityOrder,
  signature: Uint8Array,
  load: (description: string) => Mapping,
): Mapping {
  const description = `cryptsetup:${mapping}-verity-signature`;
  let id: number | null = null;
  try {
    id = machine.addUserKey(description, signature);
    return load(description);
  } catch (error) {
    const refusal = error instanceof BootError && isProblem(error, "mapping-refused") ? error.facts : error;
    const why = describeSignature(refusal);
    if (why === null) throw error;
    throw problem("verity-signature-refused", { name: data.name, why }, { cause: error });
  } finally {
    const key = id;
    if (key !== null) tolerateRefusal(() => machine.removeKey(key));
  }
}

/** What the kernel means by an errno of verify_pkcs7_signature (certs/system_keyring.c); others are no matter of the signature. */
const REASONS: Readonly<Record<string, string>> = {
  ENOKEY: "no certificate of its trusted keyring has signed it",
  EKEYREJECTED: "it is not that of this root hash",
  EBADMSG: "it is malformed",
  ENOPKG: "it uses an algorithm that the kernel does not have",
  EINVAL: "this kernel checks no signatures (CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG)",
};

function describeSignature(failure: unknown): string | null {
  if (isErrno(failure)) return describeRefusal(failure);
  const errno = (failure as { readonly errno?: string }).errno ?? "";
  return Object.hasOwn(REASONS, errno) ? (REASONS[errno] ?? null) : null;
}

/** The table's parameters, as libcryptsetup writes them (get_dm_verity_params). */
function formatTable(order: VerityOrder, format: VerityFormat, start: number, signature: string | null): string {
  const { data, hashes, rootHash, options } = order;
  const { hashType, dataBlock, hashBlock, dataBlocks, algorithm, salt } = format;
  const optional = [
    ...POLICIES[options.onCorruption],
    ...options.flags,
    ...fecParameters(order, format, start),
    ...(signature === null ? [] : ["root_hash_sig_key_desc", signature]),
  ];
  return [
    hashType,
    data.number,
    hashes.number,
    dataBlock,
    hashBlock,
    dataBlocks,
    start,
    algorithm,
    rootHash,
    salt.length === 0 ? "-" : salt.toHex(),
    ...(optional.length === 0 ? [] : [optional.length, ...optional]),
  ].join(" ");
}

/** The correction covers the data, the tree and what follows it, up to the correction itself or the end of the device (VERITY_FEC_blocks). */
function fecParameters(
  { fec, hashes, options }: VerityOrder,
  { dataBlock, hashBlock, dataBlocks }: VerityFormat,
  start: number,
) {
  if (fec === null) return [];
  const end = fec.number === hashes.number ? options.fecOffset : hashes.sizeBytes;
  const blocks = Math.floor(end / dataBlock) - start + dataBlocks;
  return [
    ...["use_fec_from_device", fec.number],
    ...["fec_start", `${options.fecOffset / hashBlock}`],
    ...["fec_blocks", `${blocks}`],
    ...["fec_roots", `${options.fecRoots}`],
  ];
}
