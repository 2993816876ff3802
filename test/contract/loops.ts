import { deepEqual, equal, ok } from "node:assert/strict";
import { type ContractCase, HELLO, makeMedium, mountImage, mountTmpfs, readText, refuses } from "./case.ts";

const SQUASHFS_MAGIC = 0x73717368;

/** Until an AArch64 kernel has its clock source, CLOCK_MONOTONIC counts timer interrupts, some of which a busy emulator loses; the log's clock does not. */
const CLOCK_SKEW_MS = 2000;

/** Loop devices and what is mounted by them, once the modules are loaded. */
export const LOOP_CASES: readonly ContractCase[] = [
  {
    name: "a loop device shows the file's whole sectors from the offset on, and nothing when it is detached",
    check(machine, directory) {
      const bytes = new Uint8Array(5 * 512 + 100).map((_, index) => index & 0xff);
      machine.writeFile(`${directory}/file`, bytes);
      const device = machine.attachLoop({ file: `${directory}/file`, readOnly: true, offset: 512 });
      ok(/^\/dev\/loop\d+$/.test(device));
      equal(machine.stat(device)?.kind, "block");
      const reader = machine.openReader(device);
      equal(reader.size, 4 * 512);
      deepEqual(Buffer.from(reader.read(512, 4)), Buffer.from(bytes.subarray(1024, 1028)));
      reader.close();
      const other = machine.attachLoop({ file: `${directory}/file`, readOnly: true });
      ok(other !== device);
      machine.detachLoop(other);
      const part = machine.attachLoop({ file: `${directory}/file`, readOnly: true, offset: 512, size: 1024 });
      const ofPart = machine.openReader(part);
      equal(ofPart.size, 1024);
      deepEqual(Buffer.from(ofPart.read(1020, 9)), Buffer.from(bytes.subarray(1532, 1536)));
      ofPart.close();
      machine.detachLoop(part);
      machine.detachLoop(device);
      const after = machine.openReader(device);
      equal(after.size, 0);
      after.close();
      refuses("ENXIO", () => machine.detachLoop(device));
    },
  },
  {
    name: "setting a loop device up is told by an uevent",
    check(machine, directory) {
      machine.writeFile(`${directory}/file`, new Uint8Array(4096));
      machine.listenForDevices();
      while (machine.nextDeviceEvent(0) !== null);
      const device = machine.attachLoop({ file: `${directory}/file`, readOnly: true });
      const devpath = device.replace("/dev/", "/devices/virtual/block/");
      let event = machine.nextDeviceEvent(1000);
      while (event !== null && `${event.action}@${event.devpath}` !== `change@${devpath}`)
        event = machine.nextDeviceEvent(1000);
      equal(event?.subsystem, "block");
      machine.detachLoop(device);
    },
  },
  {
    name: "a loop device is not made of what is missing, a directory, or a read-only file to be written",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a`);
      machine.writeFile(`${directory}/a/file`, new Uint8Array(4096));
      machine.mount({ source: "none", target: `${directory}/a`, type: "tmpfs", flags: ["remount", "ro"], options: "" });
      refuses("ENOENT", () => machine.attachLoop({ file: `${directory}/none`, readOnly: true }));
      refuses("EINVAL", () => machine.attachLoop({ file: directory, readOnly: true }));
      refuses("EISDIR", () => machine.attachLoop({ file: directory, readOnly: false }));
      refuses("EROFS", () => machine.attachLoop({ file: `${directory}/a/file`, readOnly: false }));
      refuses("ENOENT", () => machine.detachLoop("/dev/none"));
    },
  },
  {
    name: "an image file is mounted by its loop device, which a read-only one cannot be written to",
    check(machine, directory) {
      const device = machine.attachLoop({ file: makeMedium(machine, directory), readOnly: true });
      mountImage(machine, device, `${directory}/tree`);
      equal(readText(machine, `${directory}/tree/hello`), HELLO);
      equal(readText(machine, `${directory}/tree/etc/name`), "squashfs\n");
      const { magic, freeBytes } = machine.statFilesystem(`${directory}/tree`);
      deepEqual([magic, freeBytes], [SQUASHFS_MAGIC, 0]);
      refuses("EROFS", () => machine.writeFile(`${directory}/tree/hello`, ""));
      const writable = { source: device, target: `${directory}/tree`, flags: [], options: "" } as const;
      refuses("EBUSY", () => machine.mount({ ...writable, type: "ext4" }));
      machine.unmount(`${directory}/tree`);
      for (const type of ["ext4", "squashfs"]) refuses("EACCES", () => machine.mount({ ...writable, type }));
      machine.detachLoop(device);
    },
  },
  {
    name: "a loop device keeps its medium busy until it is detached and its last mount is gone",
    check(machine, directory) {
      const device = machine.attachLoop({ file: makeMedium(machine, directory), readOnly: true });
      refuses("EBUSY", () => machine.unmount(`${directory}/medium`));
      mountImage(machine, device, `${directory}/tree`);
      machine.detachLoop(device);
      equal(readText(machine, `${directory}/tree/hello`), HELLO);
      refuses("EBUSY", () => machine.unmount(`${directory}/medium`));
      machine.unmount(`${directory}/tree`);
      machine.unmount(`${directory}/medium`);
    },
  },
  {
    name: "a medium below a mounted image can be unmounted lazily: the image stays",
    check(machine, directory) {
      const device = machine.attachLoop({ file: makeMedium(machine, directory), readOnly: true });
      mountImage(machine, device, `${directory}/tree`);
      machine.unmount(`${directory}/medium`, true);
      deepEqual(machine.listDirectory(`${directory}/medium`), []);
      equal(readText(machine, `${directory}/tree/hello`), HELLO);
      machine.detachLoop(device);
    },
  },
  {
    name: "what is not of the type asked for is EINVAL, and the kernel says so in its log, without our own lines",
    check(machine, directory) {
      machine.writeFile(`${directory}/file`, new Uint8Array(1 << 20));
      machine.makeDirectory(`${directory}/a`);
      const device = machine.attachLoop({ file: `${directory}/file`, readOnly: true });
      const name = device.slice("/dev/".length);
      const request = { source: device, target: `${directory}/a`, flags: ["ro"], options: "" } as const;
      const mark = machine.kernelLogMark();
      machine.writeKernelLog(6, "a line of ours\nand another");
      refuses("EINVAL", () => machine.mount({ ...request, type: "squashfs" }));
      const between = machine.kernelLogMark();
      refuses("EINVAL", () => machine.mount({ ...request, type: "ext4" }));
      const squashfs = `Can't find a SQUASHFS superblock on ${name}`;
      const ext4 = `EXT4-fs (${name}): VFS: Can't find ext4 filesystem`;
      deepEqual(machine.kernelLogSince(mark), [squashfs, ext4]);
      deepEqual(machine.kernelLogSince(between), [ext4]);
      const [one, other] = machine.readKernelLog().slice(-2);
      deepEqual([one?.text, other?.text], [squashfs, ext4]);
      ok(one !== undefined && other !== undefined && one.atMs > 0 && one.atMs <= other.atMs);
      ok(other.atMs <= machine.nowMs() + CLOCK_SKEW_MS);
      deepEqual(machine.kernelLogSince(machine.kernelLogMark()), []);
      machine.detachLoop(device);
    },
  },
];
