import { crc64 } from "../../src/formats/checksums.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeBlockDevice } from "./fake-disk.ts";
import { addEntry, asDirectory, type FakeNode } from "./fake-files.ts";
import type { FakeImage } from "./fake-images.ts";
import type { FakeKernel, FakeModule } from "./fake-kernel.ts";

const SUPERBLOCK = 4096;
const DATA = 8192;
const STATE_AT = SUPERBLOCK + 104;
const SET_AT = SUPERBLOCK + 56;
const BACKING = 1;

export interface FakeBcacheDevice {
  readonly set?: string;
  readonly uuid?: string;
  /** Of a backing device: BDEV_STATE_NONE, CLEAN, DIRTY, STALE. */
  readonly state?: 0 | 1 | 2 | 3;
}

const uuidOf = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
const setOf = ({ content }: Pick<FakeBlockDevice, "content">) =>
  Buffer.from(content.subarray(SET_AT, SET_AT + 16)).toString("hex");
const bytesOf = (uuid: string) => Buffer.from(uuid.replaceAll("-", ""), "hex");
const SET = "5e7c0000-0000-4000-8000-000000000001";
const UUID = "5e7c0000-0000-4000-8000-000000000002";

function superblock(version: number, { set = SET, uuid = UUID, state = 0 }: FakeBcacheDevice): Buffer {
  const sb = Buffer.alloc(4096);
  sb.writeBigUInt64LE(8n, 8);
  sb.writeBigUInt64LE(BigInt(version), 16);
  sb.set(Buffer.from("c68573f64e1a45ca8265f57f48ba6d81", "hex"), 24);
  sb.set(bytesOf(uuid), 40);
  sb.set(bytesOf(set), 56);
  sb.writeBigUInt64LE(BigInt(state) << 61n, 104);
  sb.writeUInt16LE(1, 192);
  sb.writeBigUInt64LE(crc64(sb.subarray(8, 208)), 0);
  return sb;
}

/** A backing device with a filesystem, as make-bcache -B writes it (version 1: the data begin at sector 16). */
export function backingDevice({ bytes }: Pick<FakeImage, "bytes">, device: FakeBcacheDevice = {}): Uint8Array {
  return Buffer.concat([Buffer.alloc(SUPERBLOCK), superblock(BACKING, device), bytes]);
}

/** A cache device, as make-bcache -C writes it. */
export function cacheDevice(device: FakeBcacheDevice = {}): Uint8Array {
  const own = { uuid: "5e7c0000-0000-4000-8000-000000000003", ...device };
  return Buffer.concat([Buffer.alloc(SUPERBLOCK), superblock(3, own), Buffer.alloc(1 << 20)]);
}

export const BCACHE_MODULE = { bcache: {} } as const satisfies Readonly<Record<string, FakeModule>>;

function findNode({ sys }: FakeKernel, path: string): FakeNode {
  const names = path.split("/").filter((name) => name !== "");
  const last = names.pop() ?? "";
  const directory = names.reduce((from, name) => asDirectory(from.entries.get(name) ?? from, "open", path), sys);
  const node = directory.entries.get(last);
  if (node === undefined) throw new Error(`fake bcache: there is no ${path}`);
  return node;
}

function createSysFiles(kernel: FakeKernel) {
  const file = (path: string) => findNode(kernel, path);
  return {
    onWrite(path: string, act: (text: string) => void): void {
      addEntry(kernel.sys, path, "");
      kernel.onWrite.set(file(path), act);
    },
    remove: (directory: string, name: string) => asDirectory(file(directory), "open", directory).entries.delete(name),
  };
}

/** What runs, by the kernel's names. */
function createRunning(kernel: FakeKernel) {
  const running = new Map<string, { readonly backing: FakeBlockDevice; cache: FakeBlockDevice | undefined }>();
  const { onWrite, remove } = createSysFiles(kernel);
  let made = 0;

  function useBelow(name: string, below: FakeBlockDevice): void {
    kernel.devices.hold(below.number);
    const path = `/devices/virtual/block/${name}/slaves/${below.name}`;
    addEntry(kernel.sys, path, { link: `../../../../..${below.devpath}` });
  }

  function attach(name: string, cache: FakeBlockDevice): void {
    const one = running.get(name);
    if (one === undefined) return;
    one.cache = cache;
    useBelow(name, cache);
  }

  function stop(name: string): void {
    const { backing, cache } = running.get(name) ?? {};
    if (backing === undefined) return;
    running.delete(name);
    for (const below of [backing, ...(cache === undefined ? [] : [cache])]) kernel.devices.release(below.number);
    kernel.devices.removeDisk(name);
    remove(backing.devpath, "bcache");
  }

  function run(backing: FakeBlockDevice, cache: FakeBlockDevice | undefined): void {
    const name = `bcache${made++}`;
    const devpath = `/devices/virtual/block/${name}`;
    running.set(name, { backing, cache: undefined });
    const content = backing.content.subarray(DATA);
    const number = `251:${name.slice("bcache".length)}`;
    kernel.devices.addBlockDevice({ name, number, devpath, content, readOnly: false }, { DEVTYPE: "disk" });
    useBelow(name, backing);
    if (cache !== undefined) attach(name, cache);
    addEntry(kernel.sys, `${backing.devpath}/bcache/dev`, { link: `../../../virtual/block/${name}` });
    onWrite(`${devpath}/bcache/stop`, () => stop(name));
  }
  return { running, attach, stop, run };
}

/** bcache as far as a boot sees it: a backing device that has a cache starts when the kernel knows both. It is all in /sys, so there are no calls. */
export function createFakeBcache(kernel: FakeKernel): Record<never, never> {
  if (kernel.modules["bcache"] === undefined) return {};
  const caches = new Map<string, FakeBlockDevice>();
  const { onWrite, remove } = createSysFiles(kernel);
  const { running, attach, stop, run } = createRunning(kernel);

  /** The end of a cache set is that of each device that it serves (__cache_set_unregister() of drivers/md/bcache/super.c). */
  function stopSet(set: string): void {
    const cache = caches.get(set);
    for (const [name, one] of [...running]) if (one.cache === cache) stop(name);
    if (cache !== undefined) remove(cache.devpath, "bcache");
    remove("/fs/bcache", uuidOf(set));
    caches.delete(set);
  }

  function registerCache(device: FakeBlockDevice, set: string): void {
    if (caches.has(set)) throw new SyscallError("write", "EINVAL", "/sys/fs/bcache/register");
    caches.set(set, device);
    onWrite(`/fs/bcache/${uuidOf(set)}/stop`, () => stopSet(set));
    // run_cache_set() attaches what runs without a cache.
    for (const [name, { backing, cache }] of running)
      if (cache === undefined && setOf(backing) === set) attach(name, device);
    const up = "../".repeat(device.devpath.split("/").length);
    addEntry(kernel.sys, `${device.devpath}/bcache/set`, { link: `${up}fs/bcache/${uuidOf(set)}` });
  }

  function register(device: FakeBlockDevice): void {
    const bytes = Buffer.from(device.content);
    const set = setOf(device);
    if (bytes.readBigUInt64LE(SUPERBLOCK + 16) !== BigInt(BACKING)) {
      registerCache(device, set);
      return;
    }
    const state = Number(bytes.readBigUInt64LE(STATE_AT) >> 61n);
    onWrite(`${device.devpath}/bcache/running`, () => run(device, undefined));
    const isAttached = state === 1 || state === 2;
    if (!isAttached || caches.has(set)) run(device, isAttached ? caches.get(set) : undefined);
  }

  onWrite("/fs/bcache/register", (text) => {
    if (!kernel.loadedModules.includes("bcache")) throw new SyscallError("open", "ENOENT", "/sys/fs/bcache/register");
    const { node } = kernel.namespace.find(text.trim(), "open");
    const device = node.kind === "block" ? kernel.devices.byNumber(node.number) : undefined;
    if (device === undefined) throw new SyscallError("write", "EINVAL", "/sys/fs/bcache/register");
    register(device);
  });
  return {};
}
