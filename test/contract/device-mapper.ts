import { deepEqual, equal, ok } from "node:assert/strict";
import type { DeviceEvent, Machine } from "../../src/machine/machine.ts";
import { type ContractCase, FIXTURES, HELLO, loadModule, mountImage, readText, refuses } from "./case.ts";
import {
  attachBytes,
  attachEncrypted,
  cryptLine,
  expectNoMapping,
  mappingOf,
  PLAIN,
  readDevice,
  tableLine,
  XTS,
} from "./mappings.ts";

/** The device mapper, once loop devices are there and the modules of `KERNEL_CIPHER_CASES`. */
export const DEVICE_MAPPER_CASES: readonly ContractCase[] = [
  {
    name: "without its module there is no device mapper: nothing is listed, no target known, and a mapping is ENOENT",
    check(machine) {
      deepEqual(machine.listMappings(), []);
      equal(machine.mappingTargetVersion("crypt"), null);
      refuses("ENOENT", () => machine.createMapping(mappingOf("none", tableLine("linear", 8, "/dev/loop0 0"))));
      refuses("ENOENT", () => machine.removeMapping("none"));
      refuses("ENOENT", () => machine.mappingStatus("none"));
    },
  },
  {
    name: "a target is known with its version when its module is loaded, and before that EINVAL in a table",
    check(machine, directory) {
      loadModule(machine, "dm-mod");
      equal(machine.stat("/dev/mapper/control")?.kind, "character");
      equal(machine.mappingTargetVersion("linear")?.[0], 1);
      equal(machine.mappingTargetVersion("crypt"), null);
      const device = attachEncrypted(machine, directory, XTS, PLAIN);
      refuses("EINVAL", () => machine.createMapping(mappingOf("early", cryptLine(XTS, device, PLAIN.length))));
      expectNoMapping(machine);
      loadModule(machine, "dm-crypt");
      const [major, minor] = machine.mappingTargetVersion("crypt") ?? [];
      ok(major === 1 && (minor ?? 0) >= 18, `dm-crypt ${major}.${minor}`);
      machine.detachLoop(device);
    },
  },
  {
    name: "a mapping shows what is encrypted below it, is found by its name, and leaves nothing when it is removed",
    check(machine, directory) {
      const device = attachEncrypted(machine, directory, XTS, PLAIN);
      const mapping = machine.createMapping(mappingOf("vault", cryptLine(XTS, device, PLAIN.length)));
      deepEqual(mapping, { name: "vault", uuid: "CRYPT-TEST-vault", device: mapping.device });
      ok(/^dm-\d+$/.test(mapping.device));
      deepEqual(machine.listMappings(), [mapping]);
      deepEqual(readDevice(machine, "/dev/mapper/vault"), Buffer.from(PLAIN));
      equal(machine.readLink("/dev/mapper/vault"), `../${mapping.device}`);
      equal(machine.mappingStatus("vault"), "");
      const sysfs = `/sys/class/block/${mapping.device}`;
      deepEqual(
        ["size", "ro", "dm/name", "dm/uuid"].map((name) => readText(machine, `${sysfs}/${name}`)),
        ["16\n", "0\n", "vault\n", "CRYPT-TEST-vault\n"],
      );
      deepEqual(machine.listDirectory(`${sysfs}/slaves`), [device.replace("/dev/", "")]);
      equal(machine.stat(`/dev/${mapping.device}`)?.represents, readText(machine, `${sysfs}/dev`).trim());
      machine.removeMapping("vault");
      expectNoMapping(machine);
      for (const call of [machine.removeMapping, machine.mappingStatus]) refuses("ENXIO", () => call("vault"));
      machine.detachLoop(device);
    },
  },
  {
    name: "a mapping is told by an uevent when it is there, another when it has its content, and one when it is gone",
    check(machine, directory) {
      const device = attachEncrypted(machine, directory, XTS, PLAIN);
      machine.listenForDevices();
      while (machine.nextDeviceEvent(0) !== null);
      const { device: name } = machine.createMapping(mappingOf("told", cryptLine(XTS, device, PLAIN.length)));
      const events = takeEvents(machine, name, "change");
      deepEqual(
        events.map(({ action }) => action),
        ["add", "change"],
      );
      for (const { devpath, subsystem, properties } of events) {
        deepEqual([devpath, subsystem], [`/devices/virtual/block/${name}`, "block"]);
        const { DEVNAME, DEVTYPE, MAJOR, MINOR } = properties;
        deepEqual([DEVNAME, DEVTYPE, `${MAJOR}:${MINOR}`], [name, "disk", machine.stat(`/dev/${name}`)?.represents]);
      }
      machine.removeMapping("told");
      equal(takeEvents(machine, name, "remove").at(-1)?.action, "remove");
      machine.detachLoop(device);
    },
  },
  {
    name: "a filesystem inside of a mapping is mounted by its link, and until it is unmounted the mapping is EBUSY",
    check(machine, directory) {
      const image = machine.readFile(FIXTURES.squashfs);
      const device = attachEncrypted(machine, directory, XTS, image);
      const line = cryptLine(XTS, device, image.length);
      machine.createMapping(mappingOf("tree", line, { readOnly: true }));
      mountImage(machine, "/dev/mapper/tree", `${directory}/tree`);
      equal(readText(machine, `${directory}/tree/hello`), HELLO);
      refuses("EBUSY", () => machine.removeMapping("tree"));
      machine.unmount(`${directory}/tree`);
      const reader = machine.openReader("/dev/mapper/tree");
      refuses("EBUSY", () => machine.removeMapping("tree"));
      reader.close();
      machine.removeMapping("tree");
      machine.createMapping(mappingOf("tree", line, { readOnly: true }));
      equal(readText(machine, `/sys/class/block/${machine.listMappings()[0]?.device}/ro`), "1\n");
      machine.removeMapping("tree");
      machine.detachLoop(device);
    },
  },
  {
    name: "a mapping is as it was asked for, also on a write-protected device",
    check(machine, directory) {
      machine.writeFile(`${directory}/volume`, PLAIN);
      const device = machine.attachLoop({ file: `${directory}/volume`, readOnly: true });
      const line = tableLine("linear", 16, `${device} 0`);
      for (const readOnly of [true, false]) {
        const { device: name } = machine.createMapping(mappingOf("written", line, { readOnly }));
        equal(readText(machine, `/sys/class/block/${name}/ro`), readOnly ? "1\n" : "0\n");
        machine.removeMapping("written");
      }
      machine.detachLoop(device);
    },
  },
  {
    name: "what is mounted cannot be mapped, what is mapped cannot be mounted, and its loop device stays with it",
    check(machine, directory) {
      const image = machine.readFile(FIXTURES.squashfs);
      const device = attachBytes(machine, directory, image);
      const line = tableLine("linear", image.length / 512, `${device} 0`);
      mountImage(machine, device, `${directory}/tree`);
      refuses("EBUSY", () => machine.createMapping(mappingOf("held", line)));
      expectNoMapping(machine);
      machine.unmount(`${directory}/tree`);
      machine.createMapping(mappingOf("held", line));
      refuses("EBUSY", () => mountImage(machine, device, `${directory}/tree`));
      machine.createMapping(mappingOf("again", line));
      machine.removeMapping("again");
      machine.detachLoop(device);
      deepEqual(readDevice(machine, "/dev/mapper/held"), Buffer.from(image));
      machine.removeMapping("held");
      const after = machine.openReader(device);
      equal(after.size, 0);
      after.close();
    },
  },
];

/** The events of a device, up to the first with this action. */
function takeEvents(machine: Machine, device: string, last: string) {
  const events: DeviceEvent[] = [];
  for (;;) {
    const event = machine.nextDeviceEvent(5000);
    if (event === null) throw new Error(`nobody tells of ${last} ${device}`);
    if (!event.devpath.endsWith(`/${device}`)) continue;
    events.push(event);
    if (event.action === last) return events;
  }
}
