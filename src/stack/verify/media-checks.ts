import { readDeviceEntry, withReader } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { findFileIn } from "../../filesystems/resolve.ts";
import { type IsoChecksum, readIsoChecksum } from "../../formats/checks/iso-checksum.ts";
import type { Machine } from "../../machine/machine.ts";
import type { ChecksPlan } from "../../plan/checks/plan.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import type { CheckedMedium } from "./checked-medium.ts";
import { cmsCheck } from "./cms-check.ts";
import { type CheckedFile, readChecked, type SkipKey, watchSkipKey } from "./read-checked.ts";
import { digestCheck, isoCheck, type StreamCheck } from "./stream-check.ts";
import { findSums, type Sums } from "./sums.ts";

/** The checks of images, which are read when they are copied, or before they are mounted. */
export interface ImageChecks {
  /** Returns new checks of an image; `file`: from the initramfs. Throws BootError if one cannot be made. */
  of(path: string, file: string): readonly StreamCheck[];
  /** Reads an image that is not copied. */
  read(path: string, file: string, checks: readonly StreamCheck[]): void;
}

/** Checks the medium but for its images, and returns the checks of these. Throws BootError for damage. */
export function checkMedium(context: Context, plan: ChecksPlan, medium: CheckedMedium): ImageChecks {
  const { machine } = context;
  const skipper = createSkipper(context);
  const sums = plan.sums.length === 0 ? null : findSums(machine, plan.sums, medium);
  const isImage = (path: string) => medium.images.includes(path);
  skipper.run((skip) => {
    if (plan.iso && !checkIso(context, medium, skip)) return false;
    return sums === null || checkFiles(context, medium, sums, isImage, skip);
  });
  if (plan.digest !== null && medium.images.length !== 1) {
    throw problem("digest-ambiguous", { count: medium.images.length });
  }
  return {
    of: (path, file) => [
      ...(sums === null || skipper.isSkipped() ? [] : sums.of(path)),
      ...(plan.digest === null ? [] : digestChecks(machine, file, plan.digest)),
      ...(plan.signature ? [cmsCheck(machine, path, findSignature(machine, medium.base, path))] : []),
    ],
    read(path, source, checks) {
      if (checks.length === 0) return;
      const file = { source, name: printable(path), bytes: null };
      if (checks.every(({ canSkip }) => canSkip)) skipper.run((skip) => readChecked(context, file, checks, skip));
      else readChecked(context, file, checks, null);
    },
  };
}

/** Runs checks that Esc skips; once it has, no more. */
function createSkipper({ machine, voice }: Context) {
  let isSkipped = false;
  return {
    isSkipped: () => isSkipped,
    run(check: (skip: SkipKey | null) => boolean): void {
      if (isSkipped) return;
      const key = watchSkipKey(machine);
      try {
        isSkipped = !check(key);
        if (isSkipped) voice.warn("the check of the medium was skipped by Esc");
      } finally {
        key?.end();
      }
    },
  };
}

function checkIso(context: Context, { node, iso }: CheckedMedium, skip: SkipKey | null): boolean {
  const { machine, voice } = context;
  const found = [...(iso === null ? listDevices(machine, node) : [iso])].flatMap((source) => {
    const checksum = withReader(machine, source, readIsoChecksum);
    return checksum === null ? [] : [{ source, checksum }];
  })[0];
  const name = printable(iso === null ? node : iso.slice(iso.lastIndexOf("/") + 1));
  if (found === undefined) throw problem("no-iso-checksum", { name });
  announce(context, name, skip);
  if (!readChecked(context, isoFile(found.source, name, found.checksum), [isoCheck(found.checksum)], skip))
    return false;
  voice.progress(`${name} matches the checksum in it`);
  return true;
}

function isoFile(source: string, name: string, { bytes }: IsoChecksum): CheckedFile {
  return { source, name, bytes };
}

/** The device, and the disk that it is a partition of: a hybrid ISO on a stick is the whole disk. */
function listDevices(machine: Machine, node: string): readonly string[] {
  const disk = readDeviceEntry(machine, node.replace(/^\/dev\//, ""))?.partition?.disk;
  return disk === undefined ? [node] : [node, `/dev/${disk}`];
}

function announce({ voice }: Context, name: string, skip: SkipKey | null): void {
  voice.progress(`checking ${name}${skip === null ? "" : ", Esc skips this"}`, { isUrgent: true });
}

function checkFiles(
  context: Context,
  { base }: CheckedMedium,
  sums: Sums,
  isImage: (path: string) => boolean,
  skip: SkipKey | null,
): boolean {
  announce(context, `the files in ${printable(sums.list)}`, skip);
  for (const path of sums.paths.filter((one) => !isImage(one))) {
    const source = findFileIn(context.machine, base, path);
    if (source === null) throw problem("file-missing", { name: path, list: sums.list });
    if (!readChecked(context, { source, name: printable(path), bytes: null }, sums.of(path), skip)) return false;
  }
  return true;
}

/** If the kernel itself verifies the file by the same digest, it need not be read. */
function digestChecks(
  machine: Machine,
  file: string,
  { algorithm, hex }: NonNullable<ChecksPlan["digest"]>,
): readonly StreamCheck[] {
  const text = `${algorithm}:${hex}`;
  return machine.measureVerity(file) === text ? [] : [digestCheck(algorithm, hex, "rd.image.digest=", false)];
}

function findSignature(machine: Machine, base: string, path: string): string {
  const file = findFileIn(machine, base, `${path}.cms.sig`);
  if (file === null) throw problem("signature-missing", { name: `${path}.cms.sig` });
  return file;
}
