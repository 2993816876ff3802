import { expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { askText } from "../support/ask.ts";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { assembleDisk, filesImage } from "../support/disk-images.ts";
import { rootImage, treeImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { debianIso, textFile, textTree } from "../support/live-media.ts";
import type { Vm } from "../support/qemu.ts";
import type { Disk } from "../support/qemu-arguments.ts";
import { LAYERS_PAGE, recipeFile, recipeScript } from "../support/recipes/blocks.ts";
import { smallRoot } from "../support/root-tree.ts";
import { QUEUE_TIMEOUT_MS, vmTest } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

// The recipes of docs/layers.md, and persistence volumes of live-boot, persistence.conf(5).

const MIB = 2 ** 20;

/** Carries out a recipe with files for its partitions /dev/sdX1, …; returns their paths by name. */
async function carryOut(recipe: string, partitions: Readonly<Record<string, number>>, prepare = "") {
  const directory = scratchDirectory();
  const files = Object.entries(partitions).map(([name, mib]) => {
    const file = join(directory, name);
    writeFileSync(file, "");
    truncateSync(file, mib * MIB);
    return [name, file] as const;
  });
  const script = files.reduce(
    (text, [name, file]) => text.replaceAll(`/dev/${name}`, file),
    recipeScript(recipe, LAYERS_PAGE),
  );
  await runScript(`cd "$1"; ${prepare}\n${script}`, [directory]);
  return Object.fromEntries(files);
}

async function session(disks: readonly (string | Disk)[], cmdline: string, body: (vm: Vm) => Promise<void>) {
  const options = await levainGuest({ disks, cmdline });
  await withVm({ ...options, name: cmdline }, 120_000, async (vm) => {
    await vm.expect("small-root: ready");
    await body(vm);
    vm.send("sync; poweroff -f\n");
    await vm.expectExit();
  });
}

test.concurrent(
  "the appliance keeps its changes, and the entry for the factory reset removes them",
  async () => {
    const tree = await smallRoot();
    const made = await carryOut("appliance", { sdX1: 48, sdX2: 16 }, `cp -a "${tree}" system`);
    const disks = [made["sdX1"] ?? "", { file: made["sdX2"] ?? "", keepsWrites: true }];
    const [normal = "", reset = ""] = recipeFile("appliance", LAYERS_PAGE).trim().split("\n");
    await session(disks, normal, async (vm) => {
      expect(await askText(vm, "cat /etc/mine")).toContain("No such file");
      expect(await askText(vm, "echo kept > /etc/mine; cat /run/levain/store/upper/etc/mine")).toContain("kept");
    });
    await session(disks, reset, async (vm) => {
      expect(await askText(vm, "cat /etc/mine; ls -d /run/levain/store/upper")).toMatch(
        /No such file[\s\S]*store\/upper/,
      );
    });
  },
  QUEUE_TIMEOUT_MS,
);

test.concurrent(
  "the live stick keeps all changes on its partition named persistence",
  async () => {
    const made = await carryOut("live-stick", { sdX3: 16 });
    const file = await assembleDisk([{ file: await debianIso() }, {}, { file: made["sdX3"] ?? "" }], { table: "gpt" });
    const stick = join(scratchDirectory(), "stick");
    await run(["cp", "--sparse=always", file, stick]);
    const cmdline = recipeFile("live-stick", LAYERS_PAGE).trim();
    const disks = [{ file: stick, keepsWrites: true }];
    await session(disks, cmdline, async (vm) => {
      await askText(vm, "echo kept > /etc/mine; rm /etc/os-release");
      expect(await askText(vm, "ls /run/live/persistence/vda3/rw/etc")).toContain("mine");
    });
    await session(disks, cmdline, async (vm) => {
      expect(await askText(vm, "cat /etc/mine; ls /etc")).toMatch(/kept(?![\s\S]*os-release)/);
    });
  },
  QUEUE_TIMEOUT_MS,
);

/** A FAT with the live system, and beside it a file named persistence: an ext4 with this persistence.conf and what else it holds. */
async function fatStick(conf: string, files: Readonly<Record<string, string>>): Promise<string> {
  const volume = await treeImage("ext4", textTree({ "persistence.conf": conf, ...files }), { label: "any" }, 16);
  const live = { "live/filesystem.squashfs": await rootImage("squashfs-zstd"), persistence: volume };
  const all = Object.entries(live).map(([name, file]) => [`/${name}`, file] as const);
  return filesImage("vfat", { ...Object.fromEntries(all), "/README": await textFile("a live medium\n") });
}

vmTest(
  "a file named persistence on the medium keeps directories: as they are, as changes, as links to files",
  async () => {
    const conf = "/etc union\n/root link,source=dots\n/srv/new/data source=data\n/mnt\n";
    const file = await fatStick(conf, { "dots/.profile": "echo mine\n", "dots/a/b": "deep\n", "data/x": "kept\n" });
    return levainGuest({ disks: [file], cmdline: "boot=live persistence rd.overlay.policy=required" });
  },
  async (vm) => {
    await vm.expect("small-root: ready");
    expect(await askText(vm, "cat /srv/new/data/x /root/a/b; readlink /root/.profile")).toMatch(
      /kept\s+deep\s+\/run\/levain\/store-persistence\/0\/dots\/\.profile/,
    );
    expect(
      await askText(
        vm,
        "grep -E ' /(etc|mnt|srv/new/data|run/levain/medium) ' /proc/mounts | cut -d' ' -f2,3 | sort | xargs",
      ),
    ).toContain("/etc overlay /mnt ext4 /run/levain/medium vfat /srv/new/data ext4");
    await askText(vm, "echo changed > /etc/group; echo x > /mnt/x; chmod 700 /etc");
    const kept = await askText(
      vm,
      "cd /run/levain/store-persistence/0; cat etc/rw/group; stat -c %a etc/rw; ls mnt; grep '/run/levain/medium vfat' /proc/mounts",
    );
    expect(kept).toMatch(/changed\s+700\s+x\s+\S+ \/run\/levain\/medium vfat ro,/);
  },
);
