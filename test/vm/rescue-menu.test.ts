import { expect } from "bun:test";
import { filesImage } from "../support/disk-images.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { press } from "../support/keyboard.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import type { Vm } from "../support/qemu.ts";
import { vmTest } from "../support/vm-test.ts";

const MENU = "letter and Enter> ";

/** Types lines at the prompts of the menu on the serial line. */
async function type(vm: Vm, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    await vm.expect("> ");
    vm.send(`${line}\r`);
  }
}

vmTest(
  "the menu on the screen's keyboard and on a serial line: a wrong root, a driver on a blacklist, a shell, and the boot goes on",
  async () =>
    levainGuest({
      disks: [await rootImage("squashfs-gzip"), await filesImage("ext4", {}, { label: "DATA" })],
      cmdline:
        "console=tty0 console=ttyS0 root=LABEL=WRONG rd.timeout=1 rd.driver.blacklist=squashfs rd.emergency=menu",
    }),
  async (vm) => {
    await vm.expect("the boot stopped at the step root\ncould not find the root device\n");
    await vm.expect(MENU);
    // The screen shows the same, and its keyboard is heard at the same time.
    await press(vm, "d", "ret");
    await vm.expect(/ 1 \/dev\/vdb ext4 "DATA": no system, written \w+/);
    await vm.expect("/dev/vda squashfs: cannot be mounted");
    await vm.expect("back> ");
    await press(vm, "down", "ret");
    await vm.expect("the root has no init");
    await type(vm, "e", "a", "root=/dev/vda", "r");
    await vm.expect("squashfs: its driver squashfs is on a blacklist");
    await vm.expect(MENU);
    vm.send("s\r");
    await vm.expect(PROMPT);
    // What the tab key completes.
    vm.send("levain-se\t rd.debug=no; levain menu\n");
    await vm.expect("retry adds rd.debug=no\n");
    await type(vm, "m", "squashfs", "", "r");
    await vm.expect("small-root: ready");
    expect(vm.log()).not.toContain("the rescue menu has failed");
  },
);
