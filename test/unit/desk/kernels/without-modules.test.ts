import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseConfiguredKernel } from "../../../../src/desk/kernels/without-modules.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { refusalOf } from "../../../support/refusal.ts";

const USUAL = { kernel: null, modulesDir: null };
const WHOLE = "CONFIG_EXT4_FS=y\n# CONFIG_MODULES is not set\n";
const MODULAR = "CONFIG_EXT4_FS=m\nCONFIG_MODULES=y\n";

/** A root with these files; returns it with its lib/modules. */
function rootWith(files: Readonly<Record<string, string>>) {
  const root = scratchDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, modules: join(root, "lib/modules") };
}

describe("a kernel without modules is found by its configuration", () => {
  test.each([
    ["in /boot", { "boot/config-6.12.1-gentoo": WHOLE }],
    [
      "in the sources that it was built from",
      { "usr/src/linux/.config": WHOLE, "usr/src/linux/include/config/kernel.release": "6.12.1-gentoo\n" },
    ],
    [
      "in sources with its version",
      {
        "usr/src/linux-6.12.1-gentoo/.config": WHOLE,
        "usr/src/linux-6.12.1-gentoo/include/config/kernel.release": "6.12.1-gentoo\n",
      },
    ],
  ])("%s", (_, files) => {
    const { modules } = rootWith(files);
    const kernel = chooseConfiguredKernel({ ...USUAL, kernel: "6.12.1-gentoo" }, [modules], "5.0");
    expect(kernel).toMatchObject({ version: "6.12.1-gentoo", hasModules: false });
    expect(kernel?.config("EXT4_FS")).toBe(true);
    expect(chooseConfiguredKernel(USUAL, [modules], "6.12.1-gentoo")?.hasModules).toBe(false);
  });

  test("but not by sources of another version, and not if it has modules", () => {
    for (const files of [
      { "usr/src/linux/.config": WHOLE, "usr/src/linux/include/config/kernel.release": "6.12.2-gentoo\n" },
      { "boot/config-6.12.1-gentoo": MODULAR },
    ]) {
      const { modules } = rootWith(files);
      expect(
        refusalOf(() => chooseConfiguredKernel({ ...USUAL, kernel: "6.12.1-gentoo" }, [modules], "5.0"))[0],
      ).toContain("has no modules for kernel 6.12.1-gentoo");
    }
  });

  test("and a version that is a path is none", () => {
    const { modules } = rootWith({ "boot/config-6.1": WHOLE });
    expect(refusalOf(() => chooseConfiguredKernel({ ...USUAL, kernel: "x/../6.1" }, [modules], "5.0"))[0]).toContain(
      "no modules for kernel",
    );
  });
});

describe("a directory of modules", () => {
  test("without any module, after make modules_install of a kernel whose drivers are all built in", () => {
    const { root, modules } = rootWith({
      "lib/modules/6.1/modules.order": "",
      "lib/modules/6.1/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
    });
    mkdirSync(join(root, "lib/modules/6.1/build"));
    expect(chooseConfiguredKernel(USUAL, [modules], "6.1")?.hasModules).toBe(false);
  });

  test.each([
    ["with modules", { "lib/modules/6.1/modules.order": "kernel/fs/ext4/ext4.ko\n" }],
    ["with modules of another package only", { "lib/modules/6.1/modules.order": "", "lib/modules/6.1/extra/a.ko": "" }],
    ["whose lists are missing", { "lib/modules/6.1/modules.dep": "" }],
  ])("%s", (_, files) => {
    const { modules } = rootWith(files);
    expect(chooseConfiguredKernel(USUAL, [modules], "6.1")?.hasModules).toBe(true);
  });
});

test("of NixOS, the modules of the running system and of the next one are found, and the kernels beside them", () => {
  const { root } = rootWith({
    "run/booted-system/kernel-modules/lib/modules/6.6.1/modules.order": "kernel/a.ko\n",
    "run/current-system/kernel-modules/lib/modules/6.6.2/modules.order": "kernel/a.ko\n",
    "run/current-system/kernel": "IKCFG_ST",
  });
  const roots = [
    "lib/modules",
    "run/booted-system/kernel-modules/lib/modules",
    "run/current-system/kernel-modules/lib/modules",
  ];
  const places = roots.map((path) => join(root, path));
  expect(chooseConfiguredKernel(USUAL, places, "6.6.1")?.modulesDir).toBe(`${places[1]}/6.6.1`);
  expect(chooseConfiguredKernel({ ...USUAL, kernel: "6.6.2" }, places, "6.6.1")?.modulesDir).toBe(`${places[2]}/6.6.2`);
});
