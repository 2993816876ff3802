import { SyscallError } from "../../src/errors.ts";
import type { LoopRequest, MountRequest, Mounts } from "../../src/machine/machine.ts";
import { fileBytes } from "./fake-files.ts";
import { checkWritable } from "./fake-file-calls.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import type { FakeMount, FakePlace } from "./fake-mounts.ts";

interface FakeLoop {
  readonly number: string;
  /** The mount that the file lies on, busy as long as the loop has it. */
  readonly mount: FakeMount;
  /** Detached while it was in use: it goes with its last user. */
  isLeaving: boolean;
}

const LOOP_MAJOR = 7;

/** mount(2), umount(2) and loop devices, over the fake kernel's mount table. */
export function createFakeMounts(kernel: FakeKernel): Mounts & {
  attachLoop(request: LoopRequest): string;
  detachLoop(device: string): void;
} {
  const { namespace, filesystems } = kernel;
  const loops = new Map<string, FakeLoop>();

  function mount(request: MountRequest): void {
    const { target, source, type, flags } = request;
    const point = namespace.find(target, "mount");
    if (flags.includes("remount")) return remount(point, request);
    if (flags.includes("private")) return void mountAt(point, "mount", target);
    const readOnly = flags.includes("ro");
    if (flags.includes("bind")) {
      const from = namespace.find(source, "mount");
      return attach(point, { filesystem: from.mount.filesystem, root: from.node, source: from.mount.source, flags: [], readOnly: from.mount.readOnly, point }, target);
    }
    if (![...kernel.types.virtual, ...kernel.types.device].includes(type)) throw new SyscallError("mount", "ENODEV", target);
    const filesystem = filesystems.open(request, kernel.types.virtual);
    attach(point, { filesystem, root: filesystem.root, source, flags, readOnly, point }, target);
  }

  function attach(point: FakePlace, made: FakeMount, target: string): void {
    const isSame = point.up === null && point.mount.filesystem === made.filesystem && point.node === made.root;
    if (isSame) throw new SyscallError("mount", "EBUSY", target);
    if ((point.node.kind === "directory") !== (made.root.kind === "directory")) throw new SyscallError("mount", "ENOTDIR", target);
    namespace.add(made);
  }

  function remount(point: FakePlace, { target, flags }: MountRequest): void {
    const mounted = mountAt(point, "mount", target);
    const readOnly = flags.includes("ro");
    const isLocked = kernel.devices.byNumber(mounted.filesystem.device)?.readOnly === true;
    if (isLocked && !readOnly && !flags.includes("bind")) throw new SyscallError("mount", "EACCES", target);
    mounted.readOnly = readOnly;
    if (!flags.includes("bind")) mounted.filesystem.readOnly = readOnly;
  }

  function moveMount(from: string, to: string): void {
    const moved = mountAt(namespace.find(from, "mount"), "mount", to);
    const point = namespace.find(to, "mount");
    if (moved.point === null) throw new SyscallError("mount", "EINVAL", to);
    if ((point.node.kind === "directory") !== (moved.root.kind === "directory")) throw new SyscallError("mount", "EINVAL", to);
    if (namespace.isBelow(point, moved)) throw new SyscallError("mount", "ELOOP", to);
    namespace.move(moved, point);
  }

  function unmount(target: string, lazy = false): void {
    const mounted = mountAt(namespace.find(target, "umount2"), "umount2", target);
    if (mounted.point === null) throw new Error("FakeMachine: nobody unmounts /");
    const isBusy = namespace.childrenOf(mounted).length > 0 || (kernel.openFiles.get(mounted) ?? 0) > 0;
    const carriesLoop = [...loops.values()].some((loop) => loop.mount === mounted);
    if (!lazy && (isBusy || carriesLoop)) throw new SyscallError("umount2", "EBUSY", target);
    namespace.remove(mounted);
    filesystems.forgetUnmounted();
    for (const [node, loop] of loops) if (loop.isLeaving && !filesystems.isInUse(loop.number)) clearLoop(node);
  }

  function attachLoop({ file, readOnly, offset = 0 }: LoopRequest): string {
    const place = namespace.find(file, "open");
    if (place.node.kind === "directory" && !readOnly) throw new SyscallError("open", "EISDIR", file);
    if (!readOnly) checkWritable(place, "open", file);
    namespace.find("/dev/loop-control", "open");
    const index = [...Array(loops.size + 1).keys()].find((n) => !loops.has(`/dev/loop${n}`)) ?? loops.size;
    const node = `/dev/loop${index}`;
    if (place.node.kind !== "file") throw new SyscallError("ioctl", "EINVAL", node);
    const bytes = fileBytes(place.node);
    const content = bytes.subarray(offset, offset + Math.floor(Math.max(0, bytes.length - offset) / 512) * 512);
    const number = `${LOOP_MAJOR}:${index}`;
    const name = `loop${index}`;
    const devpath = `/devices/virtual/block/${name}`;
    const known = kernel.devices.byNumber(number);
    if (known === undefined) kernel.devices.addBlockDevice({ name, number, devpath, content, readOnly }, { DEVTYPE: "disk" });
    else Object.assign(known, { content, readOnly });
    kernel.devices.emit("change", devpath, "block", { MAJOR: String(LOOP_MAJOR), MINOR: String(index), DEVNAME: name, DEVTYPE: "disk" });
    loops.set(node, { number, mount: place.mount, isLeaving: false });
    return node;
  }

  function detachLoop(device: string): void {
    const loop = loops.get(device);
    if (loop === undefined || loop.isLeaving) {
      namespace.find(device, "open");
      throw new SyscallError("ioctl", "ENXIO", device);
    }
    if (filesystems.isInUse(loop.number)) loop.isLeaving = true;
    else clearLoop(device);
  }

  function clearLoop(device: string): void {
    const loop = loops.get(device);
    loops.delete(device);
    const known = kernel.devices.byNumber(loop?.number ?? null);
    if (known !== undefined) known.content = new Uint8Array();
  }

  return { mount, moveMount, unmount, attachLoop, detachLoop };
}

/** The mount whose root `place` is; EINVAL where it is a directory like any other. */
function mountAt(place: FakePlace, call: string, path: string): FakeMount {
  if (place.up !== null) throw new SyscallError(call, "EINVAL", path);
  return place.mount;
}
