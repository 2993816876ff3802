import type { Devices } from "../../src/machine/machine.ts";
import type { LoopRequest } from "../../src/machine/storage/loops.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { checkWritable } from "./fake-attributes.ts";
import { fileBytes } from "./fake-files.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import type { FakeMount } from "./fake-mounts.ts";

interface FakeLoop {
  /** "major:minor" */
  readonly number: string;
  /** The mount that the file lies on, busy as long as the loop has it. */
  readonly mount: FakeMount;
  /** Detached while it was in use: it goes with its last user. */
  isLeaving: boolean;
}

const LOOP_MAJOR = 7;

export class FakeLoops implements Pick<Devices, "attachLoop" | "detachLoop"> {
  readonly #kernel: FakeKernel;
  readonly #loops = new Map<string, FakeLoop>();

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
    kernel.onRelease.push(() => this.#clearUnused());
  }

  attachLoop = (request: LoopRequest): string => {
    const { namespace } = this.#kernel;
    const place = namespace.find(request.file, "open");
    if (place.node.kind === "directory" && !request.readOnly) throw new SyscallError("open", "EISDIR", request.file);
    if (!request.readOnly) checkWritable(place, "open", request.file);
    namespace.find("/dev/loop-control", "open");
    const node = this.#findFree();
    if (place.node.kind !== "file") throw new SyscallError("ioctl", "EINVAL", node);
    const number = this.#setUp(node, fileBytes(place.node), request);
    this.#loops.set(node, { number, mount: place.mount, isLeaving: false });
    return node;
  };

  detachLoop = (device: string): void => {
    const loop = this.#loops.get(device);
    if (loop === undefined || loop.isLeaving) {
      this.#kernel.namespace.find(device, "open");
      throw new SyscallError("ioctl", "ENXIO", device);
    }
    if (this.#isUsed(loop)) loop.isLeaving = true;
    else this.#clear(device, loop);
  };

  /** True where a loop device has a file of this mount. */
  hasFileOn(mount: FakeMount): boolean {
    return [...this.#loops.values()].some((loop) => loop.mount === mount);
  }

  /** What was only waiting for its last user goes. */
  #clearUnused(): void {
    for (const [node, loop] of this.#loops) {
      if (loop.isLeaving && !this.#isUsed(loop)) this.#clear(node, loop);
    }
  }

  #isUsed({ number }: FakeLoop): boolean {
    return this.#kernel.filesystems.isInUse(number) || this.#kernel.devices.isHeld(number);
  }

  #findFree(): string {
    for (let index = 0; ; index++) if (!this.#loops.has(`/dev/loop${index}`)) return `/dev/loop${index}`;
  }

  /** Gives the device its content and tells of it; returns its number. Only whole sectors of a file count. */
  #setUp(node: string, bytes: Uint8Array, { offset = 0, size, readOnly }: LoopRequest): string {
    const { devices } = this.#kernel;
    const left = Math.max(0, bytes.length - offset);
    const length = Math.floor(Math.min(size ?? left, left) / 512) * 512;
    const content = bytes.subarray(offset, offset + length);
    const name = node.slice("/dev/".length);
    const index = name.slice("loop".length);
    const number = `${LOOP_MAJOR}:${index}`;
    const devpath = `/devices/virtual/block/${name}`;
    const known = devices.byNumber(number);
    if (known === undefined) {
      devices.addBlockDevice({ name, number, devpath, content, readOnly }, { DEVTYPE: "disk" });
    } else Object.assign(known, { content, readOnly });
    const properties = { MAJOR: String(LOOP_MAJOR), MINOR: index, DEVNAME: name, DEVTYPE: "disk" };
    devices.emit("change", devpath, "block", properties);
    return number;
  }

  #clear(device: string, { number }: FakeLoop): void {
    this.#loops.delete(device);
    const known = this.#kernel.devices.byNumber(number);
    if (known !== undefined) known.content = new Uint8Array();
  }
}
