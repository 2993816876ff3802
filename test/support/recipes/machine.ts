import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "../cache.ts";
import { run, runScript } from "../command.ts";
import { installDebian } from "../debian-root.ts";
import { debianKernel } from "../kernels.ts";
import { LEVAIN } from "../levain-image.ts";
import { recipePackages } from "./blocks.ts";

const UNUSED = ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"];

/** The /sbin/init of a system that is copied: it says where it is, and then is a shell that a test can ask for more. */
export const COPY_INIT = `#!/bin/sh
while read -r source target type options rest; do
  echo "copy: mount $target $type $source $options"
done < /proc/mounts
echo "copy: ready"
exec busybox setsid busybox cttyhack /bin/sh -i
`;

/** A Debian 12 with the packages that docs/recipes.md names, a kernel, and an init that prints "copy: …" lines. Needs root; minutes the first time. */
async function recipeMachine(): Promise<string> {
  const { modulesDir, version, vmlinuz } = await debianKernel("cloud");
  const packages = recipePackages();
  const directory = await cached("recipe-machines", recipeKey(packages, version, COPY_INIT, UNUSED), async (target) => {
    const root = join(target, "root");
    await installDebian(root, packages.join(","));
    for (const path of UNUSED) rmSync(join(root, path), { recursive: true, force: true });
    for (const path of ["lib/modules", "boot"]) mkdirSync(join(root, path), { recursive: true });
    await runScript('cp -a "$1" "$3/lib/modules/"; cp "$2" "$3/boot/"', [modulesDir, vmlinuz, root]);
    writeFileSync(join(root, "sbin/init"), COPY_INIT);
    chmodSync(join(root, "sbin/init"), 0o755);
    writeFileSync(join(root, "etc/fstab"), "LABEL=OLD-DISK / ext4 defaults 0 1\n");
    writeFileSync(join(root, "usr/local/bin/levain"), "");
  });
  return join(directory, "root");
}

// $1 is the root of the machine, $2 a directory of the host that is its /var/tmp, $3 levain, $4 the script. All mounts end with it.
const ENTER = `
mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"
mount --bind "$2" "$1/var/tmp"; mount --bind "$3" "$1/usr/local/bin/levain"
mount -t proc proc "$1/proc"; mount -t sysfs sysfs "$1/sys"
for place in dev run tmp; do mount -t tmpfs tmpfs "$1/$place"; done
mknod -m 666 "$1/dev/null" c 1 3; mknod -m 666 "$1/dev/zero" c 1 5; mknod -m 666 "$1/dev/urandom" c 1 9
mknod -m 666 "$1/dev/random" c 1 8
ln -s /var/tmp/sdX "$1/dev/sdX"
exec chroot "$1" /bin/sh -euc "$4"
`;

/**
 * Runs the commands of a recipe as a user would on a Debian 12 machine, as root, in /var/tmp. `directory` of the host is that
 * /var/tmp; what is written to /dev/sdX is then its file sdX.
 */
export async function runOnRecipeMachine(script: string, directory: string): Promise<string> {
  const { version } = await debianKernel("cloud");
  // The machine's kernel is not that of the host.
  const uname = `uname() { [ "$*" = -r ] && echo ${version} || command uname "$@"; }`;
  const apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"];
  const inside = `${uname}\ncd /var/tmp\n${script}`;
  return run([...apart, "/bin/sh", "-euc", ENTER, "sh", await recipeMachine(), directory, LEVAIN, inside], {
    environment: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
  });
}
