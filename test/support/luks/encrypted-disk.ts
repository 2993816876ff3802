import { readFileSync } from "node:fs";
import { readLuksHeader } from "../../../src/formats/luks/read-header.ts";
import { type FakeBootOptions, fakeBoot } from "../fake-boot.ts";
import { encryptSectors, type FakeCipher } from "../fake-crypt.ts";
import { CRYPT_MODULES } from "../fake-device-mapper.ts";
import type { FakeTree } from "../fake-files.ts";
import type { FakeImage } from "../fake-images.ts";
import type { FakeTyping } from "../fake-terminals.ts";
import { type CryptsetupRecipe, provideLuksImage } from "./cryptsetup-image.ts";
import { byteSource } from "./sources.ts";

const MODULES = "/lib/modules/6.1.0-fake";
const FILES: Readonly<Record<string, string>> = {
  dm_mod: "kernel/drivers/md/dm-mod.ko",
  dm_crypt: "kernel/drivers/md/dm-crypt.ko",
  dm_verity: "kernel/drivers/md/dm-verity.ko",
  xts: "kernel/crypto/xts.ko",
  ecb: "kernel/crypto/ecb.ko",
  authenc: "kernel/crypto/authenc.ko",
  essiv: "kernel/crypto/essiv.ko",
  af_alg: "kernel/crypto/af_alg.ko",
  algif_skcipher: "kernel/crypto/algif_skcipher.ko",
  overlay: "kernel/fs/overlay.ko",
  loop: "kernel/drivers/block/loop.ko",
};

/** The modules of an image for encrypted roots, but `without` some. */
function moduleFiles(without: readonly string[]): FakeTree {
  const files = Object.entries(FILES).filter(([name]) => !without.includes(name));
  const needs: Readonly<Record<string, string>> = {
    dm_crypt: "dm_mod",
    dm_verity: "dm_mod",
    essiv: "authenc",
    algif_skcipher: "af_alg",
  };
  const lines = files.map(([name, path]) => `${path}:${needs[name] === undefined ? "" : ` ${FILES[needs[name]]}`}\n`);
  const aliases = ["xts", "ecb", "essiv"].map((name) => `alias crypto-${name} ${name}\n`);
  return {
    [`${MODULES}/modules.dep`]: lines.join(""),
    [`${MODULES}/modules.alias`]: `alias fs-overlay overlay\n${aliases.join("")}`,
    ...Object.fromEntries(files.map(([, path]) => [`${MODULES}/${path}`, "module"])),
  };
}

const KERNEL_MODULES = {
  overlay: { filesystems: ["overlay"] },
  loop: { nodes: { "/loop-control": { node: "character", number: "10:237" } } },
  ...CRYPT_MODULES,
} as const;

/** What a machine has whose image can open encrypted volumes. */
export const CRYPT_IMAGE = { modules: KERNEL_MODULES, filesystems: ["ext4", "vfat"], files: moduleFiles([]) };

/** A boot of an image that has device mapper's modules and ciphers, but `without` some. */
export function cryptBoot({ without = [], ...options }: FakeBootOptions & { readonly without?: readonly string[] }) {
  return fakeBoot({ modules: KERNEL_MODULES, ...options, files: { ...moduleFiles(without), ...options.files } });
}

/** A real header by cryptsetup with `inner` encrypted behind it; what it is inside has to be told to a fake machine as one of its `images`. */
export async function luksDisk(recipe: CryptsetupRecipe, inner: FakeImage): Promise<FakeImage> {
  const made = await provideLuksImage(recipe);
  const head = readFileSync(made.header ?? made.path);
  const header = readLuksHeader(byteSource(head));
  const [segment] = header.segments;
  if (made.volumeKey === null || !segment?.crypt) throw new Error(`${recipe.name} cannot be filled`);
  const how = { cipher: segment.crypt.cipher, key: made.volumeKey, sectorBytes: segment.crypt.sectorBytes };
  const rest = inner.bytes.length % how.sectorBytes;
  const whole = rest === 0 ? inner.bytes : Buffer.concat([inner.bytes, new Uint8Array(how.sectorBytes - rest)]);
  const data = encryptSectors(how, whole);
  const offset = Number(segment.offset);
  const bytes = new Uint8Array(offset + data.length);
  bytes.set(head.subarray(0, offset));
  bytes.set(data, offset);
  return { type: made.header === undefined ? "crypto_LUKS" : "data", bytes, root: inner.root };
}

/** `inner` in plain dm-crypt. */
export function plainDisk(how: FakeCipher, inner: FakeImage): FakeImage {
  return { type: "data", bytes: encryptSectors(how, inner.bytes), root: inner.root };
}

/** The header of a volume whose recipe puts it into a file of its own. */
export async function detachedHeader(recipe: CryptsetupRecipe): Promise<Uint8Array> {
  const { header } = await provideLuksImage(recipe);
  if (header === null) throw new Error(`${recipe.name} has its header in the image`);
  return readFileSync(header);
}

/** Answers to the prompts of a boot, each with Enter. */
export function typed(...texts: readonly string[]): FakeTyping[] {
  return texts.map((text) => ({ terminal: "/dev/ttyS0", text: `${text}\r` }));
}
