import { expect, test } from "bun:test";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { readReport } from "../support/debian-lvm/report.ts";
import { type DebianOnLvm, debianOnLvm } from "../support/debian-lvm/systems.ts";
import { logIn } from "../support/debian-system.ts";
import { PASSPHRASE } from "../support/encrypted-volumes.ts";
import { levainImage } from "../support/levain-image.ts";
import type { Vm } from "../support/qemu.ts";
import { answer } from "../support/unlocking.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

// The same disks, booted by levain and by the image of initramfs-tools: the systems must not tell them apart.

const BOOT_MS = 400_000;
const REPORT_BYTES = 4 << 20;

type Report = ReadonlyMap<string, string>;

/** Boots the system from copies of its disks and returns what it says. */
async function bootAndReport(
  system: DebianOnLvm,
  initrd: string,
  unlock: (vm: Vm) => Promise<unknown>,
): Promise<Report> {
  const report = join(scratchDirectory(), "report");
  writeFileSync(report, "");
  truncateSync(report, REPORT_BYTES);
  const options = {
    name: `Debian on LVM, ${system.group}`,
    kernel: "cloud" as const,
    initrd,
    memoryMib: 1024,
    disks: [...system.disks.map((file) => ({ file })), { file: report, serial: "report", keepsWrites: true }],
    cmdline: `root=/dev/mapper/${system.group}-root ro`,
  };
  await withVm(options, 2 * BOOT_MS, async (vm) => {
    await unlock(vm);
    await logIn(vm);
    vm.send("report\n");
    await vm.expect("reported-42", BOOT_MS);
    vm.send("poweroff\n");
    await vm.expectExit(BOOT_MS);
  });
  return readReport(readFileSync(report, "utf8").replaceAll("\0", ""));
}

/** How each image gets the passphrase of the system in LUKS. */
const UNLOCK = {
  levain: (vm: Vm) => answer(vm, PASSPHRASE),
  async initramfsTools(vm: Vm) {
    await vm.expect("Please unlock disk vault", BOOT_MS);
    vm.send(`${PASSPHRASE}\n`);
  },
};

/** What differs by its nature, or is the other image's own: what fails after it, the command line, and the journal. */
const NOT_COMPARED = ["state", "failed", "cmdline", "journal", "monitor"];

test.each(["crypt", "thin"] as const)(
  "Debian 12 on LVM (%s) finds its storage as initramfs-tools would have left it",
  async (name) => {
    const system = await debianOnLvm(name);
    const files = Object.entries(system.configuration).map(([path, text]) => {
      const file = join(scratchDirectory(), basename(path));
      writeFileSync(file, text);
      return [path, file] as const;
    });
    const image = await levainImage({ files: Object.fromEntries(files) });
    const boot = (initrd: string, unlock: (vm: Vm) => Promise<unknown>) =>
      bootAndReport(system, initrd, name === "crypt" ? unlock : async () => undefined);
    const levain = await boot(image, UNLOCK.levain);
    const reference = await boot(system.initrd, UNLOCK.initramfsTools);
    expect(levain.get("state")?.trim()).toBe("running");
    expect(levain.get("failed")?.trim()).toBe("");
    expect(levain.get("target")?.trim()).toBe("active");
    for (const section of ["pvs", "vgs", "lvs"])
      expect(levain.get(section)).not.toMatch(/WARNING|[Ii]nconsistent|[Ff]ailed/);
    const compared = (report: Report) => [...report].filter(([section]) => !NOT_COMPARED.includes(section));
    expect(compared(levain)).toEqual(compared(reference));
  },
  QUEUE_TIMEOUT_MS,
);
