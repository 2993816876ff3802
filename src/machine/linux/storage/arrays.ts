import { isErrno, orIfRefused, tolerateRefusal } from "../../../problems/errors.ts";
import * as abi from "../../abi.ts";
import type { Files } from "../../machine.ts";
import type { ArrayRequest, Arrays } from "../../storage/arrays.ts";
import { closing, openFile } from "../descriptors.ts";
import { systemCall } from "../libc.ts";

const PARAMETERS = "/sys/module/md_mod/parameters";
/** Makes an array appear, by its name. */
const NEW_ARRAY = `${PARAMETERS}/new_array`;
/** 1: a new array is read-only until something writes to it. */
const START_READ_ONLY = `${PARAMETERS}/start_ro`;

type ArrayFiles = Pick<Files, "stat" | "readFile" | "writeFile" | "makeNode">;

/** Implements `Arrays`. */
export function createArrays(files: ArrayFiles): Arrays {
  return {
    startArray(request) {
      const node = appear(files, request.name);
      closing(openFile(node, "r+"), (fd) => {
        try {
          addMembers(fd, node, request);
          runReadOnly(files, () => systemCall("ioctl", node, fd, abi.RUN_ARRAY, 0));
        } catch (error) {
          tolerateRefusal(() => systemCall("ioctl", node, fd, abi.STOP_ARRAY, 0));
          throw error;
        }
      });
    },
    stopArray: (name) =>
      closing(openFile(`/dev/${name}`, "r+"), (fd) => void systemCall("ioctl", name, fd, abi.STOP_ARRAY, 0)),
  };
}

/** Has the kernel make the array's device, without members yet; returns its node. */
function appear(files: ArrayFiles, name: string): string {
  const node = `/dev/${name}`;
  try {
    files.writeFile(NEW_ARRAY, name);
  } catch (error) {
    // Kernels before 4.14 do not know numbers here, but make the array when its node is opened.
    if (!isErrno(error, "EINVAL", "ENOENT", "EEXIST")) throw error;
  }
  if (files.stat(node) === null) files.makeNode(node, "block", abi.MD_MAJOR, Number(name.slice("md".length)), 0o660);
  return node;
}

function addMembers(fd: number, node: string, { metadata, members }: ArrayRequest): void {
  const [major = 0, minor = 0] = metadata.split(".").map(Number);
  const info = new DataView(new ArrayBuffer(abi.MDU_ARRAY_INFO.size));
  info.setInt32(abi.MDU_ARRAY_INFO.major_version, major, true);
  info.setInt32(abi.MDU_ARRAY_INFO.minor_version, minor, true);
  systemCall("ioctl", node, fd, abi.SET_ARRAY_INFO, new Uint8Array(info.buffer));
  for (const member of members) {
    const [deviceMajor = 0, deviceMinor = 0] = member.split(":").map(Number);
    const disk = new DataView(new ArrayBuffer(abi.MDU_DISK_INFO.size));
    disk.setInt32(abi.MDU_DISK_INFO.major, deviceMajor, true);
    disk.setInt32(abi.MDU_DISK_INFO.minor, deviceMinor, true);
    systemCall("ioctl", member, fd, abi.ADD_NEW_DISK, new Uint8Array(disk.buffer));
  }
}

/** The real system may want its own arrays writable at once, so the parameter is set back. */
function runReadOnly(files: ArrayFiles, run: () => void): void {
  const before = orIfRefused(() => files.readFile(START_READ_ONLY), null);
  tolerateRefusal(() => files.writeFile(START_READ_ONLY, "1"));
  try {
    run();
  } finally {
    if (before !== null) tolerateRefusal(() => files.writeFile(START_READ_ONLY, before));
  }
}
