import { VERIFIED_HINTS, WRITE_AGAIN } from "../causes/verity.ts";
import { byHand, diagnosis, inBootLoader, inBuilder } from "../diagnosis.ts";
import { printable } from "../report.ts";

const SAME_MEDIUM = inBootLoader(
  "correct roothash= (rd.verity.roothash=): it is the hash that veritysetup printed for this very image",
);
/** What to do about a part of the root that nothing verifies. */
const UNVERIFIED_PART = {
  layer: [inBootLoader("remove rd.layer=, or the root hash")],
  usr: [inBootLoader("give the root hash of /usr, too: usrhash=HASH")],
  fstab: [
    inBuilder("remove x-initrd.mount from its line in /etc/fstab, so that the real init mounts it"),
    inBootLoader("boot without the lines of /etc/fstab: rd.fstab=no"),
  ],
  mount: [inBootLoader("remove rd.mount=, or the root hash")],
} as const;

interface Named {
  /** The device, or the path of the image. */
  readonly name: string;
}

/** What keeps a verified root from being used. */
export const VERITY = {
  "verity-device-missing": diagnosis<{
    name: string;
    part: "data device" | "hash tree" | "error correction";
    spec: string;
  }>({
    text: ({ name, part, spec }) => `the ${part} of the verified ${name}, ${spec}, did not appear`,
    hints: () => [byHand("attach the disk"), ...VERIFIED_HINTS],
  }),
  "verity-not-opened": diagnosis<Named>(({ name }) => `could not verify ${printable(name)} by dm-verity`),
  "verity-no-superblock": diagnosis<Named & { offset: number }>({
    text: ({ name, offset }) => `there is no verity superblock on ${printable(name)} at byte ${offset}`,
    hints: () => [
      inBootLoader("correct rd.verity.hash= and hash-offset=, or give superblock=no with the parameters of the tree"),
    ],
  }),
  "verity-too-short": diagnosis<Named & { bytes: number; neededBytes: number }>({
    text: ({ name, bytes, neededBytes }) =>
      `${printable(name)} is too short: ${bytes} of ${neededBytes} bytes are there`,
    hints: () => [WRITE_AGAIN],
  }),
  "verity-unknown-hash": diagnosis<{ algorithm: string; digits: number }>({
    text: ({ algorithm, digits }) =>
      `a root hash of ${digits} digits does not belong to a tree of ${printable(algorithm)}`,
    hints: () => [SAME_MEDIUM],
  }),
  "verity-wrong-root-hash": diagnosis<Named>({
    text: ({ name }) => `the hash tree on ${printable(name)} does not match the root hash`,
    reasons: () => ["the root hash is that of another image, or the tree was damaged or changed"],
    hints: () => [SAME_MEDIUM, WRITE_AGAIN],
  }),
  "verity-other-data": diagnosis<Named>({
    text: ({ name }) => `the data on ${printable(name)} do not match the hash tree: the first block differs`,
    reasons: () => [
      "the tree belongs to other data, or the data were damaged or changed, for instance by a mount that wrote to them",
    ],
    hints: () => [WRITE_AGAIN],
  }),
  "verity-signature-missing": diagnosis<Named>({
    text: ({ name }) => `there is no signature of the root hash: ${printable(name)}`,
    hints: () => [
      inBootLoader("remove rd.verity.signed or dm-verity-enforce-roothash-signature"),
      inBuilder("add the signature"),
    ],
  }),
  "verity-signature-refused": diagnosis<Named & { why: string }>({
    text: ({ name, why }) => `the kernel refused the signature of the root hash of ${printable(name)}: ${why}`,
    hints: () => [
      inBuilder("sign the root hash with a key whose certificate is built into the kernel (its trusted keyring)"),
    ],
  }),
  "verity-image-without-hash": diagnosis<Named>({
    text: ({ name }) => `no root hash is given for ${printable(name)}, which would be a part of the verified root`,
    hints: () => [inBootLoader("add it: rd.verity.image=NAME:HASH"), inBootLoader("remove this layer")],
  }),
  "verity-no-tree": diagnosis<Named & { tree: string }>({
    text: ({ name, tree }) => `the image ${printable(name)} has no hash tree ${printable(tree)}`,
    hints: () => [
      byHand("copy the hash tree to the medium, beside the image"),
      inBootLoader("correct rd.verity.hash=, or give hash-offset= if the tree is in the image itself"),
    ],
  }),
  "verity-part-outside": diagnosis<{ outside: readonly string[]; part: keyof typeof UNVERIFIED_PART }>({
    text: ({ outside }) => `${outside.join(" and ")} would be a part of the verified root, but nothing verifies it`,
    hints: ({ part }) => UNVERIFIED_PART[part],
  }),
  "medium-damaged": diagnosis<Named & { offset: number }>({
    text: ({ name, offset }) => `the medium is damaged: ${printable(name)} at byte ${offset}`,
    hints: () => [WRITE_AGAIN],
  }),
};
