import { expect } from "bun:test";
import { join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { debianKernel } from "../support/kernels.ts";
import { LEVAIN, levainImage } from "../support/levain-image.ts";
import type { Vm } from "../support/qemu.ts";
import { vmTest } from "../support/vm-test.ts";

// A machine with Debian's kernel, an AHCI disk and GRUB's configuration on a /boot of its own, which checks its next boot itself.

const COMMAND_MS = 400_000;
const ROOT = "root=LABEL=DOCTOR";

const grubConfig = (version: string) => `set default="0"
menuentry 'Small root' $menuentry_id_option 'small-root' {
  linux /vmlinuz-${version} ${ROOT} ro quiet
  initrd /initrd.img-${version}
}
`;

/** The modules of the kernel without a driver, as after a build with the wrong options. */
function modulesWithout(modulesDir: string, module: string): Promise<string> {
  return cached("modules-without", recipeKey(modulesDir, module), async (target) => {
    const script = `cp -al "$1" "$2" && cd "$2/$(basename "$1")" && sed "/\\/$3.ko:/d" modules.dep > dep && mv -f dep modules.dep
      rm -f modules.dep.bin`;
    await runScript(script, [modulesDir, target, module]);
  });
}

/** /boot with the kernel, an image that boots the machine, one that does not, and levain. */
async function bootPartition(): Promise<string> {
  const { vmlinuz, version, modulesDir } = await debianKernel("full");
  const good = await levainImage({ kernel: "full" });
  const directory = scratchDirectory();
  const lacking = join(await modulesWithout(modulesDir, "ahci"), version);
  const bad = join(directory, "boot", "lacking.img");
  await runScript(
    'mkdir -p "$1/boot/grub"; cp "$2" "$1/boot/levain"; cp "$3" "$1/boot/vmlinuz-$5"; cp "$4" "$1/boot/initrd.img-$5"',
    [directory, LEVAIN, vmlinuz, good, version],
  );
  await run([LEVAIN, "image", "--modules-dir", lacking, "--compress", "lz4:1", "--output", bad]);
  await Bun.write(join(directory, "boot/grub/grub.cfg"), grubConfig(version));
  const disk = join(directory, "boot.img");
  await runScript('truncate -s 900M "$1"; mke2fs -q -t ext4 -L BOOT -d "$2" "$1"', [disk, join(directory, "boot")]);
  return disk;
}

async function levain(vm: Vm, ...words: readonly string[]): Promise<string> {
  vm.send(`clear; /boot/levain ${words.join(" ")}; echo "status=$?"\n`);
  const [, text = "", status] = await vm.expect(/\n((?:.*\n)*?)status=(\d+)\n/, COMMAND_MS);
  return `${text}status ${status}`;
}

vmTest(
  "a machine finds that its image boots it, and that another one lacks the driver of its disk",
  async () => ({
    kernel: "full",
    initrd: await levainImage({ kernel: "full" }),
    disks: [
      { file: await rootImage("ext4", { label: "DOCTOR" }), bus: "ahci" },
      { file: await bootPartition(), bus: "ahci" },
    ],
    cmdline: `${ROOT} rw quiet`,
    memoryMib: 2048,
    timeoutMs: 3 * COMMAND_MS,
  }),
  async (vm) => {
    await vm.expect("small-root: ready");
    // The kernel numbers disks in the order in which they answer.
    vm.send("stty cols 100; mkdir -p /boot; mount -o ro $(findfs LABEL=BOOT) /boot; echo mounted-$?\n");
    await vm.expect("mounted-0");
    const host = await levain(vm, "host");
    expect(host).toMatch(/\ndisk +sd[ab] +sd_mod, ahci\n/);
    expect(host).toEndWith("status 0");
    const good = await levain(vm, "doctor");
    expect(good).toMatch(/ok +entry +"Small root" of GRUB/);
    expect(good).toMatch(/ok +root +LABEL=DOCTOR: \/dev\/sd[ab] ext4 "DOCTOR"/);
    expect(good).toMatch(/ok +drivers +.*\bahci\b.*\bsd_mod\b/);
    expect(good).toEndWith("the image boots this machine\nstatus 0");
    const bad = await levain(vm, "doctor", "/boot/lacking.img", "--cmdline", ROOT);
    expect(bad).toMatch(
      /FAIL +drivers +the image has no driver for pci 0000:00:\S+: module ahci\n +cure: levain image --module ahci/,
    );
    expect(bad).toEndWith("the image will not boot this machine\nstatus 1");
  },
);
