// `make demo`: a USB stick with a squashfs of a small system, booted by Debian's kernel and levain, on this terminal.
// `make demo CMDLINE="rd.debug"` adds kernel parameters; `make demo GDB=1` waits for gdb before the first instruction.
import { flashStick } from "./disk-images.ts";
import { levainImage } from "./levain-image.ts";
import { type BootOptions, qemuArguments } from "./qemu.ts";
import { writeStage0Symbols } from "./stage0-symbols.ts";

/** The demo's guest: Debian's full kernel, and a FAT32 stick labelled FLASH with newroot.sfs on it. */
export async function demoGuest(): Promise<BootOptions> {
  return {
    name: "demo",
    kernel: "full",
    initrd: await levainImage({ kernel: "full" }),
    disks: [{ file: await flashStick(), bus: "usb" }],
    cmdline: "loglevel=4 root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay=tmpfs:size=100M",
    memoryMib: 1024,
  };
}

if (import.meta.main) {
  console.log("Making the image and the stick (the first time, Debian's kernel is fetched) …");
  const demo = await demoGuest();
  const guest = { ...demo, smp: 2, cmdline: `${demo.cmdline} ${process.env["CMDLINE"] ?? ""}`.trim() };
  console.log(`Kernel command line: ${guest.cmdline}\nLeave with "poweroff -f", or Ctrl-A X.\n`);
  const argv = [...(await qemuArguments(guest)), "-serial", "mon:stdio"];
  if (process.env["GDB"]) {
    argv.push("-s", "-S");
    console.log(
      `QEMU waits. In another terminal: gdb -ex "target remote :1234" -ex "hbreak supervise" ${writeStage0Symbols()}\n`,
    );
  }
  const child = Bun.spawn(argv, { stdin: "inherit", stdout: "inherit", stderr: "inherit" });
  process.on("SIGINT", () => child.kill());
  process.exitCode = await child.exited;
}
