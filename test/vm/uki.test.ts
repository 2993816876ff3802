import { join } from "node:path";
import { ask } from "../support/ask.ts";
import { cached } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { assembleDisk, filesImage } from "../support/disk-images.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { GUEST_WORDS } from "../support/guest-words.ts";
import { debianKernel } from "../support/kernels.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { levainImage } from "../support/levain-image.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

// Firmware that enforces Secure Boot, and variables with a key for tests; both are of the package ovmf. It needs System Management Mode.
const CODE = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd";
const VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd";
const KEY = "/usr/share/ovmf/PkKek-1-snakeoil";
const SECURE_BOOT = [
  ...["-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"],
  ...["-drive", `if=pflash,unit=0,format=raw,readonly=on,file=${CODE}`],
  ...["-drive", `if=pflash,unit=1,format=raw,snapshot=on,file=${VARIABLES}`],
];

/** The private key without its passphrase, which sbsign would ask for. */
async function signingKey(): Promise<string> {
  const directory = await cached("secure-boot", "snakeoil", async (target) => {
    await run(["openssl", "rsa", "-in", `${KEY}.key`, "-passin", "pass:snakeoil", "-out", join(target, "key")]);
  });
  return join(directory, "key");
}

/** A disk with a small image that nobody has signed. */
async function unsignedDisk(): Promise<string> {
  const { vmlinuz } = await debianKernel("cloud");
  const words = ["--uki", "--linux", vmlinuz, "--init", BUSYBOX];
  return filesImage("vfat", { "/EFI/BOOT/BOOTX64.EFI": await levainImage({ kernel: "none", words }) });
}

/** The first slot is bad: the machine reboots, and its firmware keeps the count. */
const SLOTS =
  "rd.slots=A:LABEL=WRONG,B:LABEL=BREAD rd.slots.tries=1 rd.emergency=reboot rd.timeout=1 rd.break=handover";
/** For a report that fills the buffer of the serial line before the reboot. */
const LONG = Array.from("12345", (digit) => `rootfallback=LABEL=${digit.repeat(250)}`).join(" ");

async function signedDisk(): Promise<string> {
  const words = ["--uki", "--cmdline", `${GUEST_WORDS} ${SLOTS} ${LONG}`, "--sign", `${await signingKey()}:${KEY}.pem`];
  const files = { "/EFI/BOOT/BOOTX64.EFI": await levainImage({ words }) };
  return assembleDisk(
    [
      { file: await filesImage("vfat", files, { label: "ESP" }), type: "U" },
      { file: await rootImage("ext4", { label: "BREAD" }), type: "L" },
    ],
    { table: "gpt" },
  );
}

vmTest(
  "firmware that enforces Secure Boot refuses a unified kernel image that is not signed, and boots a signed one alone; a slot that is bad, and the next one",
  async () => {
    const disks = [{ file: await unsignedDisk() }, { file: await signedDisk() }];
    return {
      kernel: null,
      disks,
      extra: [...SECURE_BOOT, "-action", "reboot=reset"],
      memoryMib: 1024,
      timeoutMs: 300_000,
    };
  },
  async (vm) => {
    await vm.expect(/failed to load Boot\d+ .*: Access Denied/, 240_000);
    await vm.expect("Secure boot enabled", 240_000);
    await vm.expect("slot A: try 1 of 1, the last");
    await vm.expect("rebooting now\n");
    await vm.expect("slot B: try 1 of 1, the last", 240_000);
    await vm.expect(/root +\/dev\/vdb2 ext4 "BREAD"/);
    await vm.expect(PROMPT);
    await ask(vm, "levain slot ok", "slot B is good: it has 1 try again");
    await ask(vm, "levain slot", /A +LABEL=WRONG +0 of 1 +first\nB +LABEL=BREAD +1 of 1 +booted, good\n/);
    vm.send("exit\n");
    await vm.expect("small-root: ready");
  },
);
