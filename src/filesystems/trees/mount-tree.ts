import type { Context } from "../../drivers/context.ts";
import { splitMountOptions } from "../../parameters/mount-options.ts";
import { SyscallError } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal, printable } from "../../problems/report.ts";
import { createWaitNotice } from "../../problems/wait-notice.ts";
import { makePlace } from "../mount.ts";
import { readOnly } from "../untouched.ts";

/** What the kernel mounts by a name. */
interface TreeOrder {
  /** Types to try, at least one. */
  readonly types: readonly string[];
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
  /** As in fstab. */
  readonly options: string;
  /** How long to wait for its driver and its device; null: no limit. */
  readonly timeoutMs: number | null;
}

/** What a type needs besides the module of its filesystem. */
interface TreeType {
  /** Modules, by their names or aliases, to load before the filesystem's own; a kernel may contain them. */
  readonly modules: readonly string[];
  /** Options that are added unless they are given. */
  readonly options: readonly string[];
  /** What the kernel answers if the device has not appeared, or its driver is not loaded. */
  readonly absent: readonly string[];
}

const TREE_TYPES: Readonly<Record<string, TreeType>> = {
  // net/9p/trans_virtio.c: p9_virtio_create().
  "9p": { modules: ["9pnet_virtio"], options: ["trans=virtio"], absent: ["ENOENT"] },
  // fs/fuse/virtio_fs.c: virtio_fs_get_tree().
  virtiofs: { modules: [], options: [], absent: ["EINVAL"] },
  // fs/ubifs/compress.c: compr_init(). The module asks modprobe(8) for the compressors, and is not loaded without them.
  ubifs: { modules: ["crypto-lzo", "crypto-deflate", "crypto-zstd", "ubi"], options: [], absent: ["ENODEV", "EINVAL"] },
};
const OTHER: TreeType = { modules: [], options: [], absent: ["ENODEV", "ENXIO", "ENOENT"] };

/** Mounts a filesystem by a name and returns its type. Waits for its device, whose driver may be loaded last. Throws BootError. */
export function mountTree(context: Context, order: TreeOrder): string {
  const { machine, drivers, undo } = context;
  makePlace(machine, order.target);
  for (const type of order.types) {
    for (const module of typeOf(type).modules) drivers.loadByName(module);
    drivers.loadFilesystem(type, order.options);
  }
  const wait = createWait(context, order);
  for (;;) {
    const mark = machine.kernelLogMark();
    const refusals: Refusal[] = [];
    for (const type of order.types) {
      const error = tryMount(context, order, type);
      if (error === null) {
        undo(() => machine.unmount(order.target));
        return type;
      }
      refusals.push({ type, error });
    }
    const isAbsent = refusals.some(({ type, error }) => typeOf(type).absent.includes(error.code));
    if (!isAbsent || !wait()) throw refused(order, refusals, machine.kernelLogSince(mark));
  }
}

interface Refusal {
  readonly type: string;
  readonly error: SyscallError;
}

/** Returns what loads more drivers or waits for the next event, at most `mostMs`; false if the time is up. */
export function createWait(
  { machine, drivers, voice }: Context,
  { source, timeoutMs }: Pick<TreeOrder, "source" | "timeoutMs">,
  mostMs = Number.POSITIVE_INFINITY,
): () => boolean {
  const startMs = machine.nowMs();
  const notice = createWaitNotice(voice);
  return () => {
    if (drivers.loadMore()) return true;
    const waitedMs = machine.nowMs() - startMs;
    const leftMs = timeoutMs === null ? Number.POSITIVE_INFINITY : timeoutMs - waitedMs;
    if (leftMs <= 0) return false;
    const noticeMs = notice(printable(source), waitedMs, timeoutMs);
    const event = machine.nextDeviceEvent(Math.max(1, Math.min(leftMs, noticeMs, mostMs)));
    if (event !== null) drivers.handleEvent(event);
    drivers.advance();
    return true;
  };
}

function typeOf(type: string): TreeType {
  return Object.hasOwn(TREE_TYPES, type) ? (TREE_TYPES[type] ?? OTHER) : OTHER;
}

/** Returns the kernel's refusal, null for a mount. */
function tryMount(
  { machine }: Context,
  { source, target, writable, options }: TreeOrder,
  type: string,
): SyscallError | null {
  const given = options.split(",").filter((option) => option !== "");
  const nameOf = (option: string) => option.split("=")[0];
  const added = typeOf(type).options.filter((option) => !given.some((one) => nameOf(one) === nameOf(option)));
  const request = { source, target, type, ...splitMountOptions([...given, ...added].join(",")) };
  try {
    machine.mount(writable ? request : readOnly(request));
    return null;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return error;
  }
}

function refused({ source, target }: TreeOrder, refusals: readonly Refusal[], kernel: readonly string[]) {
  const reasons = refusals.map(({ type, error }) => `${type}: ${describeRefusal(error)}`);
  return problem("tree-refused", { source, place: target, reasons, kernel: kernel.slice(-3) });
}
