import { expect } from "bun:test";
import { encryptedVolume, PASSPHRASE, ROOT_UUID } from "../support/encrypted-volumes.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { COSTLY_ITERATIONS, COSTLY_UUID, costlyVolume } from "../support/luks/costly-header.ts";
import { provideLuksImage } from "../support/luks/cryptsetup-image.ts";
import { answer, countInMemory } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

const MEMORY_MIB = 512;
/** As HMAC uses it (RFC 2104, 2): a derivation that is stopped has both in its memory. */
const PADDED = [0x36, 0x5c].map((pad) => Buffer.from(PASSPHRASE).map((byte) => byte ^ pad));
const COST = `pbkdf2, ${COSTLY_ITERATIONS} iterations of sha256`;
const MODEST_UUID = "7a0b1c2d-0000-4000-8000-0000000000c2";
/** Just enough for a process of its own. */
const MODEST_ITERATIONS = 210_000;
/** Beside the emulation of a whole machine, which other tests may slow down further. */
const AT_ONCE_MS = 20_000;

function guest(cmdline: string, disks: readonly string[]) {
  return levainGuest({ disks, cmdline, memoryMib: MEMORY_MIB, smp: 2 });
}

vmTest(
  "Ctrl-C stops a derivation of half a billion iterations, in the boot and in `levain unlock`, and the passphrase does not stay in memory; max-kdf= refuses the keyslot before the prompt, and reports its cost",
  async () => guest(`rd.luks.uuid=${COSTLY_UUID} root=UUID=${ROOT_UUID}`, [await costlyVolume()]),
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect(new RegExp(`unlocking /dev/vda: ${COST},\\s+about \\d+ (min|h); Ctrl-C\\s+gives up`));
    await vm.expect(/unlocking \/dev\/vda: \d+ s so far, about/);
    vm.send("\u0003");
    await vm.expect("cancelled by Ctrl-C", AT_ONCE_MS);
    await vm.expect(PROMPT, AT_ONCE_MS);
    expect(await countInMemory(vm, MEMORY_MIB, [Buffer.from(PASSPHRASE), ...PADDED])).toEqual([0, 0, 0]);
    vm.send("ps | grep -c '[d]erive-keys'; levain unlock\n");
    await vm.expect(/^0$/m);
    await answer(vm, PASSPHRASE);
    await vm.expect(new RegExp(`^unlocking /dev/vda: ${COST}`, "m"));
    await vm.expect(/unlocking \/dev\/vda: \d+ s so far/);
    vm.send("\u0003");
    await vm.expect("cancelled by Ctrl-C", AT_ONCE_MS);
    await vm.expect(PROMPT, AT_ONCE_MS);
    vm.send("ps | grep -c '[d]erive-keys'; ls /dev/mapper\n");
    await vm.expect(/^0\ncontrol$/m);
    expect(await countInMemory(vm, MEMORY_MIB, [Buffer.from(PASSPHRASE), ...PADDED])).toEqual([0, 0, 0]);
    const before = vm.log().length;
    vm.send("levain retry rd.luks.options=max-kdf=20\n");
    await vm.expect(
      /keyslot\s+0\s+takes\s+about\s+\d+\s+(min|h)\s+to\s+try\s+\(pbkdf2,\s+500000000\s+iterations\s+of\s+sha256\),\s+and\s+max-kdf=\s+allows\s+20\s+s/,
    );
    await vm.expect(PROMPT);
    expect(vm.log().slice(before)).not.toContain("passphrase:");
  },
);

/** Made by cryptsetup on this host, for nothing: what is in it is not looked at. */
async function modestVolume(): Promise<string> {
  const format = `cryptsetup luksFormat -q --type luks2 --uuid ${MODEST_UUID} --pbkdf pbkdf2 --hash sha256`;
  const script = `printf '${PASSPHRASE}' > key; ${format} --pbkdf-force-iterations ${MODEST_ITERATIONS} $1 key`;
  return (await provideLuksImage({ name: "modest", script, mib: 18 })).path;
}

vmTest(
  "rd.auto opens the root beside two foreign volumes that cost hours: each is named with its cost and skipped; a key that another process derived does not stay in memory",
  async () =>
    guest(`rd.auto rd.luks.name=${MODEST_UUID}=modest rd.luks.options=${MODEST_UUID}=nofail root=UUID=${ROOT_UUID}`, [
      await costlyVolume(1),
      await costlyVolume(2, { uuid: COSTLY_UUID.replace("c0", "c1") }),
      await modestVolume(),
      (await encryptedVolume("vault")).volume,
    ]),
  async (vm) => {
    for (const node of ["vda", "vdb"])
      await vm.expect(new RegExp(`warning {3}/dev/${node}: keyslot\\s+0\\s+takes\\s+about\\s+\\d+ `));
    expect(await answer(vm, PASSPHRASE)).toMatch(/^\/dev\/vdc .* as modest/);
    await vm.expect(/unlocking \/dev\/vdc: pbkdf2, 210000\s+iterations/);
    await vm.expect(/unlocking \/dev\/vdd: argon2id/);
    await vm.expect("small-root: ready");
    expect(vm.log()).not.toMatch(/unlocking \/dev\/vd[ab]/);
    vm.send("dmsetup ls; ps | grep -c '[d]erive-keys'\n");
    await vm.expect(/^modest\s.*\n0$/m);
    expect(await countInMemory(vm, MEMORY_MIB, [Buffer.from(PASSPHRASE)])).toEqual([0]);
  },
);
