import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Architecture } from "../../src/desk/qemu/machines.ts";
import { cached, recipeKey } from "./cache.ts";
import { CommandError, run, runScript } from "./command.ts";
import { type Suite, withApt } from "./debian-packages.ts";
import { GUEST_ARCHITECTURE, TARGETS } from "./guest-architecture.ts";
import { DEPMOD } from "./unpacked-programs.ts";
import { unpackKernel } from "./vmlinux.ts";

/**
 * Debian's kernels: "cloud" is small and knows virtio and NVMe only, "full" has every driver; these two are of the machine's own
 * release (Debian 12). Those of other releases have its name: "bullseye" is 5.10, "trixie" 6.12, "sid" the newest.
 */
export type KernelFlavour = keyof typeof KERNELS;

export interface Kernel {
  readonly vmlinuz: string;
  /** What QEMU starts soonest: the ELF kernel that a bzImage holds, or the Image of AArch64, which is vmlinuz. */
  readonly vmlinux: string;
  /** …/lib/modules/VERSION, with depmod's files. */
  readonly modulesDir: string;
  /** As in `uname -r`. */
  readonly version: string;
}

const VMLINUX = "vmlinux";
const UNPACK = `
for file in linux-*.deb; do dpkg -x "$file" .; rm "$file"; done
[ ! -d usr/lib/modules ] || mv usr/lib .
rm -rf usr
mkdir -p boot
for file in lib/modules/*/vmlinuz; do
  [ ! -f "$file" ] || { version=\${file%/vmlinuz}; mv "$file" "boot/vmlinuz-\${version##*/}"; }
done
for directory in lib/modules/*; do "$1" -b . "\${directory##*/}"; done
`;

/** The package that tests use, and the one that depends on the newest of this kind. */
interface KernelSource {
  readonly suite: Suite;
  readonly pinned: string;
  readonly newest: string;
}

const KERNELS = {
  cloud: { suite: "own", pinned: "linux-image-6.1.0-57-cloud-amd64", newest: "linux-image-cloud-amd64" },
  full: { suite: "own", pinned: "linux-image-6.1.0-57-amd64", newest: "linux-image-amd64" },
  bullseye: { suite: "bullseye", pinned: "linux-image-5.10.0-32-cloud-amd64", newest: "linux-image-cloud-amd64" },
  "bullseye-full": { suite: "bullseye", pinned: "linux-image-5.10.0-32-amd64", newest: "linux-image-amd64" },
  trixie: { suite: "trixie", pinned: "linux-image-6.12.117+deb13-cloud-amd64", newest: "linux-image-cloud-amd64" },
  "trixie-full": { suite: "trixie", pinned: "linux-image-6.12.117+deb13-amd64", newest: "linux-image-amd64" },
  sid: { suite: "sid", pinned: "linux-image-7.2.13+deb14-cloud-amd64", newest: "linux-image-cloud-amd64" },
  "sid-full": { suite: "sid", pinned: "linux-image-7.2.13+deb14-amd64", newest: "linux-image-amd64" },
} as const satisfies Readonly<Record<string, KernelSource>>;

/** Those of AArch64. */
const AARCH64_KERNELS: Readonly<Partial<Record<KernelFlavour, KernelSource>>> = {
  cloud: { suite: "arm64", pinned: "linux-image-6.1.0-57-cloud-arm64", newest: "linux-image-cloud-arm64" },
  full: { suite: "arm64", pinned: "linux-image-6.1.0-57-arm64", newest: "linux-image-arm64" },
};

/** What apt says of a release that its mirror no longer has. */
const NO_RELEASE = "does not have a Release file";

export const KERNEL_FLAVOURS = Object.keys(KERNELS) as readonly KernelFlavour[];

/**
 * Fetches a kernel of Debian into the cache without installing it; afterwards it is there at once. Its mirrors keep a package for
 * weeks (sid) to years: if the pinned one is gone, this is the newest of the same kind, and standard error says so.
 */
export async function debianKernel(
  flavour: KernelFlavour,
  architecture: Architecture = GUEST_ARCHITECTURE,
): Promise<Kernel> {
  const source: KernelSource | undefined = (architecture === "x86_64" ? KERNELS : AARCH64_KERNELS)[flavour];
  if (source === undefined) throw new Error(`tests have no kernel "${flavour}" for ${architecture}`);
  const directory = await cached("kernels", recipeKey(source), (target) => fetchKernel(source, target));
  const version = readdirSync(join(directory, "lib/modules"))[0];
  if (version === undefined) throw new Error(`no kernel in ${directory}: remove it and try again`);
  return {
    vmlinuz: join(directory, `boot/vmlinuz-${version}`),
    vmlinux: join(directory, architecture === "x86_64" ? VMLINUX : `boot/vmlinuz-${version}`),
    modulesDir: join(directory, "lib/modules", version),
    version,
  };
}

/**
 * Whether the kernel can be had: mirrors drop a release some time after its support has ended, and then nothing replaces its kernels.
 * Says so on standard error. Other failures of apt are thrown.
 */
export async function isOffered(flavour: KernelFlavour, provide = debianKernel): Promise<boolean> {
  try {
    await provide(flavour);
    return true;
  } catch (error) {
    if (!(error instanceof CommandError && error.message.includes(NO_RELEASE))) throw error;
    console.error(`the mirror has no ${KERNELS[flavour].suite} any more: no test boots ${KERNELS[flavour].pinned}`);
    return false;
  }
}

async function fetchKernel(source: KernelSource, target: string): Promise<void> {
  await downloadKernel(source, target);
  await runScript(UNPACK, [DEPMOD], { cwd: target });
  if (source.suite === TARGETS.aarch64.suite) return;
  const vmlinuz = readdirSync(join(target, "boot")).find((name) => name.startsWith("vmlinuz-"));
  writeFileSync(join(target, VMLINUX), unpackKernel(readFileSync(join(target, "boot", vmlinuz ?? ""))));
}

async function downloadKernel({ suite, pinned, newest }: KernelSource, target: string): Promise<void> {
  try {
    return await downloadParts(pinned, target, suite);
  } catch (error) {
    const name = await newestKernel(newest, suite);
    if (name === pinned) throw error;
    console.error(`the mirror has no ${pinned} any more: tests use ${name} (test/support/kernels.ts)`);
    await downloadParts(name, target, suite);
  }
}

/** Since Debian 14, the package of a kernel is empty: its program, its modules and their tables are packages of their own. */
async function downloadParts(name: string, target: string, suite: Suite): Promise<void> {
  await withApt(async (options) => {
    const depends = await run(["apt-cache", ...options, "depends", name]);
    const version = name.replace("linux-image-", "");
    const parts = ["linux-base", "linux-binary", "linux-modules"].map((part) => `${part}-${version}`);
    const isSplit = parts.every((part) => depends.includes(`Depends: ${part}\n`));
    await run(["apt-get", ...options, "download", ...(isSplit ? parts : [name])], { cwd: target });
  }, suite);
}

async function newestKernel(metaPackage: string, suite: Suite): Promise<string> {
  const depends = await withApt((options) => run(["apt-cache", ...options, "depends", metaPackage]), suite);
  const name = /Depends: (linux-image-\d\S*)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`${metaPackage} depends on no kernel: ${depends}`);
  return name;
}
