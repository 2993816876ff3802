import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chooseKernel, modulesRootOf } from "../../../../src/desk/modules/kernel.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { refusalOf } from "../../../support/refusal.ts";

/** A root with lib/modules for these versions; returns lib/modules. */
function modulesRoot(...versions: readonly string[]): string {
  const root = join(scratchDirectory(), "lib/modules");
  for (const version of versions) {
    mkdirSync(join(root, version), { recursive: true });
    writeFileSync(join(root, version, "modules.order"), "");
  }
  return root;
}

const USUAL = { kernel: null, modulesDir: null };

describe("which kernel", () => {
  test("the running one, where it has modules", () => {
    const root = modulesRoot("6.1", "6.2", "6.3");
    expect(chooseKernel(USUAL, [root], "6.2")).toEqual({ version: "6.2", modulesDir: join(root, "6.2") });
  });

  test("else the only one", () => {
    expect(chooseKernel(USUAL, [modulesRoot("6.1")], "5.0")?.version).toBe("6.1");
  });

  test("not one of which only files of other packages are left, or for which only such are installed", () => {
    const root = modulesRoot("6.1");
    mkdirSync(join(root, "6.0/updates/dkms"), { recursive: true });
    expect(chooseKernel(USUAL, [root], "5.0")?.version).toBe("6.1");
    expect(chooseKernel(USUAL, [root], "6.0")?.version).toBe("6.1");
    expect(chooseKernel({ kernel: "6.0", modulesDir: null }, [root], "6.1")?.version).toBe("6.0");
  });

  test("of another system: in lib, also if that is an absolute link, or in usr/lib alone", () => {
    const root = scratchDirectory();
    expect(modulesRootOf(root)).toBe(join(root, "lib/modules"));
    mkdirSync(join(root, "usr/lib/modules"), { recursive: true });
    expect(modulesRootOf(root)).toBe(join(root, "usr/lib/modules"));
    symlinkSync("/usr/lib", join(root, "lib"));
    expect(modulesRootOf(root)).toBe(join(root, "usr/lib/modules"));
    expect(modulesRootOf("/")).toBe("/lib/modules");
  });

  test("the one asked for", () => {
    expect(chooseKernel({ kernel: "6.1", modulesDir: null }, [modulesRoot("6.1", "6.2")], "6.2")?.version).toBe("6.1");
  });

  test("none, where none is asked for", () => {
    expect(chooseKernel({ kernel: "none", modulesDir: null }, ["/nowhere"], "6.2")).toBeNull();
    expect(chooseKernel({ kernel: "none", modulesDir: "/nowhere" }, ["/nowhere"], "6.2")).toBeNull();
  });

  test("a directory of modules elsewhere has the version as its name, also behind a link", () => {
    const root = modulesRoot("6.1");
    symlinkSync("6.1", join(root, "current"));
    expect(chooseKernel({ kernel: null, modulesDir: `${root}/6.1/` })).toEqual({
      version: "6.1",
      modulesDir: `${root}/6.1`,
    });
    expect(chooseKernel({ kernel: null, modulesDir: `${root}/current` })?.version).toBe("6.1");
    expect(chooseKernel({ kernel: "6.1-mine", modulesDir: `${root}/6.1` })?.version).toBe("6.1-mine");
  });
});

describe("a directory that contains those of kernels", () => {
  /** A root filesystem with kernels whose modules are complete in `inside`. */
  function rootWith(inside: string, ...versions: readonly string[]): string {
    const root = scratchDirectory();
    for (const version of versions) {
      mkdirSync(join(root, inside, version), { recursive: true });
      writeFileSync(join(root, inside, version, "modules.dep"), "");
    }
    return root;
  }
  const complain = (modulesDir: string, kernel: string | null = null) =>
    refusalOf(() => chooseKernel({ kernel, modulesDir }));

  test.each([
    ["lib/modules", "lib/modules"],
    ["lib/modules", "lib"],
    ["lib/modules", ""],
    ["usr/lib/modules", ""],
  ])("of a root with %s: %j", (inside, given) => {
    const root = rootWith(inside, "6.1", "6.2");
    const directory = join(root, given);
    expect(complain(directory)).toEqual([
      `${directory} has no modules.dep: it is not the directory of one kernel`,
      "seen:",
      `  ${join(root, inside, "6.1")}`,
      `  ${join(root, inside, "6.2")}`,
      `hint: choose a kernel: --modules-dir ${join(root, inside, "6.1")}`,
    ]);
    expect(complain(directory, "6.2").at(-1)).toEndWith(join(root, inside, "6.2"));
  });

  test("none of which is complete is for depmod", () => {
    const root = modulesRoot("6.1");
    expect(chooseKernel({ kernel: null, modulesDir: root })?.modulesDir).toBe(root);
  });
});

describe("if there is none, the installed kernels are listed", () => {
  test("several, none of them running", () => {
    const root = modulesRoot("6.1", "6.2");
    expect(refusalOf(() => chooseKernel(USUAL, [root], "5.0")).slice(0, 2)).toEqual([
      `cannot choose a kernel: ${root} has no modules for the running kernel 5.0`,
      "seen: 6.1 · 6.2",
    ]);
  });

  test("no modules at all", () => {
    expect(refusalOf(() => chooseKernel(USUAL, ["/nowhere"], "5.0"))[1]).toBe("seen: /nowhere: no kernel");
  });

  test("another than the one asked for, or a path in its place", () => {
    const root = modulesRoot("6.1");
    expect(refusalOf(() => chooseKernel({ kernel: "6.2", modulesDir: null }, [root], "6.1"))[0]).toBe(
      `${root} has no modules for kernel 6.2`,
    );
    expect(refusalOf(() => chooseKernel({ kernel: "../modules/6.1", modulesDir: null }, [root], "6.1"))[0]).toContain(
      "no modules",
    );
  });

  test("no such directory", () => {
    const file = join(scratchDirectory(), "file");
    writeFileSync(file, "");
    expect(refusalOf(() => chooseKernel({ kernel: null, modulesDir: file }))[0]).toContain("no directory");
    expect(refusalOf(() => chooseKernel({ kernel: null, modulesDir: "/nowhere/6.1" }))[0]).toContain("no directory");
  });
});
