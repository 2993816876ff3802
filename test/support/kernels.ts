import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Architecture } from "../../src/desk/qemu/machines.ts";
import { cached } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { type Suite, withApt } from "./debian-packages.ts";
import { GUEST_ARCHITECTURE, TARGETS } from "./guest-architecture.ts";
import { DEPMOD } from "./unpacked-programs.ts";
import { unpackKernel } from "./vmlinux.ts";

/** Debian's kernels: "cloud" is small and knows virtio and NVMe only, "full" has every driver, "trixie" is the small one of Debian 13. */
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
const KERNELS = {
  cloud: ["linux-image-cloud", "own"],
  full: ["linux-image", "own"],
  trixie: ["linux-image-cloud", "trixie"],
} as const satisfies Readonly<Record<string, readonly [metaPackage: string, suite: Suite]>>;

/** Fetches Debian's newest kernel of this flavour into the cache without installing it; afterwards it is there at once. */
export async function debianKernel(
  flavour: KernelFlavour,
  architecture: Architecture = GUEST_ARCHITECTURE,
): Promise<Kernel> {
  const [name, release] = KERNELS[flavour];
  const { debian, suite } = TARGETS[architecture];
  if (suite !== "own" && release !== "own") throw new Error(`tests have no kernel "${flavour}" for ${architecture}`);
  const key = architecture === "x86_64" ? `${flavour}-with-vmlinux` : `${flavour}-${architecture}`;
  const directory = await cached("kernels", key, (target) =>
    fetchKernel([`${name}-${debian}`, suite === "own" ? release : suite], target),
  );
  const version = readdirSync(join(directory, "lib/modules"))[0];
  if (version === undefined) throw new Error(`no kernel in ${directory}: remove it and try again`);
  return {
    vmlinuz: join(directory, `boot/vmlinuz-${version}`),
    vmlinux: join(directory, architecture === "x86_64" ? VMLINUX : `boot/vmlinuz-${version}`),
    modulesDir: join(directory, "lib/modules", version),
    version,
  };
}

async function fetchKernel([metaPackage, suite]: readonly [string, Suite], target: string): Promise<void> {
  await withApt(async (options) => {
    const depends = await run(["apt-cache", ...options, "depends", metaPackage]);
    const name = /Depends: (linux-image-\d\S*)/.exec(depends)?.[1];
    if (name === undefined) throw new Error(`${metaPackage} depends on no kernel: ${depends}`);
    await run(["apt-get", ...options, "download", name], { cwd: target });
  }, suite);
  await runScript(
    `dpkg -x linux-image-*.deb . && rm linux-image-*.deb && { [ ! -d usr/lib/modules ] || mv usr/lib .; } && rm -rf usr && for d in lib/modules/*; do "$1" -b . "\${d##*/}"; done`,
    [DEPMOD],
    { cwd: target },
  );
  if (suite === TARGETS.aarch64.suite) return;
  const vmlinuz = readdirSync(join(target, "boot")).find((name) => name.startsWith("vmlinuz-"));
  writeFileSync(join(target, VMLINUX), unpackKernel(readFileSync(join(target, "boot", vmlinuz ?? ""))));
}
