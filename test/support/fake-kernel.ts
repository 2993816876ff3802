import { FakeDevices } from "./fake-devices.ts";
import type { FakeDisk } from "./fake-disk.ts";
import { addEntry, type FakeDirectory, type FakeNode, type FakeTree, makeFakeTree } from "./fake-files.ts";
import { FakeFilesystems } from "./fake-filesystems.ts";
import { FakeKeys } from "./fake-keys.ts";
import { type FakeFilesystem, type FakeMount, FakeNamespace } from "./fake-mounts.ts";

/** A kernel module as the fake kernel knows it, by its name; its file has to be in the tree too. */
export interface FakeModule {
  /** How long the kernel loads it; infinite while one of its devices does not answer. At once where not given. */
  readonly takesMs?: number;
  /** Files of /sys that are there when it is loaded. */
  readonly sys?: FakeTree;
  /** Modaliases of devices that it announces by uevents. */
  readonly announces?: readonly string[];
  /** Names of the modules whose symbols it uses. */
  readonly needs?: readonly string[];
  /** Filesystem types that the kernel then knows. */
  readonly filesystems?: readonly string[];
  /** Nodes that it makes in /dev: { "/loop-control": { node: "character", number: "10:237" } }. */
  readonly nodes?: FakeTree;
  /** Disks that it finds; `arrivesAtMs` counts from its loading. */
  readonly disks?: readonly FakeDisk[];
  /** Device-mapper targets, with their versions. */
  readonly targets?: Readonly<Record<string, readonly [number, number, number]>>;
}

export interface FakeKernelOptions {
  readonly cmdline?: string;
  /** What the initramfs holds. */
  readonly files?: FakeTree;
  /** Of the kernel's root: "rootfs" where not given, or what a classic initrd is. */
  readonly rootType?: string;
  readonly disks?: readonly FakeDisk[];
  readonly modules?: Readonly<Record<string, FakeModule>>;
  /** Filesystem types that need a block device and are built in. */
  readonly filesystems?: readonly string[];
  /** More files of /sys: { "/devices/…/modalias": "pci:…" }. */
  readonly sys?: FakeTree;
  /** More nodes of /dev: { "/tty0": { node: "character", number: "4:0" } }. */
  readonly dev?: FakeTree;
  readonly memoryBytes?: number;
}

const START_MS = 1000;
const ROOTFS_MAGIC = 0x01021994;
const VIRTUAL_TYPES = ["sysfs", "tmpfs", "ramfs", "proc", "devtmpfs"];
/** Ciphers, modes and hashes that Debian has built in. */
const BUILT_IN_CRYPTO = ["aes", "cbc", "sha1", "sha256", "sha512"];
const DEV: FakeTree = {
  "/console": { node: "character", number: "5:1" },
  "/null": { node: "character", number: "1:3" },
  "/kmsg": { node: "character", number: "1:11" },
  "/ttyS0": { node: "character", number: "4:64" },
};

/** What the fake calls work on: mount table, devices, modules, log and clock. */
export class FakeKernel {
  readonly namespace: FakeNamespace;
  readonly devices: FakeDevices;
  readonly filesystems: FakeFilesystems;
  readonly modules: Readonly<Record<string, FakeModule>>;
  readonly loadedModules: string[] = [];
  readonly targets = new Map<string, readonly [number, number, number]>();
  readonly keys = new FakeKeys();
  readonly onWrite = new Map<FakeNode, (text: string) => void>();
  /** What looks after its devices when one is not used any more. */
  readonly onRelease: (() => void)[] = [];
  readonly types: { readonly virtual: string[]; readonly device: string[] };
  /** Open files by the mount they lie on, which they keep busy. */
  readonly openFiles = new Map<FakeMount, number>();
  /** When the orders of readers are answered. */
  readonly answers = new Set<{ readonly atMs: number; readonly isOnce?: boolean }>();
  readonly log: { readonly atMs: number; readonly text: string; readonly isOurs: boolean }[] = [];
  readonly sys: FakeDirectory;
  readonly #dev: FakeDirectory;
  #nowMs = START_MS;
  #arrivals: { readonly atMs: number; readonly happen: () => void }[] = [];

  constructor(options: FakeKernelOptions) {
    const memoryBytes = options.memoryBytes ?? 1 << 30;
    this.modules = options.modules ?? {};
    this.types = { virtual: [...VIRTUAL_TYPES], device: [...(options.filesystems ?? [])] };
    this.sys = makeFakeTree({
      "/class/block": { directory: true },
      "/class/tty/console/active": "ttyS0\n",
      ...options.sys,
    });
    this.#dev = makeFakeTree({ ...DEV, ...options.dev });
    this.devices = new FakeDevices(this.sys, this.#dev);
    addEntry(this.sys, "/kernel/uevent_seqnum", { read: () => `${this.devices.newestNumber()}\n` });
    const rootfs: FakeFilesystem = {
      type: options.rootType ?? "rootfs",
      device: "0:1",
      root: makeFakeTree({ ...options.files }),
      magic: options.rootType === undefined ? ROOTFS_MAGIC : 0xef53,
      totalBytes: memoryBytes / 2,
      layers: [],
      readOnly: false,
    };
    this.namespace = new FakeNamespace(rootfs, options.rootType === undefined ? "none" : "/dev/root");
    this.filesystems = new FakeFilesystems({
      namespace: this.namespace,
      devices: this.devices,
      single: { proc: this.#makeProc(options.cmdline ?? "", memoryBytes), sysfs: this.sys, devtmpfs: this.#dev },
      memoryBytes,
      say: (text) => this.say(text),
    });
    for (const disk of options.disks ?? []) this.arrive(disk, disk.arrivesAtMs ?? 0);
  }

  #makeProc(cmdline: string, memoryBytes: number): FakeDirectory {
    const kilobytes = memoryBytes / 1024;
    const listTypes = () =>
      `${this.types.virtual.map((type) => `nodev\t${type}\n`).join("")}${this.types.device.map((type) => `\t${type}\n`).join("")}`;
    return makeFakeTree({
      "/cmdline": `${cmdline}\n`,
      "/filesystems": { read: listTypes },
      "/meminfo": `MemTotal:       ${kilobytes} kB\nMemFree:        ${kilobytes} kB\nMemAvailable:   ${kilobytes} kB\n`,
      "/modules": {
        read: () => this.loadedModules.map((name) => `${name} 16384 0 - Live 0x0000000000000000\n`).join(""),
      },
      "/mounts": { link: "self/mounts" },
      "/self/exe": "ELF",
      "/self/mountinfo": { read: () => this.namespace.mountInfo() },
    });
  }

  say(text: string, isOurs = false): void {
    this.log.push({ atMs: this.nowMs, text, isOurs });
  }

  /** A disk that is there at `atMs`, now if that is past. */
  arrive(disk: FakeDisk, atMs: number): void {
    this.happenAt(atMs, () => this.devices.addDisk(disk));
  }

  /** Something happens at `atMs`, now if that is past, never if it is infinite. */
  happenAt(atMs: number, happen: () => void): void {
    if (atMs <= this.#nowMs) happen();
    else if (Number.isFinite(atMs))
      this.#arrivals = [...this.#arrivals, { atMs, happen }].sort((a, b) => a.atMs - b.atMs);
  }

  /** What a module brings with it, when it has been loaded. */
  addModule(name: string, module: FakeModule): void {
    this.loadedModules.push(name);
    addEntry(this.sys, `/module/${name}/initstate`, "live\n");
    for (const MODALIAS of module.announces ?? []) this.devices.emit("add", `/devices/${name}`, "bus", { MODALIAS });
    for (const type of module.filesystems ?? [])
      (type === "overlay" ? this.types.virtual : this.types.device).push(type);
    for (const [path, entry] of Object.entries(module.nodes ?? {})) addEntry(this.#dev, path, entry);
    for (const [path, entry] of Object.entries(module.sys ?? {})) addEntry(this.sys, path, entry);
    for (const [type, version] of Object.entries(module.targets ?? {})) this.targets.set(type, version);
    for (const disk of module.disks ?? []) this.arrive(disk, this.#nowMs + (disk.arrivesAtMs ?? 0));
  }

  /** True for a cipher, a mode or a hash, built in or by its module. */
  hasCrypto(name: string): boolean {
    return BUILT_IN_CRYPTO.includes(name) || this.loadedModules.includes(name);
  }

  /** After an unmount, or when a mapping is gone. */
  releaseUnused(): void {
    for (const look of this.onRelease) look();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next device arrives or answers; null where none is to come. */
  get nextArrivalMs(): number | null {
    const next = Math.min(
      this.#arrivals[0]?.atMs ?? Number.POSITIVE_INFINITY,
      ...[...this.answers].map(({ atMs }) => atMs),
    );
    return Number.isFinite(next) ? next : null;
  }

  /** True if an answer has come and was not taken; one that is told once is forgotten then. */
  hearAnswer(): boolean {
    const come = [...this.answers].filter(({ atMs }) => atMs <= this.#nowMs);
    for (const answer of come) if (answer.isOnce) this.answers.delete(answer);
    return come.length > 0;
  }

  /** Moves the clock, and lets arrive what arrives until then. */
  onTime: (nowMs: number) => void = () => undefined;
  waitUntil(ms: number): void {
    for (let next = this.#arrivals[0]; next !== undefined && next.atMs <= ms; next = this.#arrivals[0]) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#arrivals.shift();
      next.happen();
    }
    this.#nowMs = Math.max(this.#nowMs, ms);
    this.onTime(ms);
  }
}
