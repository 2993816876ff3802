import { deviceImage, type ImageRecipe, image } from "./image-recipe.ts";

const PVCREATE = "lvm pvcreate -qq --config 'devices{use_devicesfile=0} global{use_lvmpolld=0}' -y";
const LUKS = "printf k | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000";

// The daemon, its socket, lock and cache are in namespaces of their own: it meets no other daemon, and all of it ends with
// their first process. The pool is exported, and so written, before that.
const ZPOOL = (name: string) => `unshare --mount --pid --fork --kill-child --mount-proc sh -euc '
  for directory in /run /etc; do mount -t tmpfs tmpfs $directory; done; mkdir -p /run/lock /run/zfs /etc/zfs
  zfs-fuse --no-daemon & daemon=$!
  until zpool list >/dev/null 2>&1; do kill -0 $daemon; sleep 0.1; done
  zpool create -f -m none "$2" "$1"; zpool export "$2"' sh $1 ${name}`;

/** Swap space, encryption, volumes and other containers. */
export const CONTAINER_RECIPES: readonly ImageRecipe[] = [
  image("swap", 1, "mkswap -L swp $1"),
  image("swap-64k-page", 4, "mkswap -p 65536 -L big $1"),
  image("swap-hibernated", 1, "mkswap -L swp $1; printf S1SUSPEND | dd of=$1 bs=1 seek=4086 conv=notrunc status=none"),
  image("luks1", 16, `${LUKS} --type luks1 $1 -`),
  image("luks2", 32, `${LUKS} --type luks2 --label 'a label' --subsystem sub $1 -`),
  image(
    "luks2-second-header",
    32,
    `${LUKS} --type luks2 --label kept $1 -; dd if=/dev/zero of=$1 bs=4k count=1 conv=notrunc status=none`,
  ),
  image("verity", 1, "truncate -s 1M $1.data; veritysetup format --salt=- $1.data $1; rm $1.data"),
  deviceImage("lvm2", 64, `${PVCREATE} $1`),
  deviceImage("lvm2-sector-3", 64, `${PVCREATE} --labelsector 3 $1`),
  image(
    "drbd-8",
    64,
    "drbdmeta --force 0 v08 $1 internal create-md; drbdmeta --force 0 v08 $1 internal set-gi 1:2:3:4:1:1:1",
  ),
  image("drbd-9", 64, "drbdmeta --force 0 v09 $1 internal create-md 1"),
  deviceImage("bcache-backing", 16, "make-bcache -B $1"),
  deviceImage("bcache-cache", 64, "make-bcache -C $1"),
  image("zfs", 128, ZPOOL("tank")),
  image("zfs-leftover", 128, `${ZPOOL("old")}; mkfs.ext4 -q -F -E nodiscard $1`),
  image(
    "ubi",
    1,
    `mkfs.ubifs -r $2 -m 2048 -e 129024 -c 100 -o $1.fs
    printf '[a]\\nmode=ubi\\nimage=%s\\nvol_id=0\\nvol_type=dynamic\\nvol_name=a\\nvol_size=10MiB\\n' $1.fs > $1.ini
    ubinize -o $1 -m 2048 -p 128KiB -Q 12345 $1.ini; rm $1.fs $1.ini`,
  ),
  image("ext4-over-luks2", 32, `${LUKS} --type luks2 $1 -; mkfs.ext4 -q -F $1`),
  image("ext4-over-vfat", 64, "mkfs.vfat -F32 $1; mkfs.ext4 -q -F -E nodiscard $1"),
  image("vfat-and-ext4", 64, "mkfs.ext4 -q -F $1; mkfs.vfat -F16 -n BOTH $1"),
  image("xfs-over-btrfs", 320, "mkfs.btrfs -q $1; mkfs.xfs -q -f $1"),
  image("swap-and-ext4", 32, "mkfs.ext4 -q -F $1; mkswap $1"),
  image("tiny-both", 1, "mkfs.ext2 -q -F $1; mkfs.vfat -n BOTH $1"),
  image("zeros", 16, ":"),
  image(
    "random",
    16,
    "head -c 16777216 /dev/zero | openssl enc -aes-128-ctr -K 0123456789abcdef0123456789abcdef -iv 0 > $1",
  ),
];
