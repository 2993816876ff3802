import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { GUEST } from "../support/guest-architecture.ts";
import { busyboxEntries, packInitramfs } from "../support/initramfs.ts";
import { makerDiskArguments } from "../support/maker-guest.ts";
import type { Vm } from "../support/qemu.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

const INIT = `
for applet in mount cat echo sleep sync poweroff reboot dd modprobe head; do /bin/busybox ln -s busybox /bin/$applet; done
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
echo "hello from $(cat /proc/sys/kernel/osrelease)"
exec /bin/sh < /dev/${GUEST.serial} > /dev/${GUEST.serial} 2>&1
`;

function busyboxInitramfs(): Promise<string> {
  return packInitramfs(busyboxEntries(INIT));
}

test.concurrent(
  "the harness expects and sends, plugs a disk in and out, never writes to a disk's file, and sees a power-off",
  async () => {
    const file = pristineDisk();
    const disks = [
      { file, bus: "nvme" as const },
      { file: pristineDisk(), bus: "nvme" as const, id: "late", serial: "L8", unplugged: true },
    ];
    const options = { name: "harness", initrd: await busyboxInitramfs(), cmdline: "quiet", disks };
    await withVm(options, 120_000, async (vm) => {
      const version = await vm.expect(/hello from (\S+)/);
      expect(version[1]).toContain("cloud");
      vm.send("echo $((6 * 7))-is-it\n");
      await vm.expect("42-is-it");
      await plugInAndOut(vm);
      vm.send("echo SPOILED | dd of=/dev/nvme0n1 conv=notrunc; sync; poweroff -f\n");
      expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
    });
    expect(readFileSync(file).subarray(0, 8).toString()).toBe("PRISTINE");
  },
  QUEUE_TIMEOUT_MS,
);

async function plugInAndOut(vm: Vm): Promise<void> {
  vm.send("[ -e /dev/nvme1n1 ] || echo none-yet\n");
  await vm.expect("\nnone-yet");
  await vm.plug("late");
  vm.send(
    "while [ ! -e /dev/nvme1n1 ]; do sleep 0.1; done; head -c 8 /dev/nvme1n1; cat /sys/block/nvme1n1/device/serial\n",
  );
  await vm.expect(/PRISTINEL8/);
  vm.send("echo SPOILED | dd of=/dev/nvme1n1 conv=notrunc; sync; head -c 7 /dev/nvme1n1\n");
  await vm.expect("\nSPOILED");
  await vm.unplug("late");
  const drives = (await vm.monitor("query-block")) as readonly { readonly qdev?: string }[];
  expect(drives.filter(({ qdev }) => qdev !== undefined)).toHaveLength(1);
  vm.send("while [ -e /dev/nvme1n1 ]; do sleep 0.1; done; echo it is gone\n");
  await vm.expect("\nit is gone");
  expect(await vm.monitor("query-named-block-nodes")).toBeArray();
}

test.concurrent(
  "a guest that QEMU lost is booted once more; one that waits or prints is not, and is reported with the end of its console in a log that is kept",
  async () => {
    const initrd = await busyboxInitramfs();
    for (const [words, boots] of [
      ["stop", 2],
      ["sleep 600", 1],
      ["while :; do sleep 1; echo again; done", 1],
    ] as const) {
      let count = 0;
      const notes: string[] = [];
      const talk = async (vm: Vm) => {
        count += 1;
        await vm.expect(/hello from 6\S/);
        if (words === "stop") await vm.monitor("stop");
        else vm.send(`${words}\n`);
        await vm.expect("good bye", 11_000);
      };
      const note = (what: string) => notes.push(what);
      const failure = withVm({ name: "frozen", initrd, cmdline: "quiet" }, 60_000, talk, { note });
      const message = await failure.then(
        () => "",
        (cause: Error) => cause.message,
      );
      expect(message).toMatch(
        /did not say good bye: 11000 ms are over[\s\S]*hello from 6\.[\s\S]*console log: .*frozen\.log$/,
      );
      expect(readFileSync(/console log: (.*)$/.exec(message)?.[1] ?? "", "utf8")).toContain("hello from");
      expect(count).toBe(boots);
      expect(notes).toHaveLength(boots - 1);
    }
  },
  QUEUE_TIMEOUT_MS,
);

test.concurrent(
  "a panic and an early end are reported at once, not after the timeout",
  async () => {
    const initrd = await packInitramfs({ "/init": { text: "#!/bin/no-such-shell\n" } });
    const failure = withVm({ name: "panic", initrd }, 60_000, async (vm) => {
      await vm.expect("never said", 60_000);
    });
    expect(failure).rejects.toThrow(/never said: the kernel panicked[\s\S]*Kernel panic - not syncing/);
    await failure.catch(() => null);
    const refused = withVm({ name: "refused", initrd, extra: ["-device", "no-such-device"] }, 60_000, async (vm) => {
      await vm.expect("never said", 60_000);
    });
    expect(refused).rejects.toThrow(/QEMU has ended \(status 1, no reason\): .*no-such-device/);
    await refused.catch(() => null);
  },
  QUEUE_TIMEOUT_MS,
);

test.concurrent(
  "a guest does not outlive a test process that is killed",
  async () => {
    const script = join(scratchDirectory(), "killed.ts");
    const support = join(import.meta.dir, "../support");
    const initrd = await busyboxInitramfs();
    writeFileSync(
      script,
      `import { boot } from ${JSON.stringify(`${support}/qemu.ts`)};
     const vm = await boot({ name: "killed", initrd: ${JSON.stringify(initrd)} });
     console.log((await vm.monitor("query-status")).status);
     await vm.exited;`,
    );
    const child = Bun.spawn([process.execPath, script], { stdout: "pipe" });
    const said = await child.stdout.getReader().read();
    expect(new TextDecoder().decode(said.value)).toBe("running\n");
    const guests = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
    expect(guests).toHaveLength(1);
    child.kill("SIGKILL");
    await child.exited;
    // The test's own time limit ends this.
    while (existsSync(`/proc/${guests[0]}`) && !/State:\s*Z/.test(readFileSync(`/proc/${guests[0]}/status`, "utf8")))
      await Bun.sleep(50);
  },
  QUEUE_TIMEOUT_MS,
);

test.concurrent(
  "the source of a fixture can be plugged into another guest while the fixture is made",
  async () => {
    const file = pristineDisk();
    const reader = makerDiskArguments({ serial: "inside0", file, readOnly: true });
    const disks = [{ file, id: "late", unplugged: true }];
    await withVm({ name: "two readers", kernel: null, disks, extra: ["-S", ...reader] }, 60_000, (vm) =>
      vm.plug("late"),
    );
  },
  QUEUE_TIMEOUT_MS,
);

function pristineDisk(): string {
  const file = join(scratchDirectory(), "disk.img");
  writeFileSync(file, `PRISTINE${"\0".repeat(1048568)}`);
  return file;
}
