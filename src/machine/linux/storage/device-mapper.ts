import { constants } from "node:fs";
import { isErrno, orIfRefused, SyscallError, tolerateRefusal } from "../../../problems/errors.ts";
import { AT_FDCWD, O_CLOEXEC } from "../../abi/constants.ts";
import * as abi from "../../abi/crypt.ts";
import type { DeviceMapper, Mapping, MappingRequest } from "../../encryption.ts";
import type { Files } from "../../machine.ts";
import { closing } from "../descriptors.ts";
import type { AsyncCalls } from "../workers/async-calls.ts";
import type { Order } from "../workers/worker.ts";
import {
  askDeviceMapper,
  CONTROL,
  type DmAnswer,
  type DmRequest,
  encodeRequest,
  openControl,
  readText,
} from "./dm-ioctl.ts";
import { makeMissingNode } from "./nodes.ts";

type NodeFiles = Pick<
  Files,
  "stat" | "lstat" | "readFile" | "makeNode" | "makeDirectory" | "makeSymlink" | "removeFile"
>;
type Ask = (ioctl: number, subject: string, request: DmRequest) => DmAnswer;

/** Implements the device mapper by its ioctls. Without udev there are no cookies: nodes and links exist when the calls return. */
export function createDeviceMapper(files: NodeFiles, { carryOut }: Pick<AsyncCalls, "carryOut">): DeviceMapper {
  function withControl<Result>(use: (ask: Ask) => Result): Result {
    return closing(openControl(files), (fd) =>
      use((ioctl, subject, request) => askDeviceMapper(fd, ioctl, subject, request)),
    );
  }
  /** Returns `none` if the kernel has no device mapper. */
  function withControlOr<Result>(none: Result, use: (ask: Ask) => Result): Result {
    try {
      return withControl(use);
    } catch (error) {
      if (isErrno(error, "ENOENT") && error.subject === CONTROL) return none;
      throw error;
    }
  }
  return {
    createMapping: (request) => withControl((ask) => createMapping(ask, files, request)),
    removeMapping(name) {
      checkName(name);
      const { minor } = withControl((ask) => ask(abi.DM_DEV_STATUS, name, { name }));
      const answer = carryOut(removeOrder(name), REMOVE_MS);
      const result = answer === null ? "ETIMEDOUT" : answer !== "alone" && answer.results[1];
      if (typeof result === "string") throw new SyscallError("ioctl", result, name);
      if (answer === "alone") withControl((ask) => ask(abi.DM_DEV_REMOVE, name, { name }));
      for (const path of [linkPath(name), `/dev/dm-${minor}`]) if (files.lstat(path) !== null) files.removeFile(path);
    },
    listMappings: () => withControlOr([], listMappings),
    mappingTargetVersion: (type) => withControlOr(null, (ask) => findTargetVersion(ask, type)),
    mappingStatus: (name) => withControl((ask) => readStatus(ask, name)),
  };
}

function createMapping(ask: Ask, files: NodeFiles, request: MappingRequest): Mapping {
  checkRequest(request);
  const { name, uuid, readOnly, targets } = request;
  const { minor } = ask(abi.DM_DEV_CREATE, name, { name, uuid });
  const device = `dm-${minor}`;
  try {
    ask(abi.DM_TABLE_LOAD, name, { name, flags: readOnly ? abi.DM_READONLY_FLAG : 0, targets });
    ask(abi.DM_DEV_SUSPEND, name, { name });
    linkNode(files, name, device);
  } catch (error) {
    // If this is refused too, the first error is the one to report.
    tolerateRefusal(() => ask(abi.DM_DEV_REMOVE, name, { name }));
    throw error;
  }
  return { name, uuid, device };
}

/** The kernel waits for what is under way on the disk below. */
const REMOVE_MS = 10_000;

/** The order to remove a device; its second result is that of the ioctl. */
function removeOrder(name: string): Order {
  const request = encodeRequest({ name });
  const path = { data: request.length };
  return {
    calls: [
      ["openat", AT_FDCWD, path, constants.O_RDWR | O_CLOEXEC, 0],
      ["ioctl", { resultOf: 0 }, abi.DM_DEV_REMOVE, { data: 0 }],
      ["close", { resultOf: 0 }],
    ],
    data: Buffer.concat([request, Buffer.from(`${CONTROL}\0`)]),
    answerBytes: 0,
  };
}

function listMappings(ask: Ask): readonly Mapping[] {
  const { data } = ask(abi.DM_LIST_DEVICES, CONTROL, {});
  return readList(data, abi.DM_NAME_LIST.next, abi.DM_NAME_LIST.name).flatMap(({ name }) => {
    // An empty list is one entry without a name.
    return name === "" ? [] : describeMapping(ask, name);
  });
}

/** Empty if the device has gone since it was listed, or its name is not valid text. */
function describeMapping(ask: Ask, name: string): readonly Mapping[] {
  const status = orIfRefused(() => ask(abi.DM_DEV_STATUS, name, { name }), null, "ENXIO");
  return status === null ? [] : [{ name, uuid: status.uuid, device: `dm-${status.minor}` }];
}

function findTargetVersion(ask: Ask, type: string): readonly [number, number, number] | null {
  const { data } = ask(abi.DM_LIST_VERSIONS, type, {});
  const found = readList(data, abi.DM_TARGET_VERSIONS.next, abi.DM_TARGET_VERSIONS.name).find(
    ({ name }) => name === type,
  );
  if (found === undefined) return null;
  const view = new DataView(data.buffer, data.byteOffset + found.at + abi.DM_TARGET_VERSIONS.version, 12);
  return [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)];
}

function readStatus(ask: Ask, name: string): string {
  checkName(name);
  const { data, targetCount } = ask(abi.DM_TABLE_STATUS, name, { name });
  return targetCount === 0 ? "" : readText(data, abi.DM_TARGET_SPEC.size);
}

/** Reads a list whose entries have the distance to the next entry, 0 in the last. */
function readList(data: Uint8Array, nextAt: number, nameAt: number): { readonly name: string; readonly at: number }[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const list: { name: string; at: number }[] = [];
  for (let at = 0; at + nameAt < data.length; ) {
    list.push({ name: readText(data, at + nameAt), at });
    const next = view.getUint32(at + nextAt, true);
    if (next === 0) break;
    at += next;
  }
  return list;
}

/** Makes the link that udev would make, by which programs find a mapping. */
function linkNode(files: NodeFiles, name: string, device: string): void {
  makeMissingNode(files, `/dev/${device}`, "block", `/sys/class/block/${device}/dev`);
  const link = linkPath(name);
  files.makeDirectory("/dev/mapper");
  // The kernel has accepted the name, so an existing link is stale.
  if (files.lstat(link) !== null) files.removeFile(link);
  files.makeSymlink(`../${device}`, link);
}

function linkPath(name: string): string {
  return `/dev/mapper/${name}`;
}

function checkRequest({ name, uuid, targets }: MappingRequest): void {
  checkName(name);
  checkText(uuid, 0, abi.DM_UUID_LEN);
  for (const { type, parameters, startSector, sectors } of targets) {
    checkText(type, 1, abi.DM_MAX_TYPE_NAME);
    const isCut = parameters.includes(0) || !isCount(startSector) || !isCount(sectors);
    if (isCut) throw new SyscallError("ioctl", "EINVAL", `table of ${name}`);
  }
}

/** A name becomes part of a path and of messages. */
function checkName(name: string): void {
  checkText(name, 1, abi.DM_NAME_LEN);
  if (name.includes("/") || [".", "..", "control"].includes(name)) refuseText(name);
}

/** `room` includes the NUL. */
function checkText(text: string, least: number, room: number): void {
  const bytes = Buffer.from(text);
  const isFit = bytes.length >= least && bytes.length < room;
  if (!isFit || bytes.some((byte) => byte < 0x20 || byte === 0x7f)) refuseText(text);
}

function refuseText(text: string): never {
  throw new SyscallError("ioctl", "EINVAL", JSON.stringify(text));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
