import { describe, expect, test } from "bun:test";
import { formatIndex } from "../../../src/drivers/index/index-file.ts";
import { buildModuleIndex } from "../../../src/drivers/index/module-index.ts";
import { createLoader, loadAllDrivers } from "../../../src/drivers/loader.ts";
import type { DeviceEvent } from "../../../src/machine/machine.ts";
import type { FakeTree } from "../../support/fake-files.ts";
import { type FakeMachineOptions, fakeMachine } from "../../support/fake-machine.ts";
import { listenToVoice } from "../desk/heard-voice.ts";
import { moduleElf } from "../desk/module-elf.ts";

const DIRECTORY = "/lib/modules/6.1.0-fake";
const WISHES = { load: [], parameters: {}, blacklist: [] };

const MOUNTED = { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" };

const DRIVERS = "kernel/drivers";
const PATHS = {
  virtio: `${DRIVERS}/virtio/virtio.ko`,
  virtio_pci: `${DRIVERS}/virtio/virtio_pci.ko`,
  virtio_blk: `${DRIVERS}/block/virtio_blk.ko`,
  libata: `${DRIVERS}/ata/libata.ko`,
  ahci: `${DRIVERS}/ata/ahci.ko`,
  button: `${DRIVERS}/acpi/button.ko`,
  usbhid: `${DRIVERS}/hid/usbhid/usbhid.ko`,
  sd_mod: `${DRIVERS}/scsi/sd_mod.ko`,
  btrfs: "kernel/fs/btrfs.ko",
  sha256: "kernel/crypto/sha256.ko",
  xxhash: "kernel/crypto/xxhash.ko",
  vfat: "kernel/fs/vfat.ko",
  nls_cp437: "kernel/fs/nls_cp437.ko",
  "nls_koi8-r": "kernel/fs/nls_koi8-r.ko",
};

const NEEDS: Readonly<Record<string, string>> = {
  virtio_pci: PATHS.virtio,
  virtio_blk: PATHS.virtio,
  ahci: PATHS.libata,
};

const LISTS: FakeTree = {
  [`${DIRECTORY}/modules.dep`]: Object.entries(PATHS)
    .map(([name, path]) => `${path}: ${NEEDS[name] ?? ""}`)
    .join("\n"),
  [`${DIRECTORY}/modules.alias`]: `alias pci:v00001AF4d* virtio_pci
alias virtio:d00000002v* virtio_blk
alias pci:v*d*bc01sc06i01* ahci
alias acpi*:PNP0C0C:* button
alias fs-btrfs btrfs
alias fs-vfat vfat
`,
  [`${DIRECTORY}/modules.softdep`]: "softdep btrfs pre: sha256\nsoftdep btrfs pre: xxhash\n",
  [`${DIRECTORY}/modules.builtin`]: "kernel/fs/ext4/ext4.ko\n",
};

const FILES: FakeTree = {
  ...LISTS,
  ...Object.fromEntries(Object.values(PATHS).map((path) => [`${DIRECTORY}/${path}`, "module"])),
};

const SYS: FakeTree = {
  "/bus/pci/devices/0000:00:01.0/modalias": "pci:v00001AF4d00001001bc01sc00i00\n",
  "/bus/pci/devices/0000:00:02.0/modalias": "pci:v00008086d00002922bc01sc06i01\n",
  "/bus/pci/devices/0000:00:03.0/modalias": "pci:v00008086d00002922bc01sc06i01\n",
  "/bus/acpi/devices/PNP0C0C:00/modalias": "acpi:PNP0C0C:\n",
  "/bus/acpi/devices/device:00/status": "15\n",
  "/bus/cpu/devices/cpu0/modalias": "cpu:type:x86\n",
};

const KERNEL_MODULES = Object.fromEntries(Object.keys(PATHS).map((name) => [name.replaceAll("-", "_"), {}]));

function machineWith(options: FakeMachineOptions = {}) {
  return fakeMachine({
    modules: KERNEL_MODULES,
    mounted: MOUNTED,
    ...options,
    files: { ...FILES, ...options.files },
    sys: options.sys ?? SYS,
  });
}

function loadsOf({ journal }: { readonly journal: readonly string[] }): readonly string[] {
  return journal.filter((line) => line.startsWith("load ")).map((line) => line.replace(/^.*\/([^/]+)\.ko/, "$1"));
}

function addEvent(subsystem: string, modalias: string): DeviceEvent {
  return { action: "add", devpath: "/devices/x", subsystem, properties: { MODALIAS: modalias } };
}

describe("drivers for the devices of the machine", () => {
  test("come in waves, each with its dependencies, once for several devices", () => {
    const machine = machineWith({
      sys: { ...SYS, "/bus/scsi/devices": { directory: true }, "/bus/usb/devices": { directory: true } },
    });
    const voice = listenToVoice();
    const loader = createLoader(machine, WISHES, voice);
    expect(loadsOf(machine)).toEqual(["virtio", "virtio_pci"]);
    expect(loader.loadMore()).toBe(true);
    expect(loadsOf(machine).slice(2)).toEqual(["libata", "ahci", "sd_mod"]);
    expect(loader.loadMore()).toBe(true);
    expect(loadsOf(machine).slice(5)).toEqual(["button", "usbhid"]);
    expect(loader.loadMore()).toBe(false);
    expect(loader.counts()).toEqual({ modules: 7, devices: 3 });
    expect(voice.warnings).toEqual([]);
  });

  test("come by the aliases in the modules if there is no modules.alias", () => {
    const path = `${DIRECTORY}/${DRIVERS}/block/virtio_blk.ko`;
    const blk = moduleElf("alias=virtio:d00000002v*", "depends=virtio,virtio-ring");
    for (const dep of ["", "kernel/drivers/block/virtio_blk.ko:\n"]) {
      const machine = fakeMachine({
        modules: { virtio_blk: { needs: ["virtio_ring"] }, virtio: {}, virtio_ring: { needs: ["virtio"] } },
        mounted: MOUNTED,
        files: {
          ...(dep === "" ? {} : { [`${DIRECTORY}/modules.dep`]: dep }),
          [path]: blk,
          [`${DIRECTORY}/extra/virtio.ko`]: moduleElf("license=GPL"),
          [`${DIRECTORY}/extra/virtio_ring.ko`]: moduleElf("depends=virtio"),
        },
        sys: {},
      });
      const loader = createLoader(machine, WISHES, listenToVoice());
      loader.handleEvent(addEvent("virtio", "virtio:d00000002v00001AF4"));
      expect(loadsOf(machine)).toEqual(["virtio", "virtio_ring", "virtio_blk"]);
    }
  });

  test.each([
    ["booster", "/usr/lib/modules"],
    ["tiny-initramfs", ""],
  ])("come from a directory for one kernel, as in the images of %s", (_tool, directory) => {
    const machine = fakeMachine({
      modules: { virtio_blk: { needs: ["virtio"] }, virtio: {} },
      mounted: MOUNTED,
      files: {
        [`${directory}/virtio_blk.ko`]: moduleElf("alias=virtio:d00000002v*", "depends=virtio"),
        [`${directory}/virtio.ko`]: moduleElf("license=GPL"),
      },
      sys: {},
    });
    const loader = createLoader(machine, WISHES, listenToVoice());
    loader.handleEvent(addEvent("virtio", "virtio:d00000002v00001AF4"));
    loader.loadAll(); // where a file lies tells of no early wave
    expect(loadsOf(machine)).toEqual(["virtio", "virtio_blk"]);
  });

  test("come with a device's event, at once or in their wave", () => {
    const machine = machineWith({ sys: {} });
    const loader = createLoader(machine, WISHES, listenToVoice());
    loader.handleEvent(addEvent("virtio", "virtio:d00000002v00001AF4"));
    expect(loadsOf(machine).at(-1)).toBe("virtio_blk");
    loader.handleEvent(addEvent("acpi", "acpi:PNP0C0C:"));
    loader.handleEvent({ ...addEvent("acpi", "acpi:PNP0C0C:"), action: "remove" });
    loader.handleEvent(addEvent("cpu", "acpi:PNP0C0C:"));
    expect(loadsOf(machine)).not.toContain("button");
    loader.loadAll();
    expect(loadsOf(machine)).toContain("button");
  });

  test("are all loaded for a shell, without those that are already loaded", () => {
    const machine = machineWith();
    createLoader(machine, WISHES, listenToVoice());
    loadAllDrivers(machine, WISHES, listenToVoice());
    expect(loadsOf(machine)).toEqual(["virtio", "virtio_pci", "libata", "ahci", "button"]);
  });

  test("are looked up again after events were lost", () => {
    const machine = machineWith();
    machine.listenForDevices();
    machine.overflowEvents();
    const loader = createLoader(machine, WISHES, listenToVoice());
    loader.coldplug();
    expect(loadsOf(machine)).toEqual(["virtio", "virtio_pci"]);
  });

  test("come by the builder's index as by depmod's files", () => {
    const text = (name: string) => String(LISTS[`${DIRECTORY}/${name}`] ?? "");
    const files = {
      dep: text("modules.dep"),
      alias: text("modules.alias"),
      softdep: "",
      order: "",
      builtin: "",
      builtinModinfo: "",
    };
    const index = formatIndex(buildModuleIndex("6.1.0-fake", files));
    const machine = machineWith({
      files: {
        [`${DIRECTORY}/levain-modules`]: index,
        [`${DIRECTORY}/modules.dep`]: "",
        [`${DIRECTORY}/modules.alias`]: "",
      },
    });
    createLoader(machine, WISHES, listenToVoice());
    expect(loadsOf(machine)).toEqual(["virtio", "virtio_pci"]);
  });
});

describe("modules by name", () => {
  test("with parameters of modprobe.d and then of the command line", () => {
    const machine = machineWith({ files: { "/etc/modprobe.d/a.conf": "options ahci a=1\n" } });
    createLoader(machine, { ...WISHES, load: ["ahci"], parameters: { ahci: "b=2" } }, listenToVoice());
    expect(loadsOf(machine).slice(0, 2)).toEqual(["libata", "ahci a=1 b=2"]);
  });

  test("that are built in or loaded give no warning, a missing one does", () => {
    const machine = machineWith();
    const voice = listenToVoice();
    const loader = createLoader(machine, { ...WISHES, load: ["ext4", "virtio-pci", "nosuch\u001b"] }, voice);
    expect(voice.warnings).toEqual([
      "this image has no module nosuch\\x1b: add it with levain image --module nosuch\\x1b",
    ]);
    expect(loader.loadByName("virtio_pci")).toBe("ready");
    expect(loader.loadByName("nosuch")).toBe("unknown");
  });

  test("are loaded although they are blacklisted; by alias they are not", () => {
    const machine = machineWith({ files: { "/lib/modprobe.d/a.conf": "blacklist virtio_pci" } });
    const loader = createLoader(machine, { ...WISHES, blacklist: ["ahci"] }, listenToVoice());
    loader.loadAll();
    expect(loadsOf(machine)).toEqual(["button"]);
    expect(loader.loadByAlias("pci:v00001AF4d00001001bc01sc00i00")).toBe("blacklisted");
    expect(loader.blocked()).toContainEqual({
      module: "virtio_pci",
      alias: "pci:v00001AF4d00001001bc01sc00i00",
      path: expect.stringContaining("virtio_pci.ko"),
      by: "blacklist virtio_pci",
      place: "modprobe.d",
    });
    expect(loader.loadByName("ahci")).toBe("ready");
  });

  test("follow install commands that do nothing; others are reported and not run", () => {
    const machine = machineWith({
      files: {
        "/etc/modprobe.d/a.conf": "install virtio /bin/false\ninstall libata /bin/true\ninstall button /bin/sh -c x\n",
      },
    });
    const voice = listenToVoice();
    createLoader(machine, WISHES, voice).loadAll();
    expect(loadsOf(machine)).toEqual(["ahci", "button"]);
    expect(voice.warnings).toHaveLength(1);
    expect(voice.warnings[0]).toContain("install button /bin/sh -c x");
  });
});

describe("filesystems", () => {
  test("bring every soft dependency, because the image may have no modprobe for the kernel", () => {
    const machine = machineWith({ sys: {} });
    createLoader(machine, WISHES, listenToVoice()).loadFilesystem("btrfs");
    expect(loadsOf(machine).slice(-3)).toEqual(["sha256", "xxhash", "btrfs"]);
  });

  test("bring the character sets that they request, and those of the options", () => {
    const machine = machineWith();
    createLoader(machine, WISHES, listenToVoice()).loadFilesystem("vfat", "umask=077,iocharset=koi8-r");
    expect(loadsOf(machine).slice(-3)).toEqual(["vfat", "nls_cp437", "nls_koi8-r"]);
  });

  test("that are unknown are no error here", () => {
    const voice = listenToVoice();
    createLoader(machineWith(), WISHES, voice).loadFilesystem("__proto__");
    expect(voice.warnings).toEqual([]);
  });
});

describe("refusals", () => {
  test("are reported once, with the kernel's messages", () => {
    const machine = machineWith();
    const kernelLog = ["ahci: version magic '6.0' should be '6.1'", "eth0: link up"];
    machine.refuse("startModule", "/ahci.ko", "ENOEXEC", { kernelLog });
    const voice = listenToVoice();
    const loader = createLoader(machine, { ...WISHES, load: ["ahci"] }, voice);
    loader.loadAll();
    expect(loader.loadByName("ahci")).toBe("failed");
    expect(voice.warnings).toHaveLength(1);
    expect(voice.warnings[0]).toStartWith("could not load the module ahci: ");
    expect(voice.warnings[0]).toContain("another kernel");
    expect(voice.warnings[0]).toContain("version magic '6.0' should be '6.1'");
    expect(voice.warnings[0]).not.toContain("eth0");
  });

  test("of a dependency prevent a module; of a soft dependency they do not", () => {
    const machine = machineWith();
    machine.refuse("startModule", "/libata.ko", "EKEYREJECTED");
    machine.refuse("startModule", "/sha256.ko", "ENODEV");
    const voice = listenToVoice();
    const loader = createLoader(machine, WISHES, voice);
    loader.loadAll();
    loader.loadFilesystem("btrfs");
    expect(loadsOf(machine)).not.toContain("ahci");
    expect(loadsOf(machine).at(-1)).toBe("btrfs");
    expect(voice.warnings).toHaveLength(1);
    expect(voice.warnings[0]).toContain("signature");
  });

  test("because a module is already loaded, or has no hardware, are not reported", () => {
    const machine = machineWith();
    machine.refuse("startModule", "/libata.ko", "EEXIST");
    machine.refuse("startModule", "/button.ko", "ENODEV");
    const voice = listenToVoice();
    createLoader(machine, WISHES, voice).loadAll();
    expect(loadsOf(machine)).toContain("ahci");
    expect(voice.warnings).toEqual([]);
  });
});

describe("an image without modules for this kernel", () => {
  test("says so if it has another kernel's modules", () => {
    const machine = fakeMachine({ files: { "/lib/modules/5.10.0/modules.dep": "kernel/a.ko:" } });
    const voice = listenToVoice();
    const loader = createLoader(machine, { ...WISHES, load: ["a"] }, voice);
    expect(voice.warnings[0]).toBe(
      "this image contains no modules for 6.1.0-fake; it has those of 5.10.0: no driver can be loaded; rebuild the image with levain image --kernel 6.1.0-fake",
    );
    expect(voice.warnings.slice(1)).toEqual(["this image has no module a: it contains none for this kernel"]);
    expect(loader.loadMore()).toBe(true);
    expect(loader.counts()).toEqual({ modules: 0, devices: 0 });
  });

  test("does not count an empty directory as its modules", () => {
    const voice = listenToVoice();
    const files = {
      "/lib/modules/6.1.0-fake": { directory: true },
      "/lib/modules/5.10.0": { directory: true },
    } as const;
    createLoader(fakeMachine({ files }), WISHES, voice);
    expect(voice.warnings[0]).toStartWith("this image contains no modules for 6.1.0-fake; it has those of 5.10.0: ");
  });

  test("blames the memory if the kernel could not unpack all of it", () => {
    const machine = fakeMachine({ files: { "/lib/modules/6.1.0-fake/kernel/a.ko": "" } });
    machine.say("Initramfs unpacking failed: write error");
    machine.kernelLogMark(); // it was said before anybody listened
    const voice = listenToVoice();
    createLoader(machine, WISHES, voice);
    expect(voice.warnings).toEqual([
      "the initramfs did not fit into memory: the kernel left out its end: drivers are missing",
    ]);
  });

  test("is no problem if it has no modules at all", () => {
    const voice = listenToVoice();
    createLoader(fakeMachine(), WISHES, voice).loadAll();
    expect(voice.warnings).toEqual([]);
  });
});
