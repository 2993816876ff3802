import { distinct, listNames } from "../causes/cause.ts";
import {
  DAMAGED_IMAGE,
  hintsForRepair,
  MOUNT_CAUSES,
  type MountCause,
  type Role,
  WITHOUT_FSTAB,
} from "../causes/mount.ts";
import { byHand, diagnosis, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";
import type { Hint } from "../errors.ts";
import { notSupportedYet, useOtherInitramfs } from "../not-supported.ts";
import { printable } from "../report.ts";

interface RefusedMount {
  readonly node: string;
  readonly place: string;
  readonly role: Role;
  readonly hasOptions: boolean;
  /** One for each type that was tried. */
  readonly refusals: readonly {
    readonly type: string;
    readonly errno: string;
    /** The errno in words. */
    readonly why: string;
    readonly cause: MountCause | null;
  }[];
  /** What the kernel logged meanwhile. */
  readonly kernel: readonly string[];
}

function explainRefusals({ refusals, kernel, node, role }: RefusedMount): readonly string[] {
  const lines = refusals.map(({ type, errno, why, cause }) => {
    if (cause === null) return `${type}: ${why}`;
    return `${type}: ${MOUNT_CAUSES[cause.kind].reason({ ...cause, node, role, type })} (${errno})`;
  });
  return [...lines, ...kernel.map((line) => `kernel: ${line}`)];
}

const CORRECT_OPTIONS = {
  root: inBootLoader("correct rootflags="),
  submount: inBuilder("correct its options in /etc/fstab of the root, or in rd.mount="),
};

function hintsForRefusals({ refusals, node, role, hasOptions }: RefusedMount): readonly Hint[] {
  const known = refusals.flatMap(({ type, cause }) =>
    cause === null ? [] : MOUNT_CAUSES[cause.kind].hints({ ...cause, node, role, type }),
  );
  const without = role === "submount" ? WITHOUT_FSTAB : [];
  if (known.length > 0) return distinct([...known, ...without]);
  const options = hasOptions ? [CORRECT_OPTIONS[role === "submount" ? role : "root"]] : [];
  return distinct([...options, ...refusals.flatMap(({ type }) => hintsForRepair({ node, role, type })), ...without]);
}

/** A device with contradicting signatures; `type` is the only one that can be a filesystem, or null. */
type Ambivalent = Readonly<{ node: string; types: readonly string[]; type: string | null; role: Role }>;

function hintsForAmbivalence({ node, types, type, role }: Ambivalent): readonly Hint[] {
  const chosen = type ?? "TYPE";
  const stale = type === null ? "TYPE" : types.filter((other) => other !== type).join(",");
  const wipe = byHand(`remove the stale signature with wipefs --all --types ${stale} DEVICE on another machine`);
  if (role !== "root") return [wipe];
  return [
    inBootLoader(`name its path and its type: root=${node} rootfstype=${chosen}`),
    inShell(`try that with \`levain retry root=${node} rootfstype=${chosen}\``),
    wipe,
  ];
}

/** What names a device. */
const PARAMETERS: Readonly<Record<Role, string>> = {
  root: "root=",
  layer: "rd.layer=",
  image: "root=",
  store: "rd.overlay= or rd.union=",
  submount: "mount.usr=, or in /etc/fstab of the root",
};

/** How errors were left, by fsck.repair=. */
const LEFT = {
  preen: "does not repair automatically",
  yes: "cannot repair",
  no: "may not repair: fsck.repair=no",
} as const;

/** What stops a mount or the check before it. */
export const FILESYSTEMS = {
  "place-missing": diagnosis<{ place: string }>({
    text: ({ place }) => `could not create ${place} to mount at`,
    hints: ({ place }) => [inBuilder(`create the directory ${place} in the initramfs`)],
  }),
  "mount-refused": diagnosis<RefusedMount>({
    text: ({ node, place }) => `could not mount ${node} at ${place}`,
    reasons: explainRefusals,
    hints: hintsForRefusals,
  }),
  "not-a-filesystem": diagnosis<{ node: string; what: string; layer: string | null; role: Role }>({
    text: ({ node }) => `could not mount ${node}`,
    reasons: ({ what, layer }) => [
      `it is ${what} and holds no files of its own`,
      ...(layer === null ? [] : [notSupportedYet(layer)]),
    ],
    hints: ({ layer, role }) => {
      if (layer !== null) return [useOtherInitramfs(layer)];
      return [inBootLoader(`name a device with a filesystem in ${PARAMETERS[role]}`)];
    },
  }),
  "filesystem-ambivalent": diagnosis<Ambivalent>({
    text: ({ node }) => `could not mount ${node}`,
    reasons: ({ types }) => [
      `it is ambivalent: it has the signatures of ${types.join(" and ")}, and one of them is stale`,
    ],
    hints: hintsForAmbivalence,
  }),
  "device-unreadable": diagnosis<{ node: string; why: string }>({
    text: ({ node }) => `could not mount ${node}`,
    reasons: ({ why }) => [`its content cannot be read: ${why}`],
    hints: () => [byHand("check the disk and its cable")],
  }),
  "filesystem-unknown": diagnosis<{
    node: string;
    table: string | null;
    /** The partitions of the table that the kernel shows, described. */
    partitions: readonly string[];
    /** True for the content of an encrypted volume. */
    isUnlocked: boolean;
    role: Role;
  }>({
    text: ({ node }) => `could not mount ${node}`,
    reasons: ({ table, isUnlocked, partitions }) => [
      table === null
        ? `${isUnlocked ? "it is unlocked, but holds" : "it holds"} nothing that levain knows, and no type was given`
        : `it holds a ${table} partition table, and no type was given`,
      ...(partitions.length === 0 ? [] : [`its partitions: ${listNames(partitions)}`]),
    ],
    hints: ({ role, table, isUnlocked }) => {
      if (role === "image")
        return table === null ? [DAMAGED_IMAGE] : [byHand("make an image of one partition, not of the disk")];
      if (role !== "root") return [inBootLoader(`name a device with a filesystem in ${PARAMETERS[role]}`)];
      const type = inBootLoader("give the type with rootfstype=");
      if (table !== null) return [inBootLoader("name a partition in root="), type];
      if (!isUnlocked) return [inBootLoader("correct root= if this is not the right device"), type];
      return [
        byHand("check that the volume holds a filesystem, and for plain dm-crypt the passphrase and its options"),
        type,
      ];
    },
  }),
  "filesystem-has-errors": diagnosis<{
    node: string;
    program: string;
    status: number;
    /** The last lines that the program wrote. */
    output: readonly string[];
    /** fsck.repair= */
    repair: "preen" | "yes" | "no";
  }>({
    text: ({ node, repair }) => `the filesystem on ${node} has errors that fsck ${LEFT[repair]}`,
    reasons: ({ program, status, output }) =>
      output.length > 0 ? output.map(printable) : [`${program} ended with status ${status}`],
    hints: ({ node, program, repair }) => [
      inShell(`run \`${program} ${node}\`, then \`levain retry\``),
      ...(repair === "yes"
        ? []
        : [inBootLoader("add fsck.repair=yes to repair everything, which may lose damaged files")]),
      byHand("repair the filesystem on another machine"),
    ],
  }),
};
