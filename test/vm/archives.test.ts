import { expect } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { treeImage } from "../support/filesystem-images.ts";
import { levainImage } from "../support/levain-image.ts";
import { smallRoot } from "../support/root-tree.ts";
import { vmTest } from "../support/vm-test.ts";

/** A stick with the small root and one of everything as an archive of xz, and an archive that leads out of the tree. */
async function stick(): Promise<string> {
  const base = scratchDirectory();
  await runScript(
    `set -e
mkdir ${base}/stick ${base}/tree ${base}/bad
cp -a ${await smallRoot()}/. ${base}/tree/
cd ${base}/tree
mkdir -p one; echo content > one/file; chown 1234:5678 one/file; chmod 4711 one/file
ln one/file one/hard; ln -s /one/file one/soft; mknod one/null c 1 3; mkfifo one/pipe
truncate -s 8M one/holes; touch -d 2001-02-03T04:05:06Z one
setcap cap_net_raw+ep one/hard
tar --xattrs --xattrs-include='*' --sparse -cJf ${base}/stick/root.tar.xz .
cd ${base}/bad; ln -s /etc link; tar -cf ${base}/stick/bad.tar link
rm link; mkdir link; echo x > link/passwd; tar -rf ${base}/stick/bad.tar link/passwd`,
  );
  return treeImage("ext4", join(base, "stick"), { label: "FLASH" });
}

vmTest(
  "an archive becomes the root in memory, after one that leads out of the tree was refused",
  async () => ({
    initrd: await levainImage({ words: ["--program", (await run(["which", "xz"])).trim()] }),
    disks: [{ file: await stick() }],
    cmdline: "root=tmpfs rd.archive=LABEL=FLASH:/bad.tar",
  }),
  async (vm) => {
    await vm.expect("could not unpack /bad.tar");
    await vm.expect("link/passwd: it lies below an entry that is no directory");
    await vm.expect("levain:/# ");
    // The image has an /etc/passwd of its own, which the archive would replace.
    vm.send("echo mounted $(grep -c sysroot /proc/mounts), root $(grep -c ^root: /etc/passwd)\n");
    await vm.expect("mounted 0, root 1");
    vm.send("levain retry rd.archive=LABEL=FLASH:/root.tar.xz\n");
    await vm.expect("unpacking /root.tar.xz (");
    await vm.expect("small-root: mount / tmpfs");
    await vm.expect("small-root: ready");
    vm.send(
      "cd /one; stat -c '%n %a %u:%g %h %s %b %t' file holes null; stat -c %Y .; cat soft; grep -c /dev/vda /proc/mounts\n",
    );
    await vm.expect("file 4711 1234:5678 2 8 8 0");
    await vm.expect("holes 644 0:0 1 8388608 0 0");
    await vm.expect("null 644 0:0 1 0 0 1\n981173106\ncontent\n0");
    vm.send("poweroff -f\n");
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
  },
);
