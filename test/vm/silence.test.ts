import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { encryptedVolume, LUKS_UUID, PASSPHRASE, ROOT_UUID } from "../support/encrypted-volumes.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { editJson } from "../support/luks/luks2-edit.ts";
import type { Vm } from "../support/qemu.ts";
import { answer, countInMemory, typeKeys } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

// What is typed where nobody asks for it: found nowhere else, so that a guest's memory can be searched for it.
const MEMORY_MIB = 512;
const WRONG = "pumpernickel 4711";
const [BOOTING, WAITING, DERIVING, ERASED] = ["flounder0194", "lobsters2285", "mackerel3376", "plankton4467"];
const [WAITING_KEYS, DERIVING_KEYS, UNOPENED_KEYS] = ["quahaugs558", "remoras6649", "sturgeon773"];
/** Of stty: a terminal that shows lines and lets them be edited. */
const SHELL_MODES = /eof = \^D[\s\S]* icanon [\s\S]* echo [\s\S]*-extproc/;
const PASSES = 48;
/** For a conversation in which a slow key is derived twice, on a host that has other things to do. */
const TIMEOUT_MS = 300_000;

/** The vault, whose second keyslot takes its time: a wrong passphrase is tried on both. */
async function slowVault(): Promise<string> {
  const image = readFileSync((await encryptedVolume("vault")).volume);
  const slow = editJson(image, (json) => {
    json.keyslots["1"].kdf.time = PASSES;
  });
  const file = join(scratchDirectory(), "slow");
  writeFileSync(file, slow);
  return file;
}

async function guest(cmdline: string, unplugged: boolean) {
  return levainGuest({
    disks: [{ file: await slowVault(), id: "vault", unplugged }],
    cmdline: `rd.luks.uuid=${LUKS_UUID.vault} root=UUID=${ROOT_UUID} ${cmdline}`,
    memoryMib: MEMORY_MIB,
    smp: 2,
    timeoutMs: TIMEOUT_MS,
  });
}

/** Types the same again and again on the serial line while `until` has not come. */
async function keepTyping(vm: Vm, text: string, until: string): Promise<void> {
  const timer = setInterval(() => vm.send(text), 150);
  try {
    await vm.expect(until);
  } finally {
    clearInterval(timer);
  }
}

/** Those of the texts of which the console shows as much as the first five characters. */
function listShown(vm: Vm, texts: readonly string[]): readonly string[] {
  return texts.filter((text) => vm.log().includes(text.slice(0, 5)));
}

/** The middle of each text is searched for: a buffer may begin or end within it. */
async function expectForgotten(vm: Vm, texts: readonly string[]): Promise<void> {
  const counts = await countInMemory(
    vm,
    MEMORY_MIB,
    texts.map((text) => Buffer.from(text.slice(1, 9))),
  );
  expect(Object.fromEntries(texts.map((text, index) => [text, counts[index]]))).toEqual(
    Object.fromEntries(texts.map((text) => [text, 0])),
  );
}

/** What is in memory would be found. */
async function expectFound(vm: Vm, text: string): Promise<void> {
  vm.send(`: ${text}; echo typed-$((40 + 2))\n`);
  await vm.expect("typed-42");
  const [count] = await countInMemory(vm, MEMORY_MIB, [Buffer.from(text.slice(1, 9))]);
  expect(count).toBeGreaterThan(0);
}

vmTest(
  "what is typed before the first prompt, during a key derivation and after a wrong passphrase is not shown, and does not stay in memory",
  () => guest("console=tty0 console=ttyS0", true),
  async (vm) => {
    await vm.expect(/^levain [0-9.]+ on Linux/m); // before that the kernel itself shows what is typed
    await keepTyping(vm, BOOTING, "waiting for");
    vm.send(`${WAITING}\n`);
    await typeKeys(vm, `${WAITING_KEYS}\n`);
    await vm.plug("vault");
    await vm.expect("typed before this prompt: ignored");
    expect(await answer(vm, WRONG)).toContain("5 tries left");
    await vm.expect("unlocking /dev/vda");
    vm.send(DERIVING);
    await typeKeys(vm, DERIVING_KEYS);
    await vm.expect("wrong passphrase\n            typed before this prompt: ignored\n", TIMEOUT_MS);
    expect(await answer(vm, `${ERASED}\x15${PASSPHRASE}`)).toContain("4 tries left");
    await vm.expect("small-root: ready");
    const onSerial = [BOOTING, WAITING, DERIVING, ERASED, WRONG, PASSPHRASE];
    const onKeyboard = [WAITING_KEYS, DERIVING_KEYS];
    expect(listShown(vm, onSerial)).toEqual([]);
    await expectForgotten(vm, [...onSerial, ...onKeyboard]);
    vm.send("cat /dev/vcs1; echo; echo screen-$((40 + 2))\n");
    await vm.expect("screen-42");
    expect(vm.log()).toContain("passphrase: answered on ttyS0"); // of the screen
    expect(listShown(vm, onKeyboard)).toEqual([]);
    await expectFound(vm, DERIVING);
  },
);

vmTest(
  "`levain unlock` shows nothing that is typed while it derives a key; keys that were pressed before the screen was opened are discarded",
  () => guest("rd.break=root", false),
  async (vm) => {
    await vm.expect(PROMPT);
    await typeKeys(vm, UNOPENED_KEYS); // the shell is on the serial line, and nobody has the screen open
    vm.send("levain unlock\n");
    expect(await answer(vm, WRONG)).toContain("5 tries left");
    await vm.expect("unlocking /dev/vda");
    vm.send(DERIVING);
    await vm.expect("wrong passphrase\n            typed before this prompt: ignored\n", TIMEOUT_MS);
    await answer(vm, PASSPHRASE);
    await vm.expect("/dev/vda is open");
    await vm.expect(PROMPT);
    vm.send("stty -a\n");
    await vm.expect(SHELL_MODES);
    await vm.expect(PROMPT);
    vm.send("exit\n");
    await vm.expect("small-root: ready");
    expect(listShown(vm, [DERIVING, WRONG, PASSPHRASE])).toEqual([]);
    await expectForgotten(vm, [DERIVING, WRONG, PASSPHRASE, UNOPENED_KEYS]);
    await expectFound(vm, DERIVING);
  },
);

vmTest(
  "levain is killed at the prompt: stage0's shell shows what is typed, and does not get the passphrase",
  () => guest("console=tty0 console=ttyS0 sysrq_always_enabled", false),
  async (vm) => {
    await vm.expect("passphrase: ");
    vm.send(ERASED);
    await vm.expect("(hidden)");
    // The secure attention key: whatever has the screen open ends.
    const keys = ["alt", "sysrq", "k"].map((data) => ({ type: "qcode", data }));
    await vm.monitor("send-key", { keys, "hold-time": 100 });
    await vm.expect(/killed by SIGKILL \(9\)/);
    await vm.expect(PROMPT);
    vm.send("stty -a\n");
    await vm.expect(SHELL_MODES);
    expect(listShown(vm, [ERASED])).toEqual([]);
  },
);
