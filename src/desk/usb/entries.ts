import { findPartition, type Layout } from "./layout.ts";

/** What the kernel command line of a stick depends on. */
export interface Stick {
  /** The label of the FAT. */
  readonly label: string;
  readonly layout: Layout;
  /** UUIDs of the LUKS volumes; null: not encrypted. */
  readonly volumes: { readonly root: string; readonly changes: string | null } | null;
  readonly rootHash: string | null;
  /** More parameters, as the user gave them. */
  readonly cmdline: readonly string[];
}

/** The file of the root image on a FAT, and the files that boot it. */
export const ROOT_FILE = "root.img";
export const KERNEL_FILE = "vmlinuz";
export const INITRAMFS_FILE = "initrd.img";

const ROOT_VOLUME = "stick";
const CHANGES_VOLUME = "changes";
/** A shell before the root is mounted, with all messages. */
const RESCUE_PARAMETERS = ["rd.break=mount", "rd.debug", "loglevel=7"];
const MENU_SECONDS = 3;

/** Returns the parameters with which levain boots a stick. */
export function listParameters({ label, layout, volumes, rootHash, cmdline }: Stick): readonly string[] {
  const partUuid = (role: "root" | "hashes" | "changes") => findPartition(layout, role)?.partUuid ?? null;
  const [root, hashes, changes] = [partUuid("root"), partUuid("hashes"), partUuid("changes")];
  const device = volumes === null ? `PARTUUID=${root}` : `/dev/mapper/${ROOT_VOLUME}`;
  const store = volumes === null ? `PARTUUID=${changes}` : `/dev/mapper/${CHANGES_VOLUME}`;
  return [
    ...(volumes === null ? [] : [`rd.luks.name=${volumes.root}=${ROOT_VOLUME}`]),
    ...(volumes === null || volumes.changes === null ? [] : [`rd.luks.name=${volumes.changes}=${CHANGES_VOLUME}`]),
    ...(root === null ? [`root=LABEL=${label}`, `rd.image=/${ROOT_FILE}`] : []),
    ...(root === null || rootHash !== null ? [] : [`root=${device}`]),
    ...(rootHash === null ? [] : [`rd.verity.roothash=${rootHash}`]),
    ...(rootHash === null || hashes === null ? [] : [`rd.verity.data=${device}`, `rd.verity.hash=PARTUUID=${hashes}`]),
    changes === null ? "rd.overlay" : `rd.overlay=${store}`,
    ...cmdline,
  ];
}

/** The entries of a boot menu: the system, and a shell. */
function listEntries(stick: Stick) {
  const parameters = listParameters(stick);
  const { label } = stick;
  return [
    { id: "levain", title: label, parameters: parameters.join(" ") },
    { id: "rescue", title: `${label}, rescue shell`, parameters: [...parameters, ...RESCUE_PARAMETERS].join(" ") },
  ];
}

/** A file of text on the FAT, by its path there. */
export type TextFiles = Readonly<Record<string, string>>;

/** Formats the menu for systemd-boot: a file for each entry (UAPI Boot Loader Specification). */
export function formatSystemdBoot(stick: Stick): TextFiles {
  const entries = listEntries(stick).map(({ id, title, parameters }) => {
    const files = `linux   /${KERNEL_FILE}\ninitrd  /${INITRAMFS_FILE}`;
    return [`loader/entries/${id}.conf`, `title   ${title}\n${files}\noptions ${parameters}\n`];
  });
  const loader = `default levain.conf\ntimeout ${MENU_SECONDS}\neditor no\n`;
  return { "loader/loader.conf": loader, ...Object.fromEntries(entries) };
}

/** Formats the menu for syslinux; `menu` is the module that draws it, or null. */
export function formatSyslinux(stick: Stick, menu: string | null): TextFiles {
  const entries = listEntries(stick).map(({ id, title, parameters }) =>
    [
      `LABEL ${id}`,
      `  MENU LABEL ${title}`,
      `  LINUX /${KERNEL_FILE}`,
      `  INITRD /${INITRAMFS_FILE}`,
      `  APPEND ${parameters}`,
    ].join("\n"),
  );
  const head = [...(menu === null ? ["PROMPT 1"] : [`UI ${menu}`]), "DEFAULT levain", `TIMEOUT ${MENU_SECONDS * 10}`];
  return { "syslinux.cfg": `${[...head, ...entries].join("\n")}\n` };
}

/** Formats the menu for GRUB. Its shell would interpret some characters of parameters, so they are quoted. */
export function formatGrub(stick: Stick): TextFiles {
  const entries = listEntries(stick).map(({ id, title, parameters }) => {
    const words = parameters.split(" ").map(quoteForGrub).join(" ");
    return `menuentry ${quoteForGrub(title)} --id ${id} {\n  linux /${KERNEL_FILE} ${words}\n  initrd /${INITRAMFS_FILE}\n}`;
  });
  return { "boot/grub/grub.cfg": `${[`set timeout=${MENU_SECONDS}`, "set default=levain", ...entries].join("\n")}\n` };
}

/** Quotes a word for GRUB, if it needs that; inside single quotes, only a single quote is special (GRUB manual, 6.1.3). */
function quoteForGrub(word: string): string {
  return /^[\w/=.,:+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
