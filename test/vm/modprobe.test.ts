import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readKernelFiles } from "../../src/desk/modules/kernel-lists.ts";
import { selectModules } from "../../src/desk/modules/modules.ts";
import { parseAliases, parseDependencies, readLines } from "../../src/drivers/index/kernel-files.ts";
import { parseModprobeConfig } from "../../src/drivers/index/modprobe-config.ts";
import { buildModuleIndex, type KernelFiles, listModules } from "../../src/drivers/index/module-index.ts";
import { type ModuleAction, type ModuleSource, resolveModule } from "../../src/drivers/index/resolution.ts";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { debianKernel, type Kernel, type KernelFlavour } from "../support/kernels.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

const SLOW_MS = QUEUE_TIMEOUT_MS; // the first run fetches kernels

const CONFIG = `options bonding max_bonds=0
options snd-pcsp index=-2
softdep uhci-hcd pre: ehci-hcd
softdep ohci-hcd pre: ehci-hcd post: usbhid
blacklist pcspkr
blacklist floppy
alias my-disk virtio_blk
options my-disk num_request_queues=1
install usb-storage /bin/true
install dccp* /bin/false
`;

/** A built-in module that nothing depends on: what modprobe says of it divides the answers of one run. */
const DIVIDER = "unix";

/** What the real modprobe would do for each name: the lines of --show-depends, each once, paths below the modules' directory. */
async function askModprobe(kernel: Kernel, names: readonly string[]): Promise<readonly (readonly string[])[]> {
  const config = join(scratchDirectory(), "test.conf");
  writeFileSync(config, CONFIG);
  const root = dirname(dirname(dirname(kernel.modulesDir)));
  const options = ["-d", root, "-S", kernel.version, "-C", config, "--show-depends"];
  const output = await run(["modprobe", "-a", ...options, ...names.flatMap((name) => [name, DIVIDER])]);
  const answers = output.split(`builtin ${DIVIDER}\n`).slice(0, -1);
  return answers.map((answer) => [
    ...new Set(
      answer
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.replace(`${kernel.modulesDir}/`, "").trim()),
    ),
  ]);
}

function answer(source: ModuleSource, name: string): readonly string[] {
  const targets = resolveModule(source, name).filter(({ blacklisted }) => !blacklisted);
  return [...new Set(targets.flatMap(({ actions }) => actions.map(asModprobe)))];
}

function asModprobe(action: ModuleAction): string {
  if (action.do === "builtin") return `builtin ${action.name}`;
  const words = action.do === "install" ? ["install", action.command] : ["insmod", action.path];
  return [...words, action.parameters].join(" ").trim();
}

/** modprobe also obeys this host's own command line, and there is no way to tell it not to. */
function isOfThisHost(lines: readonly string[]): boolean {
  const own = readFileSync("/proc/cmdline", "utf8").match(/[\w-]+(?=\.\w+=)/g) ?? [];
  return lines.some((line) => own.some((name) => line.includes(`/${name.replaceAll("_", "-")}.ko `)));
}

function sourceOf(kernel: Kernel): ModuleSource {
  const texts = readKernelFiles(kernel.modulesDir);
  const files = [
    { name: "test.conf", text: CONFIG },
    { name: "modules.softdep", text: texts.softdep },
  ];
  return { index: buildModuleIndex(kernel.version, texts), config: parseModprobeConfig(files) };
}

/** Alias patterns with something in the place of their wildcards, and each module's name. */
function everything(kernel: Kernel, source: ModuleSource): readonly string[] {
  const patterns = parseAliases(readKernelFiles(kernel.modulesDir).alias).map(({ pattern }) => pattern);
  const aliases = patterns.map((pattern) => pattern.replaceAll("*", "0").replaceAll(/\[(.).*?\]/g, "$1"));
  const names = listModules(source.index).map(({ name }) => name);
  return [
    ...names,
    ...aliases.filter((alias, place) => place % 5 === 0 && !alias.includes(" ")),
    "my-disk",
    "usb_storage",
  ];
}

describe.each(["cloud", "full"] as const)("the %s kernel", (flavour: KernelFlavour) => {
  test(
    "every module and every fifth alias resolves as with the real modprobe",
    async () => {
      const kernel = await debianKernel(flavour);
      const source = sourceOf(kernel);
      const names = everything(kernel, source);
      const wanted = await askModprobe(kernel, names);
      expect(wanted).toHaveLength(names.length);
      expect(names.length).toBeGreaterThan(flavour === "full" ? 8000 : 1400);
      const different = names.flatMap((name, place) => {
        const [ours, theirs] = [answer(source, name), wanted[place] ?? []];
        return isOfThisHost(theirs) || ours.join("\n") === theirs.join("\n") ? [] : [{ name, ours, theirs }];
      });
      expect(different.slice(0, 3)).toEqual([]);
    },
    SLOW_MS,
  );
});

/** What the lists say, without the order of their lines. */
function contentOf(lists: KernelFiles) {
  const dependencies = parseDependencies(lists.dep).map(({ path, dependencies: needed }) => [
    path,
    ...[...needed].sort(),
  ]);
  const aliases = parseAliases(lists.alias).map(({ pattern, module }) => `${pattern} ${module}`);
  const softdeps = readLines(lists.softdep).map((line) => line.replaceAll("-", "_"));
  return [dependencies.map((words) => words.join(" ")), aliases, softdeps].map((lines) => [...new Set(lines)].sort());
}

test(
  "lists that are made from the modules say what depmod's say",
  async () => {
    const { modulesDir } = await debianKernel("full");
    const bare = join(scratchDirectory(), "modules");
    await runScript('cp -rl "$1" "$2"; rm "$2"/modules.dep* "$2"/modules.alias* "$2"/modules.softdep', [
      modulesDir,
      bare,
    ]);
    const [made, depmods] = [readKernelFiles(bare), readKernelFiles(modulesDir)];
    rmSync(bare, { recursive: true });
    expect(made.warnings).toHaveLength(1);
    expect(contentOf(made)).toEqual(contentOf(depmods));
  },
  SLOW_MS,
);

// For each kind of machine, what its root may hang on.
const ON_ANY_MACHINE = `ahci ata_piix nvme virtio_blk virtio_scsi virtio_pci sd_mod sr_mod usb_storage uas mmc_block
  sdhci_pci sdhci_acpi xen_blkfront hv_storvsc hv_vmbus vmw_pvscsi mptspi mptsas mpt3sas megaraid_sas aacraid hpsa vmd
  xhci_pci ehci_pci ohci_pci uhci_hcd usbhid hid_generic hid_apple hid_logitech_dj hyperv_keyboard
  ext4 xfs btrfs f2fs vfat exfat isofs udf squashfs erofs overlay nls_cp437 nls_iso8859_1 nls_ascii nls_utf8
  loop dm_mod dm_crypt dm_verity dm_integrity dm_raid dm_snapshot raid0 raid1 raid10 raid456 md_mod
  aesni_intel xts essiv sha512_generic sha256_ssse3 serpent_generic twofish_generic
  adiantum chacha_generic crc32c_generic crc32c_intel`;

test(
  "the default modules of the full kernel are those that any machine needs, and few more",
  async () => {
    const { modulesDir, version } = await debianKernel("full");
    const { files, names, builtin } = selectModules({
      kernel: { modulesDir, version },
      add: ["virtio-net", "unix"],
    });
    expect(ON_ANY_MACHINE.split(/\s+/).filter((name) => !names.includes(name))).toEqual([]);
    for (const name of ["i915", "e1000e", "kvm", "snd", "cfg80211", "scsi_debug", "tcrypt", "ib_core", "serio_raw"])
      expect(names).not.toContain(name);
    expect(names).toContain("virtio_net");
    expect(builtin).toEqual(["unix"]);
    expect(files.reduce((sum, { content }) => sum + content.size, 0)).toBeLessThan(75e6);
  },
  SLOW_MS,
);
