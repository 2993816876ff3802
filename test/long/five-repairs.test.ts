import { expect } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { filesImage } from "../support/disk-images.ts";
import { encryptedVolume, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { corruptImage, rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

// The table of docs/rescue.md: what a person types who knows only what the screen says.

interface Repair {
  readonly what: string;
  readonly machine: () => Promise<VmTestOptions>;
  /** What a person reads first, in the report. */
  readonly report: string | RegExp;
  /** What is typed in the menu, and what the person has read before. */
  readonly steps: readonly (readonly [seen: string | RegExp, typed?: string])[];
  readonly keys: number;
}

const MENU = "letter and Enter> ";
const BACK = "back> ";
const root = () => rootImage("ext4", { label: "ROOT" });

const stick = (image: string, label = "FLASH", uuid = "F1A5-4001") =>
  filesImage("vfat", { "/newroot.sfs": image }, { label, uuid });

async function fullStore(): Promise<string> {
  const file = join(scratchDirectory(), "store");
  await run(["mkfs.ext4", "-q", "-L", "STORE", file, "1M"]);
  return file;
}

const REPAIRS: readonly Repair[] = [
  {
    what: "a wrong root=",
    machine: async () => levainGuest({ disks: [await root()], cmdline: "root=LABEL=WRONG rd.timeout=1" }),
    report: 'no device with label "WRONG"',
    steps: [[MENU, "d"], [/ 1 \/dev\/vda ext4 "ROOT": Small root/], [BACK, "1"]],
    keys: 16,
  },
  {
    what: "a driver that a parameter keeps out",
    machine: async () =>
      levainGuest({ disks: [await root()], cmdline: "root=LABEL=ROOT rd.timeout=1 rd.driver.blacklist=virtio_blk" }),
    report: "virtio_blk",
    steps: [
      [MENU, "m"],
      ["the command line keeps out: virtio_blk"],
      ["name of the module> ", "virtio_blk"],
      ["to the menu> ", ""],
      [MENU, "r"],
    ],
    keys: 28,
  },
  {
    what: "a forgotten LUKS name",
    machine: async () =>
      levainGuest({
        disks: [(await encryptedVolume("vault")).volume],
        cmdline: "root=/dev/mapper/cryptroot rd.timeout=1",
      }),
    report: "encrypted: nothing asks to unlock it",
    steps: [
      [MENU, "d"],
      [/ 1 \/dev\/vda crypto_LUKS "VAULT": encrypted/],
      [BACK, "1"],
      ["passphrase: ", PASSPHRASE],
      [/ 1 \/dev\/mapper\/luks-\S+ ext4/],
      [BACK, "1"],
    ],
    keys: 18 + PASSPHRASE.length + 1,
  },
  {
    what: "a damaged image, and a second stick with the same",
    machine: async () =>
      levainGuest({
        disks: [
          await stick(await corruptImage(await rootImage("squashfs-zstd"), "garbled")),
          await stick(await rootImage("squashfs-zstd"), "SPARE", "F1A5-4002"),
        ],
        cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs",
      }),
    report: "newroot.sfs is damaged",
    steps: [[MENU, "d"], [/ 2 \/dev\/vdb vfat "SPARE": no system/], [BACK, "2"]],
    keys: 16,
  },
  {
    what: "a store without space",
    machine: async () =>
      levainGuest({
        disks: [await stick(await rootImage("squashfs-zstd")), await fullStore()],
        cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay=LABEL=STORE",
      }),
    report: "no space for changes is left on LABEL=STORE",
    steps: [[MENU, "k"], ["2 leave out the changes that are kept"], [BACK, "2"]],
    keys: 16,
  },
];

for (const { what, machine, report, steps, keys } of REPAIRS) {
  vmTest(`repaired from the screen alone: ${what}`, machine, async (vm) => {
    await vm.expect(report);
    await vm.expect("`levain menu` offers repairs");
    await vm.expect(PROMPT);
    const typed = ["levain menu"];
    vm.send("levain menu\r");
    for (const [seen, text] of steps) {
      await vm.expect(seen);
      if (text === undefined) continue;
      vm.send(`${text}\r`);
      typed.push(text);
    }
    await vm.expect("small-root: ready");
    expect(typed.map((text) => text.length + 1).reduce((sum, count) => sum + count)).toBe(keys);
  });
}
