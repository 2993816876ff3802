// `make demo`: a USB stick with a squashfs of a small system, booted by Debian's kernel and levain, on this terminal.
import { flashStick } from "./disk-images.ts";
import { levainImage } from "./levain-image.ts";
import { type BootOptions, qemuArguments } from "./qemu.ts";

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
  const guest = await demoGuest();
  console.log(`Kernel command line: ${guest.cmdline}\nLeave with "poweroff -f", or Ctrl-A X.\n`);
  const argv = [...(await qemuArguments(guest)), "-serial", "mon:stdio"];
  const child = Bun.spawn(argv, { stdin: "inherit", stdout: "inherit", stderr: "inherit" });
  process.on("SIGINT", () => child.kill());
  process.exitCode = await child.exited;
}
