import { hasOption } from "../../filesystems/fstab.ts";
import { formatDeviceSpec } from "../../parameters/device-spec.ts";
import { formatStore } from "../../parameters/stack/overlay.ts";
import type { BootPlan, ImagePlan } from "../../plan/plan.ts";
import { nameRoot } from "../../plan/root.ts";
import { type Lower, planStack, type RootStack } from "../../stack/root-stack.ts";
import { planSubmounts, type Submount, type UnionSubmount } from "../../stack/submounts/submount.ts";

/** What becomes of changes: a part that is only read has none, memory loses them at shutdown, a disk keeps them. */
export type Keeps = "nothing" | "memory" | "disk";

/** A part of a tree: a device, an image, a layer. */
export interface Part {
  readonly name: string;
  readonly note: string;
  readonly keeps: Keeps;
}

/** A directory of the booted system, and what lies below it, the lowest first. */
export interface Column {
  readonly place: string;
  readonly parts: readonly Part[];
}

const VERIFIED = "read-only, verified by dm-verity";

/** Returns what a boot with this plan would stack, the root first. Images that only the medium can name are shown by their pattern. */
export function listColumns(plan: BootPlan): readonly Column[] {
  if (plan.root.kind === "none") {
    return [{ place: "/", parts: [{ name: "this initramfs", note: "in memory", keeps: "memory" }] }];
  }
  const stack = planStack(plan, expectImages(plan.image));
  const lowers = stack.lowers.map((lower) => describeLower(plan, lower));
  const medium = plan.image === null ? [] : describeMedium(plan, stack);
  const tree = [...medium, ...lowers, ...describeUpper(stack), ...describePersistence(plan)];
  const below = listSubmounts(plan);
  if (stack.volatile === null) return [{ place: "/", parts: tree }, ...below];
  const usr: Column = { place: "/usr", parts: tree.map((part) => ({ ...part, keeps: "nothing" as const })) };
  return [
    { place: "/", parts: [describeTmpfs(stack.volatile)] },
    ...(below.some(({ place }) => place === "/usr") ? [] : [usr]),
    ...below,
  ];
}

/** Returns what parameters mount below the root; what /etc/fstab of the root adds is not known before the boot. */
function listSubmounts(plan: BootPlan): readonly Column[] {
  return planSubmounts(plan, []).flatMap((submount) => {
    const parts = describeSubmount(plan, submount);
    return parts.length === 0 ? [] : [{ place: submount.path, parts }];
  });
}

function describeSubmount(plan: BootPlan, submount: Submount): readonly Part[] {
  switch (submount.kind) {
    case "device": {
      const isWritten = submount.access === "writable" && !hasOption(submount.options, "ro");
      const name = submount.device === null ? nameRoot(plan.root) : formatDeviceSpec(submount.device);
      const isVerified = submount.path === "/usr" && plan.verity.usr !== null;
      const note = isVerified ? VERIFIED : submount.options || "read-write";
      return [{ name, note, keeps: isWritten && !isVerified ? "disk" : "nothing" }];
    }
    case "tmpfs":
      return [describeTmpfs(submount)];
    case "union": {
      const base: Part = { name: `${submount.path} of the root`, note: "read-only", keeps: "nothing" };
      return [base, ...describeKept(submount), describeTmpfs(submount)];
    }
    default:
      return []; // of fstab, or described with the root
  }
}

function describeKept({ store }: Pick<UnionSubmount, "store">): readonly Part[] {
  return store === null ? [] : [{ name: formatStore(store), note: "changes that levain sync keeps", keeps: "disk" }];
}

function describeTmpfs(one: { readonly size: string | null }): Part {
  return { name: `a tmpfs${sizeOf(one)}`, note: "changes, until shutdown", keeps: "memory" };
}

function sizeOf({ size }: { readonly size: string | null }): string {
  return size === null ? "" : ` of ${size}`;
}

/** Which directories persistence volumes keep is known when they are mounted. */
function describePersistence({ persistence }: BootPlan): readonly Part[] {
  if (persistence === null) return [];
  const { volumes, readOnly } = persistence;
  const names = (keeps: string) =>
    volumes.flatMap((volume) => (volume.keeps === keeps ? volume.name : [])).join(" or ");
  const listed = names("listed");
  const note = listed === "" ? "all changes" : "changes, as its persistence.conf says";
  const keeps = readOnly ? "nothing" : "disk";
  return [{ name: `a volume named ${listed || names("root")}`, note: readOnly ? `${note}, read-only` : note, keeps }];
}

/** Returns the images that the medium should have. */
function expectImages(image: ImagePlan | null): readonly string[] {
  if (image === null) return [];
  if (image.directory !== null) return [`${image.directory.path}/*.squashfs`];
  return image.stacked.length > 0 ? image.stacked : image.paths.slice(0, 1);
}

function describeMedium(plan: BootPlan, { iso }: RootStack): readonly Part[] {
  const medium: Part = { name: nameRoot(plan.root), note: `the medium${noteCrypt(plan)}`, keeps: "nothing" };
  return iso === null ? [medium] : [medium, { name: iso.path, note: "an ISO file on it", keeps: "nothing" }];
}

function describeLower(plan: BootPlan, lower: Lower): Part {
  switch (lower.kind) {
    case "source": {
      if (plan.verity.root !== null) return { name: nameRoot(plan.root), note: VERIFIED, keeps: "nothing" };
      const isAlone = plan.overlay === null && plan.volatile === null && plan.layers.length === 0;
      if (isAlone && plan.rootWritable) {
        return { name: nameRoot(plan.root), note: `read-write${noteCrypt(plan)}`, keeps: "disk" };
      }
      const note = isAlone ? "read-only, until the system makes it writable" : "read-only";
      return { name: nameRoot(plan.root), note: `${note}${noteCrypt(plan)}`, keeps: isAlone ? "disk" : "nothing" };
    }
    case "device":
      return { name: formatDeviceSpec(lower.device), note: "a layer, read-only", keeps: "nothing" };
    case "image": {
      const inner = lower.inner === null ? "" : ", or an image inside it";
      const ram = lower.ram === null ? "" : ", copied to memory";
      return { name: lower.path, note: `an image, ${howRead(plan)}${ram}${inner}`, keeps: "nothing" };
    }
  }
}

/** What finds damage only does not count: files that say so themselves, and sums on the medium. */
function howRead({ verity: { images }, checks }: BootPlan): string {
  if (images !== null && !images.isBySidecar) return VERIFIED;
  if (checks.digest !== null) return "read-only, its digest checked";
  return checks.signature ? "read-only, its signature checked" : "read-only";
}

function describeUpper({ upper }: RootStack): readonly Part[] {
  if (upper === null) return [];
  if (upper.kind === "tmpfs") return [describeTmpfs(upper)];
  if (upper.readOnly) return [...describeKept(upper), describeTmpfs(upper.ram)];
  const store = formatStore(upper.store);
  const otherwise = upper.policy === "required" ? "" : ", or else in memory";
  const note = `${upper.reset ? "changes, emptied first" : "changes"}${otherwise}`;
  return [{ name: store, note, keeps: "disk" }];
}

function noteCrypt({ crypt }: BootPlan): string {
  return crypt.volumes.some(({ isOptional }) => !isOptional) ? ", in an encrypted volume" : "";
}
