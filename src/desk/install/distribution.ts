import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { fileBelow, isDirectory, isFile } from "../host.ts";
import { hookText, withGenerator } from "./hook-texts.ts";

/** A file of a distribution that levain writes, or a link to /dev/null that masks another one. */
export interface HookFile {
  readonly path: string;
  /** null: a link to /dev/null. */
  readonly text: string | null;
  readonly mode: number;
  /** Whether dpkg-divert moves the file of a package out of the way first. */
  readonly isDiverted?: boolean;
  /** For the user: what it does. */
  readonly does: string;
}

/** What is built for a kernel. */
export interface ImagePlace {
  readonly path: string;
  /** A copy of the kernel that the boot loader reads; null: the distribution puts it there. */
  readonly kernelCopy: string | null;
}

/** How a system installs kernels; found by what is in its tree. */
export interface Distribution {
  readonly name: string;
  /** The file or directory that told it. */
  readonly fact: string;
  readonly hooks: (program: string) => readonly HookFile[];
  /** Where the boot loader expects the image of a kernel; null: only another program knows. */
  readonly placeOf: (version: string) => ImagePlace | null;
  /** The program that makes the image again without levain, and its arguments. */
  readonly regenerate: (version: string, image: string) => readonly string[];
}

/** The file with which kernel-install chooses a generator. */
export const INSTALL_CONF = "/etc/kernel/install.conf";

const EXECUTABLE = 0o755;
const READABLE = 0o644;

/** What a system has that installs kernels in a way that levain knows, and the families of os-release(5) that install them so. */
const KNOWN = [
  ["var/lib/dpkg/status", isFile, debian, ["debian"]],
  ["usr/share/libalpm/hooks", isDirectory, arch, ["arch"]],
  ["usr/lib/module-init-tools/regenerate-initrd-posttrans", isFile, suse, ["suse"]],
  ["usr/bin/kernel-install", isFile, kernelInstall, []],
  ["bin/kernel-install", isFile, kernelInstall, []],
] as const;

/** Finds out how the system below `root` installs kernels. Throws BootError. */
export function findDistribution(root: string): Distribution {
  const known = KNOWN.filter(([fact, exists]) => exists(join(root, fact)));
  // Package managers of other distributions leave their directories: Arch's package of dpkg has an empty var/lib/dpkg/status.
  const family = readFamily(root);
  const [found = known[0]] = known.filter(([, , , families]) => families.some((name) => family.includes(name)));
  if (found !== undefined) return found[2](root, `/${found[0]}`);
  throw new BootError("cannot find out how this system installs kernels", {
    seen: KNOWN.map(([fact]) => `${join(root, fact)}: no such file`),
    hint: "levain knows dpkg, pacman and kernel-install; elsewhere, build each image with levain image --kernel VERSION -o FILE",
  });
}

/** Returns the distribution and those that it derives from, by os-release(5). */
function readFamily(root: string): readonly string[] {
  const paths = ["etc/os-release", "usr/lib/os-release"].map((path) => fileBelow(root, join(root, path)));
  const path = paths.find(isFile);
  const text = path === undefined ? "" : readFileSync(path, "utf8");
  return [...text.matchAll(/^ID(?:_LIKE)?=["']?([\w .-]+)/gm)].flatMap(([, names = ""]) => names.split(" "));
}

/** Its kernel packages run dracut or mkosi-initrd, which regenerate-initrd-posttrans of suse-module-tools names: no other generator has a place. */
function suse(_root: string, fact: string): never {
  throw new BootError("levain install does not know how to replace the initramfs of openSUSE", {
    cause: new BootError(`${fact} runs dracut or mkosi-initrd for each kernel, and accepts no other generator`),
    hint: "build an image beside that of dracut: levain image --kernel VERSION -o /boot/levain-VERSION.img, and add a boot entry for it",
  });
}

function debian(_root: string, fact: string): Distribution {
  return {
    name: "Debian",
    fact,
    hooks: (program) => [
      {
        path: "/etc/kernel/postinst.d/zz-levain",
        text: hookText("postinst", program),
        mode: EXECUTABLE,
        does: "builds the image of each kernel that is installed",
      },
      {
        path: "/etc/kernel/postrm.d/zz-levain",
        text: hookText("postrm", program),
        mode: EXECUTABLE,
        does: "removes the image of a kernel that is removed",
      },
      {
        path: "/usr/sbin/update-initramfs",
        text: hookText("updateInitramfs", program),
        mode: EXECUTABLE,
        isDiverted: true,
        does: "builds with levain when a package or a person asks for new images",
      },
    ],
    placeOf: (version) => ({ path: `/boot/initrd.img-${version}`, kernelCopy: null }),
    regenerate: (version) => ["update-initramfs", "-c", "-k", version],
  };
}

function kernelInstall(root: string, fact: string): Distribution {
  const texts = ["etc/kernel/install.conf", "usr/lib/kernel/install.conf"].map((path) => join(root, path));
  const conf = texts.find(isFile);
  return {
    name: "kernel-install",
    fact,
    hooks: (program) => [
      {
        path: "/etc/kernel/install.d/50-levain.install",
        text: hookText("kernelInstall", program),
        mode: EXECUTABLE,
        does: "builds the image of each kernel that kernel-install adds",
      },
      {
        path: INSTALL_CONF,
        text: withGenerator(conf === undefined ? "" : readFileSync(conf, "utf8")),
        mode: READABLE,
        does: "names levain as initrd_generator, so the other generators leave it alone",
      },
      {
        path: "/etc/kernel/install.conf.d/zz-levain.conf",
        text: withGenerator(""),
        mode: READABLE,
        does: "the same, where systemd reads this directory and another file there names one",
      },
    ],
    placeOf: (version) => {
      const path = `/boot/initramfs-${version}.img`;
      // Elsewhere it is part of the boot loader's entry, which kernel-install makes.
      return isFile(join(root, path)) || isFile(join(root, `/boot/vmlinuz-${version}`))
        ? { path, kernelCopy: null }
        : null;
    },
    regenerate: (version, image) => ["dracut", "--force", image, version],
  };
}

/** Hooks of mkinitcpio, which levain masks as alpm-hooks(5) says. */
const MASKED = ["60-mkinitcpio-remove.hook", "90-mkinitcpio-install.hook"];

function arch(root: string, fact: string): Distribution {
  const hook = (name: string, text: string | null, does: string) => ({
    path: `/etc/pacman.d/hooks/${name}`,
    text,
    mode: READABLE,
    does,
  });
  const masked = MASKED.filter((name) => isFile(join(root, fact, name)));
  return {
    name: "Arch Linux",
    fact,
    hooks: (program) => [
      hook(
        "90-levain-install.hook",
        hookText("pacmanInstall", program),
        "builds the image of each kernel that is installed",
      ),
      hook("60-levain-remove.hook", hookText("pacmanRemove", program), "removes the image of a kernel that is removed"),
      ...masked.map((name) => hook(name, null, "masks the hook of mkinitcpio")),
    ],
    placeOf: (version) => readPreset(root, version),
    regenerate: (version, image) => ["mkinitcpio", "--kernel", version, "--generate", image],
  };
}

/** The package of a kernel names its files; a preset of mkinitcpio says where they are, if it exists. */
function readPreset(root: string, version: string): ImagePlace | null {
  const name = join(root, "usr/lib/modules", version, "pkgbase");
  if (!isFile(name)) return null;
  const pkgbase = readFileSync(name, "utf8").trim();
  if (!/^[\w.+@-]+$/.test(pkgbase)) throw new BootError(`${name} does not contain the name of a package`);
  const preset = join(root, `etc/mkinitcpio.d/${pkgbase}.preset`);
  const own = { image: `/boot/initramfs-${pkgbase}.img`, kernelCopy: `/boot/vmlinuz-${pkgbase}` };
  if (!isFile(preset)) return { path: own.image, kernelCopy: own.kernelCopy };
  const text = readFileSync(preset, "utf8");
  const first = /^PRESETS=\(\s*["']?([\w-]+)/m.exec(text)?.[1] ?? "default";
  const value = (key: string) =>
    [first, "ALL"].flatMap(
      (of) => new RegExp(`^${of}_${key}=["']?([^"'\n]+?)["']?[ \t]*$`, "m").exec(text)?.[1] ?? [],
    )[0];
  const kernel = value("kver");
  return {
    path: value("uki") ?? value("image") ?? own.image,
    // A version, and a file of the kernel's own package, are no copies.
    kernelCopy: kernel?.startsWith("/") && !kernel.startsWith("/usr/") ? kernel : null,
  };
}
