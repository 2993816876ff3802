import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { unpackedPackages } from "../support/debian-packages.ts";
import { debianRoot } from "../support/debian-root.ts";
import { debianKernel } from "../support/kernels.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

// The real kernel-install, in a system that has nothing of dpkg: the script of systemd 252, and the program of 257.

const ID = "6c657661696e40008000000000000001";

/** Arguments: the layers of the system, a kernel's modules, its version, its file, levain, BusyBox, a directory that gets what is said, what to do there. */
const IN_SYSTEM = `
mount -t tmpfs none /mnt; mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" none /mnt/root
cd /mnt/root; rm -rf var/lib/dpkg; mkdir -p boot/loader/entries usr/lib/modules
mount -t proc proc proc; mount --bind /dev dev; mount -t tmpfs none tmp
cp -r "$2" usr/lib/modules; cp "$4" "usr/lib/modules/$3/vmlinuz"; cp "$5" usr/bin/levain; cp "$6" usr/bin/busybox; mount --bind "$7" srv
echo ${ID} > etc/machine-id; echo type1 > boot/loader/entries.srel; echo root=LABEL=ROOT > etc/kernel/cmdline
mkdir -p usr/lib/kernel/install.conf.d; echo initrd_generator=dracut > usr/lib/kernel/install.conf.d/50-vendor.conf
exec chroot . /bin/sh -euxc "$8" sh "$3"`;

const COMMON = `
kernel=/usr/lib/modules/$1/vmlinuz entry=/boot/loader/entries/${ID}-$1.conf
field() { sed -n "s/^$1 *//p" $entry; }
levain install
kernel-install add $1 $kernel
cp $entry /srv/entry
cmp $(field linux) $kernel
levain inspect $(field initrd) > /srv/inspected
sha256sum $(field initrd) > /srv/sums
echo 'modules = ["no_such_module"]' > /etc/levain.toml
if kernel-install add $1 $kernel 2> /srv/refused; then exit 1; fi
rm /etc/levain.toml
sha256sum -c /srv/sums
initrd=$(field initrd)
kernel-install remove $1
test ! -e $entry; test ! -e $initrd
configure() { printf '%s\\n' initrd_generator=levain "$@" > /etc/kernel/install.conf; }
configure layout=other
cp $kernel /boot/vmlinuz-$1
kernel-install add $1 $kernel
test -s /boot/initramfs-$1.img
kernel-install remove $1
test ! -e /boot/initramfs-$1.img; rm /boot/vmlinuz-$1`;

const UNIFIED = `
configure layout=uki uki_generator=levain
kernel-install add $1 $kernel
levain inspect /boot/EFI/Linux/${ID}-$1.efi > /srv/unified
kernel-install remove $1
test ! -e /boot/EFI/Linux/${ID}-$1.efi`;

const END = `
levain uninstall
if grep -r levain /etc/kernel; then exit 1; fi`;

test.each(["252", "257"])(
  "kernel-install of systemd %s adds and removes kernels with levain's images, and keeps the last good one",
  async (version) => {
    const own = await debianRoot();
    const isNew = version === "257";
    const newer = isNew ? [join(await unpackedPackages(["systemd", "systemd-boot-efi"], "trixie"), "root")] : [];
    const { modulesDir, version: kernel, vmlinuz } = await debianKernel("cloud");
    const place = scratchDirectory();
    const apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"];
    const files = [modulesDir, kernel, vmlinuz, LEVAIN, BUSYBOX, place];
    const script = `test "$(kernel-install --version | sed -n 's/.* \\(${version}\\)[. ].*/\\1/p')"${COMMON}${isNew ? UNIFIED : ""}${END}`;
    await run([...apart, "/bin/sh", "-euc", IN_SYSTEM, "sh", [...newer, own].join(":"), ...files, script]);
    const said = (name: string) => readFileSync(join(place, name), "utf8");
    expect(said("entry")).toContain(`version    ${kernel}\n`);
    expect(said("entry")).toMatch(/^options +root=LABEL=ROOT/m);
    expect(said("inspected")).toContain(kernel);
    expect(said("refused")).toContain('no module or alias "no_such_module"');
    if (isNew) expect(said("unified")).toContain("root=LABEL=ROOT");
  },
  QUEUE_TIMEOUT_MS,
);
