import type { Devices } from "../../src/machine/machine.ts";
import type { MountRequest, Mounts } from "../../src/machine/mounts.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeDirectory, FakeNode } from "./fake-files.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { FakeLoops } from "./fake-loops.ts";
import type { FakeMount, FakePlace } from "./fake-mounts.ts";
import { waitAloud } from "./fake-processes.ts";

/** mount(2), umount(2) and loop devices, over the fake kernel's mount table. */
export function createFakeMounts(
  kernel: FakeKernel,
): Omit<Mounts, "mountApart"> & Pick<Devices, "attachLoop" | "detachLoop"> {
  const loops = new FakeLoops(kernel);
  return {
    mount: (request) => mount(kernel, request),
    moveMount: (from, to) => moveMount(kernel, from, to),
    // The only process that does it is modelled without a namespace of its own: it unmounts what it mounts.
    isolateMounts: () => undefined,
    unmount: (target, lazy = false) => unmount(kernel, loops, target, lazy),
    attachLoop: loops.attachLoop,
    detachLoop: loops.detachLoop,
  };
}

function mount(kernel: FakeKernel, request: MountRequest): void {
  const { target, flags } = request;
  const point = kernel.namespace.find(target, "mount");
  if (flags.includes("remount")) remount(kernel, point, request);
  else if (flags.includes("private")) mountAt(point, "mount", target);
  else if (flags.includes("bind")) attach(kernel, bind(kernel, point, request), target);
  else {
    const made = openNew(kernel, point, request);
    waitForReplay(kernel, request);
    attach(kernel, made, target);
  }
}

function waitForReplay(kernel: FakeKernel, { source, onWait }: MountRequest): void {
  // Only a device is waited for aloud; the source of a share is any text.
  const node = onWait === undefined ? null : kernel.namespace.find(source, "mount").node;
  const device = node?.kind === "block" ? kernel.devices.byNumber(node.number) : undefined;
  waitAloud(kernel, device?.replaysForMs ?? 0, onWait);
}

/** A bind shows what the other place shows, flags and all; `ro` has no say until it is remounted. */
function bind(kernel: FakeKernel, point: FakePlace, { source }: MountRequest): FakeMount & { point: FakePlace } {
  const { mount: shown, node: root } = kernel.namespace.find(source, "mount");
  return { ...shown, root, point };
}

function openNew(kernel: FakeKernel, point: FakePlace, request: MountRequest): FakeMount & { point: FakePlace } {
  const { source, type, flags, target } = request;
  const isKnown = kernel.types.virtual.includes(type) || kernel.types.device.includes(type);
  if (!isKnown) throw new SyscallError("mount", "ENODEV", target);
  const filesystem = kernel.filesystems.open(request, kernel.types.virtual);
  // The same thing twice in one place; a bind may do that.
  const isThere = point.up === null && point.mount.filesystem === filesystem && point.node === filesystem.root;
  if (isThere) throw new SyscallError("mount", "EBUSY", target);
  const root = type === "btrfs" ? findSubvolume(filesystem.root, request) : filesystem.root;
  return { filesystem, root, source, flags, readOnly: flags.includes("ro"), point };
}

/** mount_subvol() of fs/btrfs/super.c; the top is the default subvolume. */
function findSubvolume(top: FakeDirectory, { options, target }: MountRequest): FakeDirectory {
  const path = /(?:^|,)subvol=([^,]*)/.exec(options)?.[1] ?? "";
  let at: FakeNode | undefined = top;
  for (const name of path.split("/").filter((one) => one !== "")) {
    at = at?.kind === "directory" ? at.entries.get(name) : undefined;
  }
  if (at === undefined) throw new SyscallError("mount", "ENOENT", target);
  const isSubvolume = at.kind === "directory" && (at === top || at.subvolume !== undefined);
  if (!isSubvolume) throw new SyscallError("mount", "EINVAL", target);
  return at as FakeDirectory;
}

function attach(kernel: FakeKernel, made: FakeMount & { point: FakePlace }, target: string): void {
  if (!isSameKind(made.point, made)) throw new SyscallError("mount", "ENOTDIR", target);
  kernel.namespace.add(made);
}

function remount(kernel: FakeKernel, point: FakePlace, { target, flags }: MountRequest): void {
  const mounted = mountAt(point, "mount", target);
  const readOnly = flags.includes("ro");
  const isProtected = kernel.devices.byNumber(mounted.filesystem.device)?.readOnly === true;
  if (isProtected && !readOnly && !flags.includes("bind")) throw new SyscallError("mount", "EACCES", target);
  mounted.readOnly = readOnly;
  if (!flags.includes("bind")) mounted.filesystem.readOnly = readOnly;
}

function moveMount({ namespace }: FakeKernel, from: string, to: string): void {
  const moved = mountAt(namespace.find(from, "mount"), "mount", to);
  const point = namespace.find(to, "mount", true, false);
  if (moved.point === null || !isSameKind(point, moved)) throw new SyscallError("mount", "EINVAL", to);
  if (namespace.isBelow(point, moved)) throw new SyscallError("mount", "ELOOP", to);
  moved.point = point;
}

function unmount(kernel: FakeKernel, loops: FakeLoops, target: string, lazy: boolean): void {
  const { namespace, filesystems, openFiles } = kernel;
  const mounted = mountAt(namespace.find(target, "umount2"), "umount2", target);
  if (mounted.point === null) throw new Error("FakeMachine: nobody unmounts /");
  const hasUsers = namespace.childrenOf(mounted).length > 0 || (openFiles.get(mounted) ?? 0) > 0;
  if (!lazy && (hasUsers || loops.hasFileOn(mounted))) throw new SyscallError("umount2", "EBUSY", target);
  namespace.remove(mounted);
  filesystems.forgetUnmounted();
  kernel.releaseUnused();
}

/** A directory covers a directory, and a file a file. */
function isSameKind(point: FakePlace, { root }: FakeMount): boolean {
  return (point.node.kind === "directory") === (root.kind === "directory");
}

/** The mount whose root `place` is; EINVAL where it is a directory like any other. */
function mountAt(place: FakePlace, call: string, path: string): FakeMount {
  if (place.up !== null) throw new SyscallError(call, "EINVAL", path);
  return place.mount;
}
