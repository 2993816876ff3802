import { resolve } from "node:path";
import type { Machine } from "../../machine/machine.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { describeHealth } from "../../rescue/commands/check.ts";
import { isStopped } from "../../rescue/commands/retry.ts";
import type { BootEntry } from "../boot-entries/entry.ts";
import { findBootEntries } from "../boot-entries/find-entries.ts";
import { argument, type CommandWords, command, flag, option, UsageError } from "../command-line.ts";
import { examine } from "../doctor/examine.ts";
import { statusOf } from "../doctor/finding.ts";
import { describeRows, formatRows } from "../doctor/format.ts";
import { admit, type Given, type Patient, plan } from "../doctor/patient.ts";
import { formatTrial, trialRow, tryBoot } from "../doctor/trial.ts";
import { columnsOf } from "../help.ts";
import { readHintsFile } from "../hints/schema.ts";
import { readBootImage } from "../kernels/boot-image.ts";
import { compareReleases } from "../kernels/compare-releases.ts";
import { readableFile } from "../kernels/from-file.ts";
import { writeOutput } from "../standard-output.ts";

const USUAL_TIMEOUT_S = 300;

/** `levain doctor`. The exit status is 0 if the image boots this machine, 1 if it will not, 2 if that is doubtful. */
export const doctorCommand = command({
  name: "doctor",
  description: "Check before a reboot that an image boots this machine",
  args: {
    image: argument("An initramfs or a unified kernel image (default: that of the default boot entry)", false),
    cmdline: option("TEXT", "The kernel command line (default: that of the boot entry, or of the running system)"),
    boot: flag("Try it in QEMU as well; nothing is written to the disks"),
    disk: option("FILE", "With --boot: the root is on this disk, not on this machine's; repeatable"),
    kernel: option("FILE", "The file of the kernel (default: that of the boot entry)"),
    host: option("HINTS", "Check for the machine where levain host has printed HINTS (default: this machine)"),
    timeout: option("SECONDS", `With --boot: give up after this time (default: ${USUAL_TIMEOUT_S})`),
    json: flag("Print JSON"),
  },
  examples: {
    "sudo levain doctor": "Check the image that the next boot loads; status 1: it will not boot, 2: doubtful",
    "sudo levain doctor initramfs-6.1.0-amd64.img": "Check an image before it is copied to /boot",
    "levain doctor --host hints.json other.img": "Check an image for another machine: levain host > hints.json",
    "levain doctor": "In the rescue shell: what is wrong with this image and this machine",
    "sudo levain doctor --boot": "Try the next boot in QEMU, on a view of the real disks",
  },
  run: async (line, machine) => {
    const isAsked = ["boot", "host", "json", "kernel", "cmdline"].some(line.has);
    if (line.words.length === 0 && !isAsked && isStopped(machine)) return checkHere(machine);
    const disks = line.all("disk");
    if (!line.has("boot") && disks.length > 0) throw new UsageError("--disk needs --boot");
    if (line.has("boot") && line.has("host")) throw new UsageError("--boot is for this machine, not for --host");
    const patient = chooseImage(line, machine);
    const found = examine(patient, disks.length > 0);
    const request = { files: disks, timeoutMs: readTimeout(line) };
    const isRefused = found.some((row) => row.findings.some(({ code }) => code === "plan-refused"));
    const trial = line.has("boot") && !isRefused ? await tryBoot(machine, plan(patient), request) : null;
    const rows = trial === null ? found : [...found, trialRow(trial)];
    const table = () => [
      ...(trial === null ? [] : [...formatTrial(trial), ""]),
      ...formatRows(rows, columnsOf(process.stdout)),
    ];
    const text = line.has("json")
      ? JSON.stringify({ ...describeRows(rows), trial }, null, 2)
      : table().map(printable).join("\n");
    writeOutput(`${text}\n`);
    return statusOf(rows.flatMap((row) => row.findings));
  },
});

/** In the rescue shell: the image that runs, on this machine. */
function checkHere(machine: Machine): number {
  const { lines, isFine } = describeHealth(machine);
  writeOutput(`${lines.join("\n")}\n`);
  return isFine ? 0 : 2;
}

function chooseImage(line: CommandWords, machine: Machine): Patient {
  const [hints, kernel, [given]] = [line.one("host"), line.one("kernel"), line.words];
  // With --host, the image is for another machine, and for another boot loader.
  const entries = hints === null ? findBootEntries(machine) : [];
  const more: Given = {
    cmdline: line.one("cmdline"),
    kernel: kernel === null ? null : readableFile(machine, resolve(kernel)),
    hints: hints === null ? null : readHintsFile(resolve(hints)),
  };
  const entry = given === undefined ? chooseEntry(entries) : null;
  const files = given === undefined ? (entry?.initrds ?? []) : [resolve(given)];
  const found = admit(machine, readBootImage(machine, files, entry), entries, more);
  // The boot loader may load more with it, as microcode: the kernel sees all of it.
  const all = found.entry?.initrds ?? files;
  return all.length === files.length ? found : admit(machine, readBootImage(machine, all, found.entry), entries, more);
}

const NAME_IT = "name the image: levain doctor IMAGE";

function chooseEntry(entries: readonly BootEntry[] | null): BootEntry {
  if (entries === null) {
    throw new BootError("this user may not read the boot loader's configuration", {
      hint: `run levain doctor as root, or ${NAME_IT}`,
    });
  }
  const usable = entries.filter(({ initrds }) => initrds.length > 0);
  const newest = usable.toSorted((one, other) => compareReleases(other.kernel ?? "", one.kernel ?? ""));
  const chosen = usable.find(({ isDefault }) => isDefault) ?? newest[0];
  if (chosen !== undefined) return chosen;
  throw new BootError(
    entries.length === 0
      ? "no boot entry was found: GRUB, systemd-boot, syslinux and the firmware of a Raspberry Pi have none below /boot and /efi"
      : "no boot entry has an initramfs, so there is none to check",
    { seen: entries.map(({ title, config }) => `${printable(title)} in ${config}`), hint: NAME_IT },
  );
}

function readTimeout(line: CommandWords): number {
  const given = line.one("timeout") ?? `${USUAL_TIMEOUT_S}`;
  if (!/^[1-9]\d{0,4}$/.test(given)) {
    throw new UsageError(`--timeout: expected a number of seconds but received "${given}"`);
  }
  return Number(given) * 1000;
}
