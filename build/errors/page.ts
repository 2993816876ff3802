import { type BootError, SyscallError } from "../../src/problems/errors.ts";
import { type DIAGNOSES, problem } from "../../src/problems/problem.ts";
import { report, wrapLines } from "../../src/problems/report.ts";
import { BOOT_EXAMPLES, CHECK_EXAMPLES, DRIVER_EXAMPLES, RESCUE_EXAMPLES, VERITY_EXAMPLES } from "./boot.ts";
import { CRYPT_EXAMPLES, KEY_EXAMPLES, MAPPING_EXAMPLES } from "./crypt.ts";
import { FILESYSTEM_EXAMPLES } from "./filesystems.ts";
import {
  DOWNLOAD_EXAMPLES,
  ISCSI_EXAMPLES,
  NETWORK_EXAMPLES,
  NFS_EXAMPLES,
  NVME_EXAMPLES,
  REMOTE_EXAMPLES,
  TREE_EXAMPLES,
} from "./network.ts";
import { PERSISTENCE_EXAMPLES, STACK_EXAMPLES, STORE_EXAMPLES, SUBMOUNT_EXAMPLES, SYNC_EXAMPLES } from "./stack.ts";
import { ARRAY_EXAMPLES, RESUME_EXAMPLES, STORAGE_EXAMPLES } from "./storage.ts";

type Code = keyof typeof DIAGNOSES;

/** THE order of the page. */
export const CHAPTERS: readonly {
  readonly title: string;
  readonly examples: Readonly<Record<string, readonly object[]>>;
}[] = [
  { title: "The root device", examples: STORAGE_EXAMPLES },
  { title: "Drivers and the initramfs", examples: DRIVER_EXAMPLES },
  { title: "Parameters and steps", examples: BOOT_EXAMPLES },
  { title: "Filesystems", examples: FILESYSTEM_EXAMPLES },
  { title: "Encrypted volumes", examples: { ...CRYPT_EXAMPLES, ...KEY_EXAMPLES } },
  { title: "RAID, LVM and other mappings", examples: { ...ARRAY_EXAMPLES, ...MAPPING_EXAMPLES } },
  { title: "Images and layers", examples: STACK_EXAMPLES },
  { title: "Places for changes", examples: { ...STORE_EXAMPLES, ...PERSISTENCE_EXAMPLES, ...SYNC_EXAMPLES } },
  { title: "Mounts below the root", examples: SUBMOUNT_EXAMPLES },
  { title: "Verified roots and media", examples: { ...VERITY_EXAMPLES, ...CHECK_EXAMPLES } },
  { title: "The network", examples: NETWORK_EXAMPLES },
  { title: "Downloads", examples: DOWNLOAD_EXAMPLES },
  {
    title: "Disks and roots on servers",
    examples: { ...NFS_EXAMPLES, ...REMOTE_EXAMPLES, ...ISCSI_EXAMPLES, ...NVME_EXAMPLES, ...TREE_EXAMPLES },
  },
  { title: "Hibernation", examples: RESUME_EXAMPLES },
  { title: "The rescue shell", examples: RESCUE_EXAMPLES },
];

/** Problems that say what failed, while another error says why: such an error. */
const CAUSES: Readonly<Record<string, () => unknown>> = {
  "step-failed": () => new SyscallError("mkdir", "ENOSPC", "/run/levain"),
  "image-not-mounted": () => example("mount-refused", { ...FILESYSTEM_EXAMPLES["mount-refused"][2] }),
  "volume-locked": () => example("passphrases-wrong", { count: 3 }),
  "verity-not-opened": () => example("verity-wrong-root-hash", { name: "root.squashfs" }),
  "signature-not-checked": () => example("certificate-missing", { ...CHECK_EXAMPLES["certificate-missing"][0] }),
  "root-lacks-directory": () => new SyscallError("mkdir", "EROFS", "/sysroot/proc"),
  "submount-refused": () => new SyscallError("mount", "EINVAL", "/opt"),
  "tmpfs-refused": () => new SyscallError("mount", "EINVAL", "/run/levain/overlay"),
  "place-not-mounted": () => new SyscallError("mount", "ENODEV", "/sys"),
  "run-not-writable": () => new SyscallError("mkdir", "ENOSPC", "/run/levain"),
};

const HEAD = `# Error messages

<!-- Made from the tables in src/problems and the examples in build/errors by build/docs.ts: \`make docs\`. Do not edit. -->

Every problem that stops a boot, as levain reports it: what failed, why, and behind \`hint:\` what to try. Names, sizes and
numbers are examples. Search this page for the first line of your report; where one line has several causes, there is a report
for each. \`seen:\`, which lists the devices that are there, is left out here.

- Hints that need a shell are left out of the report where \`rdshell=0\` forbids one.
- [rescue.md](rescue.md) explains the rescue shell, and messages that stop nothing.
- Mistakes that a command reports on a running system (\`levain image\`, \`levain usb\`) are not listed here.
`;

/** Returns docs/errors.md. */
export function formatErrorsPage(): string {
  const titles = new Set<string>();
  const chapters = CHAPTERS.map(({ title, examples }) => {
    const entries = Object.entries(examples).map(([code, facts]) => formatEntry(code as Code, facts, titles));
    return `## ${title}\n\n${entries.join("\n")}`;
  });
  return `${HEAD}\n${chapters.join("\n")}`;
}

/** The first line of its report is the title, and a reason where another problem has that. */
function formatEntry(code: Code, facts: readonly object[], titles: Set<string>): string {
  const reports = facts.map((each) => report(example(code, each)));
  const [first = "", second = ""] = reports[0] ?? [];
  const title = titles.has(first) ? `${first}: ${second.trim()}` : first;
  titles.add(title);
  const blocks = reports.map((lines) => `\`\`\`\n${wrapLines(lines).join("\n")}\n\`\`\`\n`);
  return `### ${title.replaceAll(/[<>*_[\]]/g, "\\$&")}\n\n<a id="${code}"></a>\n\n${blocks.join("\n")}`;
}

function example(code: Code, facts: object): BootError {
  return problem(code, facts as never, { cause: CAUSES[code]?.() });
}
