import { type BlockDevice, withReader } from "../devices/block-devices.ts";
import type { Context } from "../drivers/context.ts";
import type { Loader } from "../drivers/make-loader.ts";
import { mountDevice } from "../filesystems/mount.ts";
import type { Mapping } from "../machine/encryption.ts";
import type { Machine } from "../machine/machine.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { BootPlan, CryptPlan, CryptVolume } from "../plan/plan.ts";
import { volumesFor } from "../plan/verity/verity.ts";
import type { VainSearch } from "../problems/diagnoses/storage.ts";
import { orProblem, problem } from "../problems/problem.ts";
import { printable } from "../problems/report.ts";
import { type AttachedPart, attachUnlessHibernated } from "../storage/resume/firmware.ts";
import { specText } from "../storage/search-words.ts";
import { findRootPart, slice } from "./disk-image.ts";
import { checkImage } from "./image-check.ts";
import type { ImageTree } from "./verify/image-tree.ts";
import { attachLoop } from "./verify/loops.ts";
import { verifyImage } from "./verify/verified-image.ts";

interface ImageOrder {
  /** As the user knows it: the path on the medium. */
  readonly path: string;
  /** The path to it from the initramfs. */
  readonly file: string;
  readonly place: string;
  /** True if it lies in an encrypted volume. */
  readonly isInside: boolean;
  /** True for an ISO file, which holds the images and is no part of the root. */
  readonly isMedium: boolean;
  /** What verifies it; null: nothing. */
  readonly tree: ImageTree | null;
}

/** A mounted image. */
export interface MountedImage {
  /** Its path, and the partition that is its root, safe to print. */
  readonly name: string;
  /** For a person, safe to print. */
  readonly text: string;
  readonly type: string;
  /** Its loop device. */
  readonly node: string;
  /** True if it lies in an encrypted volume, or is one. */
  readonly isInside: boolean;
}

/** Mounts an image file read-only; one that is a LUKS container is unlocked first. Throws BootError. */
export function mountImage(context: Context, plan: BootPlan, order: ImageOrder): MountedImage {
  const { machine, drivers, undo } = context;
  const { path, place: target, isInside, isMedium } = order;
  const loop = openImage(machine, { ...order, readOnly: true }, drivers);
  undo(() => machine.detachLoop(loop.node));
  const isLuks = loop.facts.type === "crypto_LUKS";
  if (!isInside && !isMedium && !(isLuks && namedVolumes(plan.crypt, loop).length > 0)) {
    requireUnencrypted(plan.crypt, path);
  }
  const outer =
    order.tree === null
      ? loop
      : {
          ...loop,
          node: mappedNode(verifyImage(context, { ...order, ...loop, isPart: loop.part !== null }, order.tree)),
        };
  const device = isLuks ? unlockImage(context, plan, path, outer) : outer;
  const wanted = {
    device,
    target,
    types: [],
    access: "untouched",
    options: "",
    role: "image",
    name: printable(path),
  } as const;
  const type = orProblem("image-not-mounted", { path }, () => mountDevice(context, wanted));
  const name = `${printable(path)}${loop.part === null ? "" : ` partition ${loop.part}`}`;
  return {
    name,
    text: `${name} (${type}${order.tree === null ? "" : ", verified"})`,
    type,
    node: loop.node,
    isInside: isInside || isLuks,
  };
}

function mappedNode({ name }: Mapping): string {
  return `/dev/mapper/${name}`;
}

/** Throws BootError if parameters name volumes that the root has to lie in: the image `path` is in none of them. */
export function requireUnencrypted({ volumes }: CryptPlan, path: string): void {
  const required = volumes.filter(({ isOptional }) => !isOptional).map(({ device }) => specText(device));
  if (required.length > 0) throw problem("image-not-encrypted", { path, volumes: required });
}

/** Returns the volumes that a parameter names and that this image is one of. */
function namedVolumes({ volumes }: CryptPlan, { facts }: Pick<BlockDevice, "facts">): readonly CryptVolume[] {
  return volumes.filter(
    ({ device }) =>
      (device.by === "luks" && facts.uuid?.toLowerCase().startsWith(device.prefix) === true) ||
      (device.by === "uuid" && facts.uuid?.toLowerCase() === device.value.toLowerCase()) ||
      (device.by === "label" && facts.label === device.value),
  );
}

/** Opens an image that is a LUKS container, by the parameters that name it, or else as a volume that none names. */
export function unlockImage(
  context: Context,
  plan: BootPlan,
  path: string,
  image: Pick<BlockDevice, "node" | "facts">,
): BlockDevice {
  // By its node: a disk that was copied may have the same UUID.
  const device = { by: "path" as const, path: image.node };
  if (plan.crypt.isOff) throw problem("unlocking-is-off", { part: "image", name: path });
  const volumes = namedVolumes(plan.crypt, image).map((volume) => ({ ...volume, device }));
  const crypt = { ...plan.crypt, volumes, everyLuks: false };
  return attachPart(context, { ...plan, crypt }, device, { wanted: "image", name: printable(path) }).device;
}

/** Waits for a block device that is a part of the root besides the root device, and unlocks it by `crypt`. `what` names it in a report. Throws BootError. */
export function attachPart(
  context: Context,
  plan: BootPlan,
  device: DeviceSpec,
  what: Pick<VainSearch, "wanted" | "name">,
): AttachedPart {
  const wish = {
    ...{ ...plan, roots: [device], verity: volumesFor(plan.verity, device) },
    ...{ rootOptions: "", image: null, layers: [], part: what.wanted },
  };
  return attachUnlessHibernated(context, plan, wish, what);
}

/** An image file on its loop device. */
export interface OpenImage extends Pick<BlockDevice, "node" | "facts" | "unreadable"> {
  /** The number of the partition that is the root; null if the image is no whole disk. */
  readonly part: number | null;
}

/** Attaches an image file, or its root partition, to a loop device and probes it; the caller detaches it. */
export function openImage(
  machine: Machine,
  { file, path, readOnly }: Pick<ImageOrder, "file" | "path"> & { readonly readOnly: boolean },
  drivers: Pick<Loader, "loadByName">,
): OpenImage {
  return withReader(machine, file, (reader) => {
    const whole = checkImage(reader, file);
    const part = whole.type === null ? findRootPart(reader, machine.release().machine, path) : null;
    const facts = part === null ? whole : checkImage(slice(reader, part), file);
    const range = part === null ? {} : { offset: part.offset, size: part.size };
    const node = attachLoop({ machine, drivers }, { file, ...range, readOnly });
    return { node, facts, unreadable: null, part: part?.number ?? null };
  });
}
