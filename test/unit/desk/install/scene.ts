import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { scratchDirectory } from "../../../support/cache.ts";

/** Options for images that take no time. */
export const QUICK = 'compress = "none"\nbusybox = "none"\n';

/** Makes a tree with what every system has. */
export function createScene() {
  const root = join(scratchDirectory(), "a root\nof two lines");
  const write = (path: string, text: string | Uint8Array, mode = 0o644): void => {
    const target = join(root, path);
    fs.mkdirSync(dirname(target), { recursive: true });
    fs.writeFileSync(target, text, { mode });
  };
  for (const path of ["etc/kernel", "etc/pacman.d", "var/lib/dpkg"])
    fs.mkdirSync(join(root, path), { recursive: true });
  write("/etc/levain.toml", QUICK);
  /** A kernel with a module, which any ELF file can stand for. */
  const addKernel = (version: string, kernel = `/boot/vmlinuz-${version}`): void => {
    const modules = `/usr/lib/modules/${version}`;
    for (const name of ["alias", "softdep", "order", "builtin", "dep"]) write(`${modules}/modules.${name}`, "#\n");
    write(`${modules}/modules.builtin.modinfo`, "kernel.license=GPL\0");
    write(`${modules}/kernel/fs/mine.ko`, fs.readFileSync("/bin/true"));
    write(kernel, `kernel ${version}`);
  };
  /** What a Debian has, with a kernel and its image of initramfs-tools. */
  const makeDebian = (version: string): void => {
    for (const name of ["status", "diversions", "diversions-old"]) write(`/var/lib/dpkg/${name}`, "");
    write("/usr/sbin/update-initramfs", "#!/bin/sh\n", 0o755);
    write("/etc/kernel/postinst.d/initramfs-tools", "#!/bin/sh\n", 0o755);
    write(`/boot/initrd.img-${version}`, "made by initramfs-tools");
    addKernel(version);
  };
  const read = (path: string) => fs.readFileSync(join(root, path), "utf8");
  const exists = (path: string) => fs.existsSync(join(root, path));
  return { root, write, read, exists, addKernel, makeDebian };
}
