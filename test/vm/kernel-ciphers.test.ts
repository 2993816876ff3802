import { expect } from "bun:test";
import { dirname, join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { guestPrograms } from "../support/guest-programs.ts";
import { packDirectory, writeTree } from "../support/initramfs.ts";
import { debianKernel } from "../support/kernels.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

// As cryptsetup is told of them.
const CIPHERS = [
  "serpent-xts-plain64 -s 512",
  "twofish-xts-plain64 -s 256",
  "camellia-xts-plain64 -s 512",
  "cast6-xts-plain64 -s 512",
  "serpent-xts-essiv:sha256 -s 512",
  "serpent-cbc-essiv:sha256 -s 256",
  "twofish-cbc-essiv:sha256 -s 256",
  "camellia-cbc-essiv:sha256 -s 256",
  "twofish-cbc-plain -s 256",
  "serpent-cbc-plain64be -s 256",
  "twofish-cbc-benbi -s 192",
  "serpent-cbc-eboiv -s 256",
  "serpent-cbc-null -s 128",
  "serpent-ctr-plain64 -s 256",
  "twofish-ecb -s 256",
  "serpent-lrw-benbi -s 384",
  "aes-lrw-benbi -s 384",
  "blowfish-cbc-plain64 -s 128",
  "cast5-cbc-plain64be -s 128",
  "des3_ede-cbc-benbi -s 192",
  "blowfish-cbc-essiv:sha256 -s 256",
  "xchacha12,aes-adiantum-plain64 -s 256",
] as const;
const CIPHERS_OF_LUKS2 = CIPHERS.slice(0, 6);
const MODULE_DIRECTORIES = ["crypto", "arch/x86/crypto", "drivers/md", "drivers/block", "lib/crypto"];
const COST = "--pbkdf-force-iterations 1000";

function fileName(cipher: string): string {
  return cipher.replace(/[^a-z0-9_]+/g, "-");
}

/** The volume key is the first bytes of the file `volume-keys`: so cryptsetup does not have to unlock the volume to print it. */
function formatLines(cipher: string, name: string, format: string): string {
  const keyBytes = Number(/-s (\d+)/.exec(cipher)?.[1]) / 8;
  return `truncate -s 4M ${name}; head -c ${keyBytes} volume-keys > ${name}.key
    cryptsetup luksFormat -q ${format} ${COST} -c ${cipher} --volume-key-file ${name}.key ${name} key || echo "cannot make ${name}"`;
}

const LUKS1 = CIPHERS.map((cipher) => formatLines(cipher, fileName(cipher), "--type luks1"));
const LUKS2 = CIPHERS_OF_LUKS2.map((cipher) => {
  const format = "--type luks2 --pbkdf pbkdf2 --luks2-keyslots-size 1m --offset 4096 --sector-size 512";
  return formatLines(cipher, `luks2-${fileName(cipher)}`, format);
});
const NAMES = [...CIPHERS.map(fileName), ...CIPHERS_OF_LUKS2.map((cipher) => `luks2-${fileName(cipher)}`)];

/**
 * LUKS1 headers are made while there is no AF_ALG: by dm-crypt itself. LUKS2 is not made without it.
 * Before they are opened all modules go, and from then on the kernel loads none by itself.
 */
function initScript(version: string): string {
  const skcipher = `/lib/modules/${version}/kernel/crypto/algif_skcipher.ko`;
  return `#!/bin/busybox sh
/bin/busybox mkdir -p /bin /sbin /proc /sys /dev /run /tmp /volumes
/bin/busybox --install -s /bin
ln -sf /bin/busybox /sbin/modprobe
export PATH=/bin:/sbin:/usr/sbin DM_DISABLE_UDEV=1
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev; mount -t tmpfs -o size=80% run /volumes
for module in loop dm-mod dm-crypt; do modprobe $module; done
mv ${skcipher} /kept; cd /volumes; printf pass > key; head -c 64 /dev/urandom > volume-keys
${LUKS1.join("\n")}
/unlock explain ${fileName(CIPHERS[0])}
mv /kept ${skcipher}
${LUKS2.join("\n")}
for module in $(sed 's/ .*//' /proc/modules); do modprobe -r $module 2>/dev/null; done
echo > /proc/sys/kernel/modprobe
/unlock open ${NAMES.join(" ")}
printf wrong > key
/unlock wrong ${NAMES.join(" ")}
poweroff -f
`;
}

async function guestOptions() {
  const { modulesDir, version } = await debianKernel("cloud");
  const tree = scratchDirectory();
  const program = join(scratchDirectory(), "unlock");
  const main = join(import.meta.dirname, "../support/luks/unlock-guest.ts");
  await run([process.execPath, "build", "--compile", main, "--outfile", program]);
  const { [program]: unlock, ...programs } = await guestPrograms("/sbin/cryptsetup", program);
  if (unlock === undefined) throw new Error("no program");
  writeTree(tree, {
    ...programs,
    "/unlock": unlock,
    "/bin/busybox": { file: BUSYBOX },
    "/init": { text: initScript(version) },
  });
  for (const directory of MODULE_DIRECTORIES) {
    const to = join(tree, "lib/modules", version, "kernel", directory);
    await runScript('mkdir -p "$2"; cp -r "$1" "$2"', [join(modulesDir, "kernel", directory), dirname(to)]);
  }
  await runScript('cp "$1"/modules.* "$2"', [modulesDir, join(tree, "lib/modules", version)]);
  return { initrd: await packDirectory(tree), cmdline: "quiet", memoryMib: 1024, timeoutMs: 300_000 };
}

vmTest("key material that dm-crypt has encrypted is decrypted by the kernel's ciphers", guestOptions, async (vm) => {
  await vm.expect(`wrong: ${NAMES.length} volumes`, 280_000);
  const log = vm.log();
  expect(log).not.toContain("cannot");
  const said = (mode: string) =>
    [...log.matchAll(new RegExp(`^${mode}: (\\S+): (.*?)\\r?$`, "gm"))].map(([, name, text]) => `${name}: ${text}`);
  const all = (text: string) => NAMES.map((name) => `${name}: ${text}`);
  expect(said("open")).toEqual(all("same key"));
  expect(said("wrong")).toEqual(all("wrong-passphrase"));
  expect(log).toMatch(/^open: \d+ volumes, algif_skcipher .*crypto-serpent/m);
  expect(said("explain")[0]).toContain(
    "keyslot 0 is encrypted with serpent-xts-plain64, which this kernel does not have (crypto-serpent, crypto-xts, crypto-ecb)",
  );
});
