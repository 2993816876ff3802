import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Machine } from "../../machine/machine.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import type { Voice } from "../../problems/voice.ts";
import { buildImage } from "../image/image.ts";
import { writeTree } from "../image/verity.ts";
import { haveTool } from "../tool.ts";
import { makeContent, type StickImages } from "./content.ts";
import type { DiskClaim } from "./disk/claim.ts";
import type { DiskContent } from "./disk/target.ts";
import { INITRAMFS_FILE, KERNEL_FILE, listParameters, ROOT_FILE, type Stick, type Verity } from "./entries.ts";
import { createIdentity, type Identity } from "./identity.ts";
import { findPartition, type Layout, layOutDisk, MIB, type Part } from "./layout.ts";
import type { UsbOptions } from "./options.ts";
import { type BootPartition, type HostFiles, makeBootPartition, measureBootPartition } from "./parts/boot-partition.ts";
import { makeChanges, makeChangesInPlace } from "./parts/changes.ts";
import { makeVolume, measureVolume } from "./parts/encrypted.ts";
import type { Loaders } from "./parts/loaders.ts";
import { installDebian } from "./root/debian.ts";
import { findKernel } from "./root/kernel-files.ts";
import { makeRootImage } from "./root/root-image.ts";
import { CACHES, type RootSource, sourceOfDirectory, sourceOfRunning } from "./root/source.ts";
import type { Workspace } from "./workspace.ts";

/** What a stick is made with. */
export interface StickJob {
  readonly options: UsbOptions;
  readonly loaders: Loaders;
  /** null: an image file. */
  readonly claim: Pick<DiskClaim, "bytes" | "isExclusive"> | null;
  /** null: not encrypted. The caller wipes it. */
  readonly passphrase: Uint8Array | null;
  /** Of a new Debian. The caller wipes it. */
  readonly rootPassword: Uint8Array | null;
  readonly machine: Machine;
  readonly workspace: Workspace;
  readonly voice: Voice;
}

/** What was made, for the user. */
export interface StickSummary {
  readonly layout: Layout;
  readonly parameters: readonly string[];
  readonly kernel: string;
  readonly rootBytes: number;
  readonly rootHash: string | null;
  readonly leftOut: readonly string[];
}

/** Makes everything that a stick needs, in the workspace: nothing is written to the stick itself. Throws BootError. */
export async function prepareStick(job: StickJob): Promise<{ content: DiskContent; summary: StickSummary }> {
  const { options, workspace, voice, machine } = job;
  const identity = createIdentity(options.seed === null ? randomBytes(32) : new TextEncoder().encode(options.seed));
  const source = await findSource(job);
  const kernel = findKernel(machine, source, { ...options.image, vmlinuz: options.vmlinuz });
  const isOwnedByRoot = process.geteuid?.() !== 0 && statSync(source.directory).uid === process.geteuid?.();
  const root = await makeRootImage({ source, type: options.type, isOwnedByRoot, identity }, workspace, voice);
  const rootBytes = statSync(root).size;
  const verity = options.hasVerity ? makeHashes(root, options, identity, voice) : null;
  const initramfs = workspace.path("initramfs");
  await buildImage(
    {
      ...options.image,
      output: initramfs,
      kernel: kernel.modules?.version ?? "none",
      modulesDir: kernel.modules?.modulesDir ?? null,
    },
    voice,
  );
  const files = { [KERNEL_FILE]: kernel.file, [INITRAMFS_FILE]: initramfs, ...listRootFiles(options, root) };
  const layout = layOutDisk(options.table, listParts(job, files, root), identity);
  const diskBytes = chooseSize(layout, job);
  const stick: Stick = {
    label: options.label,
    layout,
    volumes: nameVolumes(options, identity),
    verity,
    cmdline: options.cmdline,
  };
  const images = await makeImages(job, { stick, files, root, identity });
  return {
    content: await makeContent({ ...job, layout, images, diskBytes, identity }),
    summary: {
      layout,
      parameters: listParameters(stick),
      kernel: kernel.modules?.version ?? kernel.file,
      rootBytes,
      rootHash: verity?.rootHash ?? null,
      leftOut: source.leftOut,
    },
  };
}

async function findSource({ options, machine, workspace, voice, rootPassword }: StickJob): Promise<RootSource> {
  const { root, label, output } = options;
  if (root.kind === "directory") return sourceOfDirectory(root.path);
  if (root.kind === "debian") {
    return sourceOfDirectory(await installDebian({ ...root, label, rootPassword }, workspace, voice), CACHES);
  }
  if (process.geteuid?.() !== 0) {
    throw new BootError("cannot copy the running system: only root can read all of its files", {
      hint: "run it with sudo",
    });
  }
  return sourceOfRunning(machine, root, [dirname(workspace.path("root")), output]);
}

/** Makes the hash tree: a file of its own for a root on FAT, else behind the root. */
function makeHashes(root: string, options: UsbOptions, identity: Identity, voice: Voice): Verity {
  const recipe = { salt: identity.bytes("salt", 32), uuid: identity.uuid("hashes"), program: haveTool("veritysetup") };
  const [offset, rootHash] = [statSync(root).size, writeTree(root, recipe, voice)];
  if (!isRootFile(options)) appendFileSync(root, readFileSync(`${root}.verity`));
  return { rootHash, offset };
}

/** True if the root is a file on the FAT, as on a stick that any system can fill. */
const isRootFile = ({ table, isEncrypted }: UsbOptions) => table === "mbr" && !isEncrypted;

function listRootFiles(options: UsbOptions, root: string): HostFiles {
  if (!isRootFile(options)) return {};
  return { [ROOT_FILE]: root, ...(options.hasVerity ? { [`${ROOT_FILE}.verity`]: `${root}.verity` } : {}) };
}

function listParts({ options, loaders }: StickJob, files: HostFiles, root: string): readonly Part[] {
  const { isEncrypted, persist, table } = options;
  const encrypted = (bytes: number) => (isEncrypted ? measureVolume(bytes) : bytes);
  const inFile = isRootFile(options);
  return [
    { role: "boot", bytes: measureBootPartition(files) },
    ...(loaders.bios?.name === "grub" && table === "gpt" ? [{ role: "grub", bytes: MIB } as const] : []),
    ...(inFile ? [] : [{ role: "root", bytes: encrypted(statSync(root).size) } as const]),
    ...(persist === null ? [] : [{ role: "changes", bytes: encrypted(persist) } as const]),
  ];
}

/** Returns the bytes of the disk. Throws BootError if the stick is too small. */
function chooseSize({ partitions, bytes }: Layout, { options, claim }: StickJob): number {
  const limit = claim?.bytes ?? options.size ?? bytes;
  if (bytes <= limit) return limit;
  const parts = partitions.map((partition) => `${partition.role} ${formatBytes(partition.bytes)}`);
  throw new BootError(
    `${printable(options.output)} is too small: it has ${formatBytes(limit)}, and the stick needs ${formatBytes(bytes)}`,
    {
      seen: parts,
      hint: `${claim === null ? "give a larger --size" : "take a larger stick"}, or leave something out`,
    },
  );
}

function nameVolumes({ isEncrypted, persist }: UsbOptions, identity: Identity): Stick["volumes"] {
  if (!isEncrypted) return null;
  return { root: identity.uuid("volume root"), changes: persist === null ? null : identity.uuid("volume changes") };
}

interface Made {
  readonly stick: Stick;
  readonly files: HostFiles;
  readonly root: string;
  readonly identity: Identity;
}

/** Makes the content of each partition. */
async function makeImages(job: StickJob, { stick, files, root, identity }: Made): Promise<StickImages> {
  const { machine, workspace, voice, passphrase, loaders } = job;
  const place = (role: Part["role"]) => findPartition(stick.layout, role);
  const encrypt = (plain: string, name: "root" | "changes"): string | Promise<string> => {
    const uuid = stick.volumes?.[name] ?? null;
    if (passphrase === null || uuid === null) return plain;
    return makeVolume({ plain, name, uuid, passphrase }, machine, workspace, voice);
  };
  const boot = place("boot");
  const what: BootPartition = { stick, loaders, files, identity, start: boot?.start ?? 0, bytes: boot?.bytes ?? 0 };
  const persist = job.options.persist;
  // mke2fs makes none on a disk that is in use.
  const isStored = persist !== null && (passphrase !== null || job.claim?.isExclusive === false);
  const changes = place("changes");
  return {
    boot: await makeBootPartition(what, workspace),
    root: place("root") === null ? null : await encrypt(root, "root"),
    changes: isStored ? await encrypt(await makeChanges(persist, identity, workspace), "changes") : null,
    inPlace: changes === null || isStored ? null : makeChangesInPlace(changes, identity, workspace),
  };
}
