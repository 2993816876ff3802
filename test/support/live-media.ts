import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { filesImage } from "./disk-images.ts";
import { type ImageNames, rootImage, treeImage } from "./filesystem-images.ts";

/** The medium that a project's own tool makes, as far as a boot looks at it: an ISO with these files, and a README. */
async function isoMedium(files: Readonly<Record<string, string>>, names: ImageNames): Promise<string> {
  return filesImage("iso9660", { "/README.txt": await textFile("a live medium\n"), ...files }, names);
}

/** live-build's: /live/filesystem.squashfs, or other images and lists in that directory. */
export async function debianIso(images?: Readonly<Record<string, string>>): Promise<string> {
  const all = images ?? { "filesystem.squashfs": await rootImage("squashfs-xz") };
  const files = Object.entries(all).map(([name, file]) => [`/live/${name}`, file] as const);
  return isoMedium(Object.fromEntries(files), { label: "d-live 12.5.0 st amd64" });
}

/** The label of a Fedora ISO. */
export const FEDORA_LABEL = "Fedora-WS-Live-39-1-5";

/** Fedora's: /LiveOS/squashfs.img, which is the root ("plain") or holds LiveOS/rootfs.img ("nested"); or rootfs.img itself. */
export async function fedoraIso(kind: "plain" | "nested" | "uncompressed"): Promise<string> {
  const ext4 = () => rootImage("ext4", { label: "Anaconda" });
  const image = {
    plain: async () => ({ "/LiveOS/squashfs.img": await rootImage("squashfs-zstd") }),
    nested: async () => ({
      "/LiveOS/squashfs.img": await filesImage("squashfs-xz", { "/LiveOS/rootfs.img": await ext4() }),
    }),
    uncompressed: async () => ({ "/LiveOS/rootfs.img": await ext4() }),
  }[kind];
  return isoMedium(await image(), { label: FEDORA_LABEL });
}

/** The UUID and label of an Arch ISO. */
export const ARCH = { uuid: "2025-11-01-10-20-30-00", label: "ARCH_202511" };

/** mkarchiso's: /arch/x86_64/airootfs.sfs or .erofs, and the file that its boot menu searches for. */
export async function archIso(type: "sfs" | "erofs"): Promise<string> {
  const image = await rootImage(type === "sfs" ? "squashfs-xz" : "erofs");
  const marker = await textFile("\n");
  return isoMedium({ [`/arch/x86_64/airootfs.${type}`]: image, [`/boot/${ARCH.uuid}.uuid`]: marker }, ARCH);
}

/** A squashfs with nothing but these text files: a layer for over a root. */
export function layerImage(files: Readonly<Record<string, string>>): Promise<string> {
  return treeImage("squashfs-zstd", textTree(files));
}

/** A directory with these text files. */
export function textTree(files: Readonly<Record<string, string>>): string {
  const tree = scratchDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return tree;
}

/** A file with this text, the same each time it is asked for. */
export async function textFile(text: string): Promise<string> {
  const directory = await cached("texts", recipeKey(text), (target) => {
    writeFileSync(join(target, "text"), text);
    return Promise.resolve();
  });
  return join(directory, "text");
}
