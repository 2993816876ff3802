import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "../support/ask.ts";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { encryptedVolume, keyFile, LUKS_UUID, PASSPHRASE, ROOT_UUID } from "../support/encrypted-volumes.ts";
import { GUEST, GUEST_ARCHITECTURE } from "../support/guest-architecture.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { damageCopy } from "../support/luks/luks2-edit.ts";
import { answer, countInMemory, typeKeys } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

const IS_PC = GUEST_ARCHITECTURE === "x86_64";
const MEMORY_MIB = 512;
const VAULT = '/dev/vda (LUKS2, "VAULT") as';
const WRONG = "pumpernickel 4711";
const HALF = "half a crispbread";
/** How many of the guest's CPUs have it. */
const AVX2 = "grep -cw avx2 /proc/cpuinfo";

/**
 * Each test has another CPU, because the runtime and glibc choose code by what it can do: "Nehalem" is x86-64-v2, the least that
 * stage0 accepts; "Haswell" and "EPYC" have AVX2, of Intel and of AMD. ERMS is slow to emulate (EMULATED_CPU). AArch64 has its usual one.
 */
async function guest(cpu: string, cmdline: string, disk?: string) {
  const file = disk ?? (await encryptedVolume("vault")).volume;
  return levainGuest({ disks: [file], ...(IS_PC ? { cpu } : {}), cmdline, memoryMib: MEMORY_MIB });
}

/** `file` with the first copy of its LUKS2 header damaged, in its JSON. */
function damagedHeader(file: string): string {
  const copy = join(scratchDirectory(), "damaged");
  const bytes = readFileSync(file);
  copyDisk(file, copy);
  writeFileSync(copy, Buffer.concat([damageCopy(bytes.subarray(0, 1 << 20), 0, 0x1100), bytes.subarray(1 << 20)]));
  return copy;
}

/** Of `vault`: 64 bytes, two keys of AES. */
async function volumeKey(): Promise<Buffer> {
  const disk = (await encryptedVolume("vault")).volume;
  const said = await run([LEVAIN, "luks", disk, "--key-file", await keyFile(), "--volume-key"]);
  return Buffer.from(/^volume key +([0-9a-f]{128})$/m.exec(said)?.[1] ?? "", "hex");
}

vmTest(
  "the fourth passphrase opens the root, and none of them stays in memory; only the kernel's cipher has the volume key",
  () => guest("Nehalem", `rd.luks.uuid=${LUKS_UUID.vault} root=UUID=${ROOT_UUID} rd.luks.options=discard quiet`),
  async (vm) => {
    for (const left of ["5 tries left", "4 tries left", "3 tries left"])
      expect(await answer(vm, WRONG)).toBe(`${VAULT} luks-${LUKS_UUID.vault}, ${left}`);
    expect(await answer(vm, PASSPHRASE)).toBe(`${VAULT} luks-${LUKS_UUID.vault}, 2 tries left`);
    await vm.expect(`small-root: mount / ext4 /dev/mapper/luks-${LUKS_UUID.vault} ro,`);
    await vm.expect("small-root: ready");
    expect(vm.log()).not.toContain(PASSPHRASE);
    expect(vm.log().match(/wrong passphrase/g)).toHaveLength(3);
    if (IS_PC) await ask(vm, AVX2, /^0$/m);
    await ask(
      vm,
      "dmsetup table --showkeys",
      /crypt aes-xts-plain64 :64:logon:cryptsetup:\S+-d0 0 254:0 8192 1 allow_discards\s*$/m,
    );
    await ask(vm, "dmsetup info -c --noheadings -o uuid", `CRYPT-LUKS2-${LUKS_UUID.vault.replaceAll("-", "")}-luks-`);
    await ask(
      vm,
      "grep -c logon /proc/keys; cat /run/udev/data/b253:0",
      "\n0\nE:DM_UDEV_PRIMARY_SOURCE_FLAG=1\nE:DM_UDEV_DISABLE_LIBRARY_FALLBACK_FLAG=1\n",
    );
    const key = await volumeKey();
    const texts = [PASSPHRASE, WRONG, PASSPHRASE.slice(4, 16)].map((text) => Buffer.from(text));
    const keys = [key, key.subarray(0, 32), key.subarray(32)];
    const [right, wrong, part, ...ofKeys] = await countInMemory(vm, MEMORY_MIB, [...texts, ...keys]);
    expect({ right, wrong, part }).toEqual({ right: 0, wrong: 0, part: 0 });
    // The kernel works with it, half by half, as long as the disk is open; that is all there is of it.
    expect(ofKeys).toEqual([0, 1, 1]);
    // What is in memory would be found.
    await ask(vm, `: ${PASSPHRASE}; echo typed-$((40 + 2))`, "typed-42");
    expect((await countInMemory(vm, MEMORY_MIB, texts.slice(0, 1)))[0]).toBeGreaterThan(0);
  },
);

vmTest(
  "on the screen's keyboard, asked by cryptdevice=; the serial console gets a message, and the answer begun there is discarded",
  () => guest("EPYC", "cryptdevice=LABEL=VAULT:vault root=/dev/mapper/vault loglevel=7 console=tty0"),
  async (vm) => {
    await vm.expect("CPU0: AMD EPYC");
    await vm.expect(`unlock    ${VAULT} vault, 5 tries left\n            passphrase: `);
    vm.send(HALF);
    await vm.expect("(hidden)");
    await typeKeys(vm, `${PASSPHRASE}\n`);
    await vm.expect("answered on tty0");
    await vm.expect("mount     /dev/mapper/vault ext4 at /sysroot, read-only");
    await vm.expect("handover  switch_root to /sbin/init");
    await vm.expect("Not activating Mandatory Access Control");
    expect(await countInMemory(vm, MEMORY_MIB, [Buffer.from(PASSPHRASE), Buffer.from(HALF)])).toEqual([0, 0]);
  },
);

vmTest(
  "a damaged header; Ctrl-C, five wrong ones, `levain unlock`, `levain retry`",
  async () => {
    const disk = damagedHeader((await encryptedVolume("vault")).volume);
    return guest("Haswell,-erms", `rd.luks.name=${LUKS_UUID.vault}=vault root=/dev/mapper/vault`, disk);
  },
  async (vm) => {
    await vm.expect(/warning {3}\/dev\/vda: .*(damaged|header)/);
    expect(await answer(vm, "never mind\u0003")).toBe(`${VAULT} vault, 5 tries left`);
    await vm.expect(`cancelled on ${GUEST.serial}`);
    await vm.expect(PROMPT);
    vm.send("levain retry\n");
    for (let left = 5; left > 0; left--) await answer(vm, WRONG);
    await vm.expect(PROMPT);
    await ask(vm, "ls /dev/mapper; levain unlock", /^control$/m);
    await answer(vm, PASSPHRASE);
    await vm.expect(/^unlocking \/dev\/vda: argon2id, 8 MiB, \d lanes?$/m);
    await vm.expect(PROMPT);
    await ask(vm, "ls -l /dev/mapper; levain retry", /vault -> \.\.\/dm-0/);
    await vm.expect("small-root: mount / ext4 /dev/mapper/vault ro,");
    await vm.expect("small-root: ready");
    await ask(vm, AVX2, /^1$/m);
    // Neither of the boot nor of the command, whose process has ended since.
    expect(await countInMemory(vm, MEMORY_MIB, [Buffer.from(PASSPHRASE), Buffer.from(WRONG)])).toEqual([0, 0]);
  },
);
