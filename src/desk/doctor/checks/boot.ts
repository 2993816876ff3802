import { bytesOrNone, readTotalMemory } from "../../../machine/small-files.ts";
import { orIfRefused } from "../../../problems/errors.ts";
import { releasesOf } from "../../kernels/boot-image.ts";
import { type Finding, finding } from "../finding.ts";
import { kernelOf, type Patient } from "../patient.ts";

/** A file of efivarfs: four bytes of attributes, and the value (UEFI specification, Globally Defined Variables). */
const SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/** Checks that firmware starts the image, that a kernel reads it, and starts levain in it. */
export function checkImage({ machine, image, hints }: Patient): readonly Finding[] {
  const { segments, problem, tree, findings } = image.inspection;
  const problems = [
    ...segments.flatMap((segment) => segment.problems),
    ...tree.problems,
    ...(problem === null ? [] : [problem.message]),
  ];
  const { init, maker } = findings;
  const isEnforced = hints === null && orIfRefused(() => bytesOrNone(machine, SECURE_BOOT)[4], 0) === 1;
  return [
    ...(isEnforced && image.unified?.isSigned === false ? [finding("image-unsigned", {})] : []),
    ...problems.map((text) => finding("image-damaged", { problem: text })),
    ...(init === null ? [finding("image-without-init", {})] : []),
    ...(init === null || init.kind === "levain" ? [] : [finding("image-foreign", { maker: maker ?? "another tool" })]),
  ];
}

/** Checks that the image has modules for the kernel that boots it. */
export function checkKernel(patient: Patient): readonly Finding[] {
  const { release } = patient;
  if (release === null) return [finding("kernel-unknown", {})];
  if (kernelOf(patient) === null) return [finding("kernel-absent", { release })];
  const releases = releasesOf(patient.image);
  if (releases.length === 0 || releases.includes(release)) return [];
  return [finding("kernel-other", { release, others: releases.join(", ") })];
}

/** Checks that the boot loader loads the image. */
export function checkEntry({ machine, image, entries, entry }: Patient): readonly Finding[] {
  if (entries === null) return [finding("entry-unreadable", {})];
  const [usual = entries[0]] = entries.filter(({ isDefault }) => isDefault);
  const file = image.files.at(-1) ?? "";
  if (usual === undefined) return [finding("entry-none", {})];
  if (entry === null) {
    const initrd = usual.initrds.at(-1) ?? "no initramfs";
    return [finding("entry-elsewhere", { image: file, entry: usual.title, initrd })];
  }
  const isThere = entry.kernel === null || machine.stat(entry.kernel)?.kind === "file";
  return [
    ...(isThere ? [] : [finding("entry-kernel-missing", { entry: entry.title, path: entry.kernel ?? "" })]),
    ...(entry.isDefault ? [] : [finding("entry-not-default", { entry: entry.title, other: usual.title })]),
    ...checkSpace(machine, file, image.files.length === 0 ? 0 : image.inspection.size),
  ];
}

function checkSpace(machine: Patient["machine"], file: string, imageBytes: number): readonly Finding[] {
  const place = file.slice(0, file.lastIndexOf("/")) || "/";
  const space = orIfRefused(() => machine.statFilesystem(place), null);
  if (space === null || space.freeBytes >= imageBytes) return [];
  return [finding("boot-full", { place, freeBytes: space.freeBytes, imageBytes })];
}

// Of the kernel's own memory, which MemTotal does not count, the estimate has at least as much.
const UNCOUNTED_BYTES = 64 << 20;

/** Checks that the machine has the memory for the image. */
export function checkMemory({ machine, image, cmdline }: Patient): readonly Finding[] {
  const totalBytes = readTotalMemory(machine);
  const { memory } = image.inspection;
  const neededBytes = /(?:^|\s)root=/.test(cmdline) ? memory.withRoot : memory.withoutRoot;
  if (totalBytes === null || totalBytes + UNCOUNTED_BYTES >= neededBytes) return [];
  return [finding("memory-short", { totalBytes, neededBytes })];
}
