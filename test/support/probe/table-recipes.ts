import { deviceImage, type ImageRecipe, image } from "./image-recipe.ts";

const FDISK = (commands: string) => `printf '${commands}' | sfdisk -q --no-tell-kernel $1`;

/** Partition tables, by sfdisk, sgdisk and parted. */
export const TABLE_RECIPES: readonly ImageRecipe[] = [
  image("gpt", 64, "sgdisk -n 1:2048:+8M -c 1:'EFI sys' -t 1:ef00 -A 1:set:2 -n 4:0:0 -c 4:'root ä 😀' $1"),
  image(
    "gpt-primary-lost",
    64,
    "sgdisk -n 1:2048:+8M -c 1:kept $1; dd if=/dev/zero of=$1 bs=512 seek=1 count=1 conv=notrunc status=none",
  ),
  image(
    "gpt-entries-damaged",
    64,
    "sgdisk -n 1:2048:+8M -c 1:kept $1; printf X | dd of=$1 bs=1 seek=1100 conv=notrunc status=none",
  ),
  image(
    "gpt-lost",
    64,
    `sgdisk -n 1:2048:+8M $1; dd if=/dev/zero of=$1 bs=512 seek=1 count=1 conv=notrunc status=none
    dd if=/dev/zero of=$1 bs=512 seek=131071 count=1 conv=notrunc status=none`,
  ),
  image(
    "gpt-without-pmbr",
    64,
    "sgdisk -n 1:2048:+8M $1; dd if=/dev/zero of=$1 bs=512 count=1 conv=notrunc status=none",
  ),
  image("gpt-hybrid", 64, "sgdisk -n 1:2048:+8M -n 2:0:+8M -h 1:2 $1"),
  image("dos", 64, FDISK("label: dos\\n2048,8M,c,*\\n,,E\\n,4M\\n,5M\\n,6M\\n")),
  image("dos-primary", 64, FDISK("label: dos\\nlabel-id: 0xabcdef01\\n2048,8M,83\\n,8M,82\\n,8M,83\\n,8M,fd\\n")),
  image("dos-without-id", 64, FDISK("label: dos\\nlabel-id: 0x0\\n2048,8M\\n,4M,E\\n,,83\\n")),
  image("dos-tiny", 1, FDISK("label: dos\\n64,512K\\n")),
  image(
    "dos-freebsd",
    64,
    `${FDISK("label: dos\\n2048,32M,a5\\n,,83\\n")}
    truncate -s 32M $1.p; parted -s $1.p mklabel bsd mkpart ext2 1MiB 8MiB mkpart ext2 8MiB 16MiB
    dd if=$1.p of=$1 bs=512 seek=2048 count=16 conv=notrunc status=none; rm $1.p`,
  ),
  image("bsd", 64, "parted -s $1 mklabel bsd mkpart ext2 1MiB 8MiB mkpart ext2 8MiB 16MiB"),
  image("mac", 64, "parted -s $1 mklabel mac mkpart \"'a name'\" ext2 1MiB 8MiB mkpart b ext2 8MiB 16MiB"),
  image("sun", 64, FDISK("label: sun\\n,16M,83\\n,,82\\n")),
  image("sun-parted", 64, "parted -s $1 mklabel sun mkpart 0% 50% mkpart 50% 100%"),
  image("sgi", 64, FDISK("label: sgi\\n,16M,83\\n,,82\\n")),
  image("atari", 64, "parted -s $1 mklabel atari mkpart primary ext2 1MiB 8MiB mkpart primary ext2 8MiB 16MiB"),
  image(
    "isohybrid",
    2,
    "xorriso -as mkisofs -quiet -V HYBRID -partition_offset 16 -append_partition 2 0xef $2/a -o $1 $2",
  ),
  deviceImage(
    "lvm2-and-gpt",
    64,
    "lvm pvcreate -qq --config 'devices{use_devicesfile=0}' --labelsector 3 -y $1",
    `dd if=$1 of=$1.l bs=512 count=4 status=none; sgdisk -n 1:2048:+8M $1 >/dev/null
    dd if=$1.l of=$1 bs=512 skip=3 seek=3 count=1 conv=notrunc status=none; rm $1.l`,
  ),
  deviceImage(
    "lvm2-and-dos",
    64,
    "lvm pvcreate -qq --config 'devices{use_devicesfile=0}' -y $1",
    FDISK("label: dos\\n2048,8M\\n").replace("sfdisk", "sfdisk --wipe never"),
  ),
];
