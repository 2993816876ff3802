import { expect } from "bun:test";
import { levainImage } from "../support/levain-image.ts";
import { smallRoot } from "../support/root-tree.ts";
import { vmTest } from "../support/vm-test.ts";

vmTest(
  "a directory of the host becomes the root, over 9p, below a tmpfs",
  async () => ({
    initrd: await levainImage({ kernel: "full" }),
    kernel: "full",
    cmdline: "root=host rootfstype=9p rd.overlay",
    extra: ["-virtfs", `local,path=${await smallRoot()},mount_tag=host,security_model=none,readonly=on`],
  }),
  async (vm) => {
    await vm.expect("9p:host, without a block device");
    await vm.expect("small-root: mount / overlay");
    await vm.expect("small-root: ready");
    vm.send("grep lower /proc/mounts; echo kept > /etc/new && cat /etc/new; poweroff -f\n");
    await vm.expect("host /run/levain/lower 9p ro");
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
  },
);
