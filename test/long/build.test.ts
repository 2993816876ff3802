import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { listedPackages } from "../support/debian-packages.ts";
import { installDebian } from "../support/debian-root.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

const ROOT = join(import.meta.dir, "../..");
const SOURCES = ["build", "docs", "rootfs-skel", "src", "Makefile", "README.md", "package.json", "package-lock.json"];

test(
  "make needs no package except those of its table",
  async () => {
    const packages = listedPackages("install", "build").join(",");
    const debian = await cached("build-debian", recipeKey(packages), (target) =>
      installDebian(join(target, "root"), packages),
    );
    const tree = scratchDirectory();
    for (const name of SOURCES) await run(["cp", "-r", join(ROOT, name), tree]);
    mkdirSync(join(tree, "bin"));
    copyFileSync(process.execPath, join(tree, "bin/bun"));
    const mounts =
      'mount --bind "$2" "$1/mnt"; mkdir -p "$1/mnt/node_modules"; mount --bind "$3" "$1/mnt/node_modules"';
    const inside = `${mounts}; mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"
      exec chroot "$1" /usr/bin/env -C /mnt HOME=/tmp /mnt/bin/bun build/compile.ts`;
    const apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"];
    const places = [join(debian, "root"), tree, join(ROOT, "node_modules")];
    await run([...apart, "/bin/sh", "-euc", inside, "sh", ...places]);
    expect(await run([join(tree, "dist/levain"), "--version"])).toMatch(/^\d+\.\d+\.\d+\n$/);
  },
  QUEUE_TIMEOUT_MS,
);
