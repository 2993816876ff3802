import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, recipeKey } from "../cache.ts";
import { runScript } from "../command.ts";
import { debianKernel } from "../kernels.ts";
import { smallRoot } from "../root-tree.ts";
import { DEPMOD } from "../unpacked-programs.ts";
import { LAYOUTS } from "./layouts.ts";

export type DistributionName = keyof typeof LAYOUTS;

/**
 * Arguments: a small root, the kernel's version, its file, its configuration, its modules, depmod. BusyBox and its applets in a merged /usr,
 * with the init where systemd is; the layout's own script; depmod as the distribution's package runs it.
 */
const COMMON = (layout: string) => `
small=$1 version=$2 vmlinuz=$3 config=$4 modules=$5 depmod=$6
mkdir -p usr/bin usr/sbin usr/lib/systemd usr/lib/modules boot etc var/lib
for name in bin sbin lib; do ln -s usr/$name $name; done
cp -a "$small"/bin/. usr/bin; cp -a "$small"/sbin/. usr/sbin; cp -a "$small"/usr/. usr; cp -a "$small"/etc/. etc
for name in dev proc sys run tmp mnt initrd root; do mkdir $name; done
mv usr/sbin/init usr/lib/systemd/systemd; ln -s ../lib/systemd/systemd usr/sbin/init
rm etc/os-release; ln -s ../usr/lib/os-release etc/os-release
cp -a "$modules" usr/lib/modules
after() { :; }
set -- "$version" "$vmlinuz" "$config"
${layout}
"$depmod" -b . "$version"
after "$1"
`;

/** A root filesystem with Debian's small kernel where this distribution has its own; made once. */
export async function distributionTree(
  name: DistributionName,
): Promise<{ readonly root: string; readonly version: string }> {
  const { version, vmlinuz, modulesDir } = await debianKernel("cloud");
  const [script, small] = [COMMON(LAYOUTS[name]), await smallRoot()];
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), script, version, small);
  const directory = await cached("distributions", `${name.replaceAll(" ", "-")}-${key}`, async (target) => {
    const config = join(dirname(vmlinuz), `config-${version}`);
    await runScript(script, [small, version, vmlinuz, config, modulesDir, DEPMOD], { cwd: target });
  });
  return { root: directory, version };
}
