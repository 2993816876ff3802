import kernelInstall from "./hooks/kernel-install.sh" with { type: "text" };
import pacmanInstall from "./hooks/pacman-install.hook" with { type: "text" };
import pacmanRemove from "./hooks/pacman-remove.hook" with { type: "text" };
import postinst from "./hooks/postinst.sh" with { type: "text" };
import postrm from "./hooks/postrm.sh" with { type: "text" };
import updateInitramfs from "./hooks/update-initramfs.sh" with { type: "text" };

const TEXTS = {
  /** /etc/kernel/postinst.d/zz-levain and postrm.d/zz-levain of Debian: before zz-update-grub and zz-systemd-boot, which use the image. */
  postinst,
  postrm,
  /** /usr/sbin/update-initramfs, which packages of Debian call when something has changed that images contain. */
  updateInitramfs,
  /** A plugin of kernel-install(8): levain if install.conf says so, and the boot loader's entry by the others. */
  kernelInstall,
  /** alpm-hooks(5): pacman passes the paths of the kernels on standard input. */
  pacmanInstall,
  pacmanRemove,
} as const;

/** Returns the text of a hook that calls `program`. */
export function hookText(name: keyof typeof TEXTS, program: string): string {
  return TEXTS[name].replaceAll("@PROGRAM@", program);
}

/** Returns the text of install.conf(5) of kernel-install with levain as the generator; the rest stays. */
export function withGenerator(text: string): string {
  const line = "initrd_generator=levain";
  if (/^initrd_generator=/m.test(text)) return text.replace(/^initrd_generator=.*$/gm, line);
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`;
}

/** Returns the text of install.conf(5) with the generators that `before` names in place of levain. */
export function withoutGenerator(text: string, before: string): string {
  return text.replace(/^(\w+_generator=)levain(?:\n|$)/gm, (_, key: string) => {
    return new RegExp(`^${key}(?!levain$).*\n?`, "m").exec(before)?.[0] ?? "";
  });
}
