import { expect } from "bun:test";
import { encryptedVolume, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { press, pressUntilExit } from "../support/keyboard.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { promptGuest } from "../support/prompt-image.ts";
import type { Vm } from "../support/qemu.ts";
import { countInMemory, typeKeys } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

const MEMORY_MIB = 512;
const SECRET = "Sauerteig-Grüße 7391";

const QUIET_MS = 3000;

/** Waits for an answer: what it was, and the screen's last lines. */
async function readAnswer(vm: Vm, number: number) {
  const [, kind = "", hex = ""] = await vm.expect(new RegExp(`^answer ${number}: (\\w+) (.*)$`, "m"));
  const [, lines = ""] = await vm.expect(/^((?:screen: .*\n)*)screen ends$/m);
  const screen = lines.split("\n").map((line) => line.replace(/^screen: (.*)\|$/, "$1"));
  return { kind, text: Buffer.from(hex, "hex").toString(), screen: screen.slice(-4, -1) };
}

vmTest(
  "passphrases typed on a serial console and on a German keyboard, with a prompt on both at once",
  async () => ({ initrd: await promptGuest(), cmdline: "quiet console=tty0 console=ttyS0", memoryMib: MEMORY_MIB }),
  async (vm) => {
    const question = (number: number) =>
      `  unlock    volume ${number}, 3 tries left, keymap de-latin1\n            passphrase: `;
    const asked = (number: number) => `  unlock    volume ${number}, 3 tries left, keymap de-latin1`;
    await vm.expect(question(1));
    vm.send(`wrong\x15${SECRET}x\x7f\x1b[A\r\nand more`);
    expect(await readAnswer(vm, 1)).toEqual({
      kind: "passphrase",
      text: SECRET,
      screen: [asked(1), "            passphrase: answered on ttyS0", "cursor at column 0"],
    });

    await vm.expect("            wrong passphrase\n"); // and perhaps that "and more" came too early
    await vm.expect(question(2));
    // Z and Y have changed places; right of P is Ü, and with AltGr Q is @.
    await press(vm, "shift+y", "u", "bracket_left", "left", "y", "z", "alt_r+q", "n", "backspace", "ret");
    expect(await readAnswer(vm, 2)).toEqual({
      kind: "passphrase",
      text: "Zuüzy@",
      screen: [asked(2), "            passphrase: (hidden)", "cursor at column 0"],
    });
    expect(vm.log()).toContain("passphrase: answered on tty0\nanswer 2");

    await vm.expect(question(3));
    vm.send("half");
    await vm.expect("(hidden)");
    await press(vm, "a", "ctrl+c");
    expect((await readAnswer(vm, 3)).kind).toBe("cancelled");
    expect(vm.log()).toContain("passphrase: (hidden) cancelled on tty0\nanswer 3");

    await vm.expect(question(4));
    const texts = [SECRET, SECRET.slice(0, 9), "answered on"].map((text) => Buffer.from(text));
    const [secret, part, control] = await countInMemory(vm, MEMORY_MIB, texts);
    expect({ secret, part }).toEqual({ secret: 0, part: 0 });
    expect(control).toBeGreaterThan(0);
    vm.send("end\x04");
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
    expect(vm.log()).not.toContain("Sauer");
  },
);

vmTest(
  "only a serial console is named, and the kernel's terminals use Latin-1: the screen has the prompt too, and its answer is UTF-8",
  async () => ({ initrd: await promptGuest(), cmdline: "quiet vt.default_utf8=0" }),
  async (vm) => {
    await vm.expect("  unlock    volume 1, 3 tries left, keymap de-latin1\n            passphrase: ");
    vm.send("yz\r");
    expect(await readAnswer(vm, 1)).toMatchObject({ kind: "passphrase", text: "yz" });
    await vm.expect("volume 2");
    await press(vm, "y", "bracket_left", "alt_r+e", "ret");
    expect(await readAnswer(vm, 2)).toMatchObject({ kind: "passphrase", text: "zü¤" });
    await vm.expect("volume 3");
    vm.send("end\r");
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);

vmTest(
  "the rescue shell on a German keyboard: the minus sign is where the keymap has it",
  async () =>
    levainGuest({
      cmdline: "root=LABEL=WRONG rd.timeout=1 loglevel=7 console=tty0",
      image: { config: 'parameters = ["rd.vconsole.keymap=de-latin1"]' },
    }),
  async (vm) => {
    await vm.expect("levain: rescue shell:");
    const exit = await pressUntilExit(vm, ..."reboot", "spc", "slash", "f");
    expect(exit).toMatchObject({ reason: "guest-reset" });
  },
);

/** Waits until the drivers are loaded: a guest that is busy with them loses keys of QEMU's keyboard, whose queue is short. */
async function untilQuiet(vm: Vm): Promise<void> {
  while (vm.silentMs() < QUIET_MS) await vm.pause(250);
}

// What a prompt waits for is in test/boot/drivers-at-prompt.test.ts.
vmTest(
  "a keyboard that is plugged in during the prompt gets its driver, and types the passphrase",
  async () =>
    levainGuest({
      disks: [(await encryptedVolume("vault")).volume],
      cmdline: "cryptdevice=LABEL=VAULT:vault root=/dev/mapper/vault loglevel=7 console=tty0",
      image: { kernel: "full", words: ["--keymap", "us", "--keymap", "de-latin1"] },
      memoryMib: 768,
      extra: ["-machine", "i8042=off", "-device", "qemu-xhci,id=xhci"],
    }),
  async (vm) => {
    await vm.expect("as vault, 5 tries left, keymap us\n            passphrase: ");
    await vm.monitor("device_add", { driver: "usb-kbd", id: "keyboard", bus: "xhci.0" });
    await vm.expect(/USB HID v\S+ Keyboard \[QEMU QEMU USB Keyboard\]/);
    await untilQuiet(vm);
    await typeKeys(vm, `${PASSPHRASE}\n`);
    await vm.expect("answered on tty0");
    await vm.expect("handover  switch_root to /sbin/init");
  },
);
