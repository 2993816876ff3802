import { expect } from "bun:test";
import { rootImage } from "./filesystem-images.ts";
import { grafted } from "./foreign-images.ts";
import { PROMPT } from "./levain-guest.ts";
import { type VmTestOptions, vmTest } from "./vm-test.ts";

/** A guest with the root disk ROOT and another tool's image in which levain is /init. */
export async function graftedGuest(image: string, cmdline: string): Promise<VmTestOptions> {
  return {
    initrd: await grafted(image),
    disks: [{ file: await rootImage("ext4", { label: "ROOT" }) }],
    cmdline: `root=LABEL=ROOT rd.debug ${cmdline}`,
    memoryMib: 768,
  };
}

/** A test that boots the image of another tool, with nothing exchanged but its init. */
export function graftTest(what: string, image: () => Promise<string>): void {
  vmTest(
    `the image of ${what} with only the init exchanged has a rescue shell, and boots the root disk`,
    async () => graftedGuest(await image(), "root=LABEL=NONE rd.timeout=1"),
    async (vm) => {
      await vm.expect('no device with label "NONE"');
      await vm.expect(PROMPT);
      vm.send("levain status; echo /lib/modules/*; levain retry root=LABEL=ROOT\n");
      await vm.expect("/lib/modules/6.");
      await vm.expect("small-root: mount / ext4 /dev/vda ro,");
      await vm.expect("small-root: ready");
      expect(vm.log()).toMatch(/module virtio_blk\s/);
      expect(vm.log()).not.toContain("could not load");
      vm.send("ls /run/initramfs /run/systemd 2>&1 | grep -c 'No such file'; echo over\n");
      await vm.expect(/^2\nover/m); // none of the image's own has run
    },
  );
}
