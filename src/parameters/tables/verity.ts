import { alias, list, single, toggle } from "../parameter.ts";
import * as values from "../values.ts";
import * as verity from "../verity.ts";

/** live-boot's policies, and the options of veritytab(5) for them. */
const POLICIES: ReadonlyMap<string | null, string> = new Map([
  ["ignore", "ignore-corruption"],
  ["restart", "restart-on-corruption"],
  ["panic", "panic-on-corruption"],
]);
const HASH = "6fe0c3d2a1b4958677a8b9cadbecfd0e1f2031425364758697a8b9cadbecfd0e";
const OPTIONS =
  "superblock=no, format=, data-block-size=, hash-block-size=, data-blocks=, hash=, salt=, hash-offset=BYTES, ignore-corruption, restart-on-corruption, panic-on-corruption, ignore-zero-blocks, check-at-most-once, fec-device=DEVICE, fec-offset=BYTES, fec-roots=NUMBER, root-hash-signature=PATH (a file of the initramfs) or base64:…";

/** Roots and images that dm-verity verifies. */
export const VERITY = {
  rootHash: single(verity.rootHash, {
    syntax: "rd.verity.roothash=HASH",
    aliases: ["roothash=HASH"],
    text: "Verify the root by dm-verity: every block has to match this root hash, and nothing else becomes the root. With rd.image=, root=live: and the like, the image is verified, unless rd.verity.data= is given; otherwise a block device, which becomes /dev/mapper/root, also the default of root=.",
    example: `rd.verity.roothash=${HASH}`,
  }),
  verityData: single(values.device, {
    syntax: "rd.verity.data=DEVICE",
    aliases: ["systemd.verity_root_data=DEVICE"],
    fallback: "the partition whose PARTUUID is the first half of the root hash, else the device of root=",
    text: "The device that rd.verity.roothash= verifies.",
    example: `rd.verity.roothash=${HASH} rd.verity.data=LABEL=ROOT`,
  }),
  verityHash: single(verity.verityPlace, {
    syntax: "rd.verity.hash=DEVICE|PATH",
    aliases: ["systemd.verity_root_hash=DEVICE"],
    fallback:
      "the partition whose PARTUUID is the second half of the root hash, else any that has the tree; of an image FILE: FILE.verity",
    text: "The hash tree. It may be on the verified device itself, or in the image itself, with hash-offset= of rd.verity.options=. PATH is a file on the medium of an image.",
    example: `rd.verity.roothash=${HASH} rd.verity.hash=LABEL=HASHES`,
  }),
  verityOptions: list(verity.parseVerityOptions, {
    syntax: "rd.verity.options=OPTION[,OPTION…]",
    aliases: [
      "systemd.verity_root_options=OPTION",
      alias("dm-verity-oncorruption=ignore|restart|panic", (value) => POLICIES.get(value) ?? value),
    ],
    fallback: "a read of a damaged block fails",
    text: `Options of veritytab(5): ${OPTIONS}.`,
    example: `rd.verity.roothash=${HASH} rd.verity.options=panic-on-corruption`,
  }),
  verityImages: list(verity.namedHashes, {
    syntax: "rd.verity.image=NAME:HASH[,NAME:HASH…]",
    aliases: ["dm-verity-root-hash=NAME:HASH"],
    fallback: "with boot=live: the hash in FILE.roothash beside the image, if FILE.verity is there",
    text: "Verify image files by dm-verity: the root hash of each, by its file name. The hash tree is FILE.verity, error correction FILE.fec with its roots in FILE.fec.roots, a signature FILE.roothash.p7s. Every image of the root needs a hash then.",
    example: `boot=live rd.verity.image=filesystem.squashfs:${HASH}`,
  }),
  veritySigned: toggle({
    syntax: "rd.verity.signed[=yes|no]",
    aliases: ["dm-verity-enforce-roothash-signature"],
    text: "Refuse a root hash without a signature that the kernel accepts. Without root-hash-signature= of rd.verity.options=, the signature is taken from the verity signature partition on the disk of the root (Discoverable Partitions Specification), or from FILE.roothash.p7s beside an image.",
    example: `root=LABEL=LIVE rd.image=/root.sfs rd.verity.roothash=${HASH} rd.verity.signed`,
  }),
  usrHash: single(verity.rootHash, {
    syntax: "rd.verity.usrhash=HASH",
    aliases: ["usrhash=HASH"],
    text: "Verify /usr in the same way, as /dev/mapper/usr.",
    example: `root=LABEL=ROOT rd.verity.usrhash=${HASH}`,
  }),
  usrVerityData: single(values.device, {
    syntax: "rd.verity.usrdata=DEVICE",
    aliases: ["systemd.verity_usr_data=DEVICE"],
    fallback: "the partition whose PARTUUID is the first half of that hash",
    text: "The device that rd.verity.usrhash= verifies.",
    example: `root=LABEL=ROOT rd.verity.usrhash=${HASH} rd.verity.usrdata=LABEL=USR`,
  }),
  usrVerityHash: single(values.device, {
    syntax: "rd.verity.usrhashes=DEVICE",
    aliases: ["systemd.verity_usr_hash=DEVICE"],
    fallback: "the partition whose PARTUUID is the second half of that hash, else any that has the tree",
    text: "The hash tree of /usr.",
    example: `root=LABEL=ROOT rd.verity.usrhash=${HASH} rd.verity.usrhashes=LABEL=HASHES`,
  }),
  usrVerityOptions: list(verity.parseVerityOptions, {
    syntax: "rd.verity.usroptions=OPTION[,OPTION…]",
    aliases: ["systemd.verity_usr_options=OPTION"],
    fallback: "a read of a damaged block fails",
    text: "Options for /usr, as in rd.verity.options=.",
    example: `root=LABEL=ROOT rd.verity.usrhash=${HASH} rd.verity.usroptions=panic-on-corruption`,
  }),
};
