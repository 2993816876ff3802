import { normaliseName, type Word } from "../cmdline.ts";

/** Parameters that genkernel's linuxrc obeys in place of the kernel's own, whose values are then only for the kernel: root=/dev/ram0. */
const SHADOWS: Readonly<Record<string, string>> = { root: "real_root", rootflags: "real_rootflags", init: "real_init" };
const NAMES: readonly string[] = [...Object.values(SHADOWS), "crypt_root"];

/** Where genkernel has the volume of crypt_root=. */
const VOLUME = "root";
const VOLUME_ROOT: Word = { name: "root", value: `/dev/mapper/${VOLUME}`, text: `root=/dev/mapper/${VOLUME}` };

interface WordSource {
  readonly words: readonly Word[];
}

/**
 * Leaves out what a parameter of Gentoo's genkernel replaces in the same source or a weaker one, and takes the volume of crypt_root=
 * as the root if no other is named: as defaults/linuxrc of genkernel does. `sources`: the weakest first.
 */
export function obeyGenkernel<S extends WordSource>(sources: readonly S[]): readonly S[] {
  if (!NAMES.some((name) => has(sources, name))) return sources;
  const isLocked = has(sources, "crypt_root") && !has(sources, "real_root") && !has(sources, "root", isRealRoot);
  return sources.map((source, at) => {
    const words = source.words.filter((word) => !isShadowed(word, sources.slice(at)));
    if (!isLocked || !has([source], "crypt_root")) return { ...source, words };
    return { ...source, words: [...words.filter(({ name }) => name !== "root"), VOLUME_ROOT] };
  });
}

function isShadowed({ name, value }: Word, sources: readonly WordSource[]): boolean {
  const given = normaliseName(name);
  // genkernel's own init, which old handbooks name, is no program of the root.
  if (given === "init" && value === "/linuxrc") return true;
  const shadow = Object.hasOwn(SHADOWS, given) ? SHADOWS[given] : undefined;
  return shadow !== undefined && has(sources, shadow);
}

function has(sources: readonly WordSource[], wanted: string, accepts: (word: Word) => boolean = () => true): boolean {
  return sources.some(({ words }) => words.some((word) => normaliseName(word.name) === wanted && accepts(word)));
}

function isRealRoot({ value }: Word): boolean {
  return !/^\/dev\/ram0?$/.test(value ?? "");
}

/** The volume of crypt_root=, as Debian's cryptopts= names one. */
export function genkernelVolume(value: string | null): string | undefined {
  return value === null || value === "" ? undefined : `target=${VOLUME},source=${value},luks`;
}
