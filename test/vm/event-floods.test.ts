import { expect } from "bun:test";
import { blankDisk } from "../support/disk-images.ts";
import { encryptedVolume, LUKS_UUID, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { compileStatic } from "../support/packed-program.ts";
import { vmTest } from "../support/vm-test.ts";

// A second program in the initramfs has the kernel report changes of an unrelated disk, vdb, without end.

async function guest(disk: string, cmdline: string) {
  const flood = await compileStatic("uevent-flood.c");
  return levainGuest({
    disks: [disk, await blankDisk(4)],
    cmdline: `rdinit=/uevent-flood ${cmdline}`,
    image: { files: { "/uevent-flood": flood } },
    memoryMib: 640,
    // With one CPU, the second program would leave the boot too little of it.
    smp: 2,
  });
}

vmTest(
  "as many changes of an unrelated disk as the kernel can report do not hold up a boot",
  async () => guest(await rootImage("ext4", { label: "ROOT" }), "EVENT_MS=0 root=LABEL=ROOT"),
  async (vm) => {
    await vm.expect(/root +\/dev\/vda ext4 "ROOT"/);
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "beside 100 changes a second, rd.timeout= holds, a passphrase is typed and accepted, the prompt does not move, and the boot goes on",
  async () => guest((await encryptedVolume("vault")).volume, "EVENT_MS=10 root=LABEL=NONE rd.timeout=3"),
  async (vm) => {
    await vm.expect('no device with label "NONE" appeared within 3 s');
    await vm.expect(PROMPT);
    vm.send(`levain retry rd.luks.name=${LUKS_UUID.vault}=vault root=/dev/mapper/vault\n`);
    await vm.expect("passphrase: ");
    await vm.pause(3000);
    const drawn = () => vm.log().split("passphrase: ").length - 1;
    const before = drawn();
    await vm.pause(4000);
    expect(drawn() - before).toBeLessThan(10);
    for (const key of `${PASSPHRASE}\n`) {
      vm.send(key);
      await Bun.sleep(50);
    }
    await vm.expect("small-root: ready");
  },
);
