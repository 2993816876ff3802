import { BootError } from "../problems/errors.ts";
import type { Scene } from "./opener.ts";

type Tools = Pick<Scene, "machine" | "modules">;

/** What stands in a cipher's name beside the names of algorithms. */
const NO_ALGORITHMS = new Set([
  "capi",
  "plain",
  "plain64",
  "plain64be",
  "null",
  "benbi",
  "random",
  "eboiv",
  "elephant",
]);

/** The words by which the kernel's crypto API would ask modprobe for what a cipher is made of ("crypto-aes", …): nobody answers it in an initramfs. */
export function listCipherAliases(cipher: string): readonly string[] {
  const names = (cipher.match(/[a-z0-9_]+/g) ?? []).filter((name) => !NO_ALGORITHMS.has(name) && !/^\d+$/.test(name));
  // XTS makes its tweaks by ECB.
  const helpers = names.includes("xts") ? ["ecb"] : [];
  return [...new Set([...names, ...helpers])].map((name) => `crypto-${name}`);
}

/** Loads what dm-crypt needs for a cipher. What is missing the kernel itself says when it is asked for it. */
export function loadCipher({ modules }: Pick<Tools, "modules">, cipher: string): void {
  for (const alias of listCipherAliases(cipher)) modules.loadByAlias(alias);
}

/** Makes sure that the kernel has a device-mapper target, whose module is `dm-TYPE` where none is given; returns its version. Throws BootError where it has not. */
export function requireTarget(
  { machine, modules }: Tools,
  type: string,
  module = `dm-${type}`,
): readonly [number, number, number] {
  const known = machine.mappingTargetVersion(type);
  if (known !== null) return known;
  modules.loadByName("dm-mod");
  modules.loadByName(module);
  const version = machine.mappingTargetVersion(type);
  if (version !== null) return version;
  throw new BootError(`this kernel has no ${module}`, {
    hint: `its module is missing from this image: levain image --module ${module}`,
  });
}
