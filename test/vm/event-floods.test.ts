import { expect } from "bun:test";
import { blankDisk } from "../support/disk-images.ts";
import { encryptedVolume, LUKS_UUID, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { compileStatic } from "../support/packed-program.ts";
import { vmTest } from "../support/vm-test.ts";

// A second program in the initramfs has the kernel report changes of an unrelated disk, vdb, without end.

async function guest(disk: string, cmdline: string, smp = 2) {
  const flood = await compileStatic("uevent-flood.c");
  return levainGuest({
    disks: [disk, await blankDisk(4)],
    cmdline: `rdinit=/uevent-flood ${cmdline}`,
    image: { files: { "/uevent-flood": flood } },
    memoryMib: 640,
    smp,
  });
}

for (const [rate, pauseMs] of [
  ["100 changes a second", 10],
  ["as many changes as the kernel can report", 0],
] as const) {
  vmTest(
    `${rate} of an unrelated disk do not hold up a boot`,
    async () => guest(await rootImage("ext4", { label: "ROOT" }), `EVENT_MS=${pauseMs} root=LABEL=ROOT`),
    async (vm) => {
      await vm.expect(/root +\/dev\/vda ext4 "ROOT"/);
      await vm.expect("small-root: ready");
    },
  );
}

vmTest(
  "they do not make it wait beyond rd.timeout= either",
  async () => guest(await blankDisk(8), "EVENT_MS=5 root=LABEL=ROOT rd.timeout=3 rd.emergency=poweroff"),
  async (vm) => {
    await vm.expect('no device with label "ROOT" appeared within 3 s');
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);

vmTest(
  "a passphrase is typed and accepted beside 100 change events a second, and the prompt does not move",
  async () =>
    guest(
      (await encryptedVolume("vault")).volume,
      `EVENT_MS=10 rd.luks.name=${LUKS_UUID.vault}=vault root=/dev/mapper/vault`,
    ),
  async (vm) => {
    await vm.expect("passphrase: ");
    await Bun.sleep(10_000);
    const drawn = () => vm.log().split("passphrase: ").length - 1;
    const before = drawn();
    await Bun.sleep(5000);
    expect(drawn() - before).toBeLessThan(10);
    for (const key of `${PASSPHRASE}\n`) {
      vm.send(key);
      await Bun.sleep(50);
    }
    await vm.expect("small-root: ready");
  },
);
