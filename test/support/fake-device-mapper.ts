import type { DeviceMapper, Mapping, MappingRequest } from "../../src/machine/encryption.ts";
import type { Files } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { type FakeTarget, openTarget } from "./fake-crypt-target.ts";
import { addEntry } from "./fake-files.ts";
import type { FakeKernel, FakeModule } from "./fake-kernel.ts";

const MAJOR = 253;
const CONTROL = "/dev/mapper/control";

/** Debian's modules for encrypted volumes, for `modules` of a fake machine; their files have to be in the tree too. */
export const CRYPT_MODULES = {
  dm_mod: {
    nodes: { "/mapper/control": { node: "character", number: "10:236" } },
    targets: { linear: [1, 4, 0] },
  },
  dm_verity: { needs: ["dm_mod"], targets: { verity: [1, 9, 0] } },
  dm_crypt: { needs: ["dm_mod"], targets: { crypt: [1, 24, 0] } },
  xts: {},
  ecb: {},
  authenc: {},
  essiv: { needs: ["authenc"] },
  af_alg: {},
  algif_skcipher: { needs: ["af_alg"] },
} as const satisfies Readonly<Record<string, FakeModule>>;

interface FakeMapping extends Mapping {
  readonly number: string;
  readonly targets: readonly FakeTarget[];
}

/** The device mapper of a fake kernel, once the module dm_mod is loaded. */
export function createFakeDeviceMapper(
  kernel: FakeKernel,
  files: Pick<Files, "lstat" | "makeDirectory" | "makeSymlink" | "removeFile">,
): DeviceMapper {
  const mappings = new Map<string, FakeMapping>();
  const open = () => kernel.namespace.find(CONTROL, "open");
  const find = (name: string): FakeMapping => {
    checkName(name);
    open();
    const mapping = mappings.get(name);
    if (mapping === undefined) throw new SyscallError("ioctl", "ENXIO", name);
    return mapping;
  };
  return {
    createMapping(request) {
      open();
      checkRequest(request);
      const { name, uuid } = request;
      const isTaken = [...mappings.values()].some((one) => one.name === name || (uuid !== "" && one.uuid === uuid));
      if (isTaken) throw new SyscallError("ioctl", "EBUSY", name);
      const targets = openTable(kernel, request);
      const device = freeDevice(mappings);
      const mapping = { name, uuid, device, number: `${MAJOR}:${device.slice("dm-".length)}`, targets };
      addDevice(kernel, mapping, request.readOnly);
      mappings.set(name, mapping);
      files.makeDirectory("/dev/mapper");
      if (files.lstat(`/dev/mapper/${name}`) !== null) files.removeFile(`/dev/mapper/${name}`);
      files.makeSymlink(`../${device}`, `/dev/mapper/${name}`);
      return { name, uuid, device };
    },
    removeMapping(name) {
      const { device, number, targets } = find(name);
      const isUsed =
        kernel.filesystems.isInUse(number) || kernel.devices.isOpen(number) || kernel.devices.isHeld(number);
      if (isUsed) throw new SyscallError("ioctl", "EBUSY", name);
      mappings.delete(name);
      kernel.devices.removeDisk(device);
      files.removeFile(`/dev/mapper/${name}`);
      for (const below of targets.flatMap(listHeld)) kernel.devices.release(below.number);
      kernel.releaseUnused();
    },
    listMappings: () => [...mappings.values()].map(({ name, uuid, device }) => ({ name, uuid, device })).reverse(),
    mappingTargetVersion: (type) => kernel.targets.get(type) ?? null,
    // Neither target says anything of itself.
    mappingStatus: (name) => {
      find(name);
      return "";
    },
  };
}

function listHeld({ below, others = [] }: FakeTarget): readonly FakeTarget["below"][] {
  return [below, ...others];
}

function freeDevice(mappings: ReadonlyMap<string, FakeMapping>): string {
  const taken = new Set([...mappings.values()].map(({ device }) => device));
  for (let index = 0; ; index++) if (!taken.has(`dm-${index}`)) return `dm-${index}`;
}

/** Lines one after the other, from sector 0 on. */
function openTable(kernel: FakeKernel, { name, targets }: MappingRequest): readonly FakeTarget[] {
  let end = 0;
  const opened = targets.map((target) => {
    if (target.startSector !== end || target.sectors === 0) throw new SyscallError("ioctl", "EINVAL", name);
    end += target.sectors;
    return openTarget(kernel, name, target);
  });
  if (opened.length === 0) throw new SyscallError("ioctl", "EINVAL", name);
  return opened;
}

/** The device is there and empty, then has its content, and each is told. */
function addDevice(kernel: FakeKernel, { name, uuid, device, number, targets }: FakeMapping, readOnly: boolean): void {
  const { devices } = kernel;
  const devpath = `/devices/virtual/block/${device}`;
  const logicalBytes = Math.max(...targets.map((target) => target.logicalBytes));
  const { failsWith, failsBefore } = targets.find((target) => target.failsWith !== undefined) ?? {};
  const errors = { failsWith, failsBefore };
  const block = { name: device, number, devpath, content: new Uint8Array(), readOnly, logicalBytes, ...errors };
  const [MAJOR = "", MINOR = ""] = number.split(":");
  devices.addBlockDevice(block, { DEVTYPE: "disk" });
  addEntry(kernel.sys, `${devpath}/dm/name`, `${name}\n`);
  addEntry(kernel.sys, `${devpath}/dm/uuid`, `${uuid}\n`);
  for (const below of targets.flatMap(listHeld)) {
    devices.hold(below.number);
    addEntry(kernel.sys, `${devpath}/slaves/${below.name}`, { link: `../../../../..${below.devpath}` });
  }
  block.content = Buffer.concat(targets.map(({ read }) => read()));
  devices.emit("change", devpath, "block", { MAJOR, MINOR, DEVNAME: device, DEVTYPE: "disk" });
}

function checkRequest({ name, uuid, targets }: MappingRequest): void {
  checkName(name);
  checkText(uuid, 0, 129);
  for (const { type, parameters, startSector, sectors } of targets) {
    checkText(type, 1, 16);
    const isCount = [startSector, sectors].every((count) => Number.isSafeInteger(count) && count >= 0);
    if (parameters.includes(0) || !isCount) throw new SyscallError("ioctl", "EINVAL", name);
  }
}

function checkName(name: string): void {
  checkText(name, 1, 128);
  const isBad = name.includes("/") || [".", "..", "control"].includes(name);
  if (isBad) throw new SyscallError("ioctl", "EINVAL", JSON.stringify(name));
}

function checkText(text: string, least: number, room: number): void {
  const { length } = Buffer.from(text);
  const isFit = length >= least && length < room && !/[\0-\x1f\x7f]/.test(text);
  if (!isFit) throw new SyscallError("ioctl", "EINVAL", JSON.stringify(text));
}
