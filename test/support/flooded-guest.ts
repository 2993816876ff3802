import { blankDisk } from "./disk-images.ts";
import { levainGuest } from "./levain-guest.ts";
import { compileStatic } from "./packed-program.ts";

/** A guest in which a second program has the kernel report changes of an unrelated disk, vdb, without end, one in `everyMs` (0: as many as it can). */
export async function floodedGuest(disk: string, everyMs: number, cmdline: string) {
  const flood = await compileStatic("uevent-flood.c");
  return levainGuest({
    disks: [disk, await blankDisk(4)],
    cmdline: `rdinit=/uevent-flood EVENT_MS=${everyMs} ${cmdline}`,
    image: { files: { "/uevent-flood": flood } },
    memoryMib: 640,
    // With one CPU, the second program would leave the boot too little of it.
    smp: 2,
  });
}
