import { beforeAll, describe, expect, test } from "bun:test";
import { type FakeBootOptions, rootImage } from "../support/fake-boot.ts";
import type { FakeImage } from "../support/fake-images.ts";
import type { FakeModule } from "../support/fake-kernel.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { CRYPT_IMAGE, cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// Which drivers are loaded before, during and after the prompt for a passphrase.

const UUID = "6c657661-696e-4000-8000-00000000aaaa";
const MODULES = "/lib/modules/6.1.0-fake";
const [SERIAL, SCREEN, VIRTUAL] = ["/dev/ttyS0", "/dev/tty0", "/dev/hvc0"] as const;
const format = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2 --uuid ${UUID} ${CHEAP} $1 key`;

const root = rootImage("ROOT");
let luks: FakeImage;
beforeAll(async () => {
  luks = await luksDisk({ name: "boot-drivers", script: format }, root);
});

/** Drivers of later waves: of a controller, a console, and a keyboard. */
const FILES = {
  ahci: "kernel/drivers/ata/ahci.ko",
  virtio_console: "kernel/drivers/char/virtio_console.ko",
  usbhid: "kernel/drivers/hid/usbhid.ko",
};
const SYS = {
  "/bus/usb": { directory: true },
  "/bus/pci/devices/0000:00:02.0/modalias": "pci:v00008086d00002922bc01sc06i01\n",
  "/bus/platform/devices/console/modalias": "platform:console\n",
} as const;
const CONSOLE: FakeModule = {
  nodes: { "/hvc0": { node: "character", number: "229:0" } },
  sys: { "/class/tty/console/active": "ttyS0 hvc0\n" },
};

interface Drivers {
  readonly dm_crypt?: FakeModule;
  readonly ahci?: FakeModule;
  readonly virtio_console?: FakeModule;
  readonly usbhid?: FakeModule;
}

function boot({ drivers = {}, ...more }: FakeBootOptions & { readonly drivers?: Drivers } = {}) {
  const own = Object.entries(CRYPT_IMAGE.files);
  const dep = Object.values(FILES).map((path) => `${path}:\n`);
  const aliases = ["alias pci:v*d*bc01sc06i* ahci\n", "alias platform:console virtio_console\n"];
  const extra: Readonly<Record<string, readonly string[]>> = { "modules.dep": dep, "modules.alias": aliases };
  const lists = own
    .filter(([path]) => path.startsWith(`${MODULES}/modules.`))
    .map(([path, text]) => [path, `${text}${extra[path.slice(MODULES.length + 1)]?.join("")}`] as const);
  return cryptBoot({
    cmdline: `rd.luks.name=${UUID}=cryptroot root=LABEL=ROOT`,
    disks: [{ name: "vda", image: luks }],
    images: [root],
    typing: typed("pass"),
    sys: SYS,
    ...more,
    modules: { ...CRYPT_IMAGE.modules, ahci: {}, virtio_console: {}, usbhid: {}, ...drivers },
    files: {
      ...Object.fromEntries(Object.values(FILES).map((path) => [`${MODULES}/${path}`, "module"])),
      ...Object.fromEntries(lists),
      ...more.files,
    },
  });
}

type Booted = ReturnType<typeof boot>;

/** What happened in turn: "ask" when a prompt was shown for the first time, and the drivers whose loading began. */
function watchTurns(turns: string[], watched = Object.keys(FILES)) {
  return (machine: FakeMachine) => {
    const { writeTerminal, startModule } = machine;
    Object.assign(machine, {
      writeTerminal(node: string, text: string) {
        if (text.includes("  unlock    ")) turns.push(`ask on ${node.slice("/dev/".length)}`);
        writeTerminal(node, text);
      },
      startModule(...given: Parameters<typeof startModule>) {
        const name = given[0].replace(/^.*\/([^/]+)\.ko$/, "$1");
        if (watched.includes(name)) turns.push(name);
        return startModule(...given);
      },
    });
  };
}

const handsOver = ({ end }: Booted) => expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot" });

/** When the fake person presses Enter: a second after the prompt, which is shown as soon as the kernel has started. */
const ENTER_MS = 2000;

describe("with a console", () => {
  test("the prompt is shown before the drivers of later waves are loaded; those for typing are the first of them", () => {
    const turns: string[] = [];
    const result = boot({ before: watchTurns(turns) });
    handsOver(result);
    expect(turns).toEqual(["ask on ttyS0", "virtio_console", "usbhid", "ahci"]);
    expect(result.endMs).toBe(ENTER_MS);
  });

  test("and before device mapper is loaded, for which Enter waits", () => {
    const turns: string[] = [];
    const dmCrypt = { ...CRYPT_IMAGE.modules["dm_crypt"], takesMs: 3000 };
    const result = boot({ before: watchTurns(turns, ["dm-mod", "dm-crypt"]), drivers: { dm_crypt: dmCrypt } });
    handsOver(result);
    expect(turns).toEqual(["ask on ttyS0", "dm-mod", "dm-crypt"]);
    expect(result.endMs).toBe(ENTER_MS + 2000);
  });

  test("Enter does not wait for a driver that is still being loaded, nor for those after it", () => {
    const turns: string[] = [];
    const result = boot({ before: watchTurns(turns), drivers: { virtio_console: { takesMs: 3000 } } });
    handsOver(result);
    expect(turns).toEqual(["ask on ttyS0", "virtio_console"]);
    expect(result.endMs).toBe(ENTER_MS);
    expect(result.console).not.toContain("virtio_console");
  });

  test("a driver that never returns holds up neither the keys nor the drivers after it", () => {
    const turns: string[] = [];
    const result = boot({
      before: watchTurns(turns),
      drivers: { virtio_console: { takesMs: Number.POSITIVE_INFINITY } },
      typing: [
        { terminal: SERIAL, text: "pas", atMs: 2000 },
        { terminal: SERIAL, text: "s\r", atMs: 9000 },
      ],
    });
    handsOver(result);
    expect(turns).toEqual(["ask on ttyS0", "virtio_console", "usbhid", "ahci"]);
    expect(result.endMs).toBe(9000);
    const busy = "module virtio_console: the kernel has not finished loading it, the boot continues meanwhile";
    expect(result.console).toContain(busy);
    // The prompt made room for the message, and stands below it with what was typed.
    expect(result.machine.terminals.screen(SERIAL)).toMatch(/\(hidden\)\r {32}\r {12}passphrase: \(hidden\)\n$/);
  });

  test("nothing is written to the prompt while drivers are loaded that have nothing to say", () => {
    const result = boot({ drivers: { ahci: { takesMs: 100 }, virtio_console: { takesMs: 300 } } });
    handsOver(result);
    expect(result.machine.terminals.screen(SERIAL)).toMatch(/passphrase: \(hidden\)\n$/);
    expect(result.machine.terminals.screen(SERIAL).split("passphrase: ")).toHaveLength(2);
  });

  test("rd.debug names the drivers, but not on the prompt's line", () => {
    const cmdline = `rd.debug rd.luks.name=${UUID}=cryptroot root=LABEL=ROOT`;
    const result = boot({ cmdline, drivers: { ahci: { takesMs: 100 } } });
    handsOver(result);
    for (const name of Object.keys(FILES)) expect(result.console).toContain(`debug     module ${name}\n`);
    expect(result.machine.terminals.screen(SERIAL)).toMatch(/ {12}passphrase: \(hidden\)\n$/);
    expect(result.console).toMatch(/\n {2}debug {5}module ahci\n/);
  });

  test("a driver is loaded for a device that another announces meanwhile", () => {
    const turns: string[] = [];
    const result = boot({
      before: watchTurns(turns),
      sys: { "/bus/platform/devices/console/modalias": "platform:console\n" },
      drivers: { virtio_console: { takesMs: 200, announces: ["pci:v00008086d00002922bc01sc06i01"] } },
    });
    handsOver(result);
    expect(turns).toEqual(["ask on ttyS0", "virtio_console", "ahci"]);
  });

  test("Ctrl-C, a shell and another try: what the first loader was waiting for disturbs nobody", () => {
    let redraws = 0;
    const result = boot({
      drivers: { virtio_console: { takesMs: 20_000 } },
      person: [() => undefined],
      typing: [
        { terminal: SERIAL, text: "\x03", atMs: 2000 },
        { terminal: SERIAL, text: "pass\r", atMs: 40_000 },
      ],
      before(machine) {
        const { writeTerminal } = machine;
        Object.assign(machine, {
          writeTerminal(node: string, text: string) {
            redraws += text.startsWith("\r") ? 1 : 0;
            writeTerminal(node, text);
          },
        });
      },
    });
    handsOver(result);
    expect([result.shells, result.endMs]).toEqual([1, 40_000]);
    expect(redraws).toBeLessThan(10);
  });
});

describe("a console that a driver brings", () => {
  test("gets the prompt as soon as the driver is loaded, and its answer counts", () => {
    const turns: string[] = [];
    const result = boot({
      before: watchTurns(turns),
      drivers: { ahci: { takesMs: 4000 }, virtio_console: { ...CONSOLE, takesMs: 1000 } },
      typing: [
        { terminal: SERIAL, text: "pa", atMs: 2000 },
        { terminal: VIRTUAL, text: "pass\r", atMs: 7000 },
      ],
    });
    handsOver(result);
    expect(turns).toEqual(["ask on ttyS0", "virtio_console", "usbhid", "ask on hvc0", "ahci"]);
    expect(result.endMs).toBe(7000);
    expect(result.machine.terminals.screen(SERIAL)).toEndWith("passphrase: (hidden) answered on hvc0\n");
  });

  test("is held silent from then on, not from the next uevent", () => {
    const opened: string[] = [];
    boot({
      drivers: { virtio_console: { ...CONSOLE, takesMs: 500 } },
      before(machine) {
        const { openTerminals } = machine;
        Object.assign(machine, {
          openTerminals(nodes: readonly string[]) {
            for (const node of nodes) opened.push(`${node} at ${machine.nowMs()}`);
            return openTerminals(nodes);
          },
        });
      },
    });
    expect(opened).toContain(`${VIRTUAL} at 1500`);
  });

  test("is waited for where there is no other", () => {
    const turns: string[] = [];
    const note = watchTurns(turns);
    const result = boot({
      sys: { ...SYS, "/class/tty/console/active": "\n" },
      drivers: { virtio_console: { ...CONSOLE, sys: { "/class/tty/console/active": "hvc0\n" }, takesMs: 500 } },
      typing: [{ terminal: VIRTUAL, text: "pass\r" }],
      before(machine) {
        note(machine);
        const { openTerminals } = machine;
        const openOthers = (nodes: readonly string[]) => openTerminals(nodes.filter((node) => node !== "/dev/console"));
        Object.assign(machine, { openTerminals: openOthers });
      },
    });
    handsOver(result);
    expect(turns).toEqual(["ahci", "virtio_console", "usbhid", "ask on hvc0"]);
  });
});

test("a screen is a console too: its keyboard's driver comes while the prompt stands there", () => {
  const turns: string[] = [];
  const result = boot({
    before: watchTurns(turns),
    sys: { ...SYS, "/class/tty/console/active": "tty0\n" },
    dev: { "/tty0": { node: "character", number: "4:0" } },
    drivers: { usbhid: { takesMs: 500 } },
    typing: [{ terminal: SCREEN, text: "pass\r" }],
  });
  handsOver(result);
  expect(turns).toEqual(["ask on tty0", "virtio_console", "usbhid", "ahci"]);
});

describe("an encrypted volume that the root may not need", () => {
  test("is not asked for before the drivers of the root are loaded", () => {
    const turns: string[] = [];
    const plain = rootImage("PLAIN");
    const result = boot({
      before: watchTurns(turns),
      cmdline: "rd.auto root=LABEL=PLAIN",
      images: [root, plain],
      drivers: { ahci: { disks: [{ name: "sda", image: plain }] } },
    });
    handsOver(result);
    expect(turns).toEqual(["ahci", "virtio_console", "usbhid"]);
    expect(result.mounts).toContain("/sysroot ext4 /dev/sda");
  });
});
