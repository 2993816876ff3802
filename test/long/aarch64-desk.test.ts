import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { unpackedPackages } from "../support/debian-packages.ts";
import { levain } from "../support/desk-command.ts";
import { AARCH64_LEVAIN } from "../support/levain-image.ts";

const emulator = process.arch === "arm64" ? "env" : "qemu-aarch64-static";

test("levain for AArch64 builds the same image as levain for this machine does with it as --init", async () => {
  const busybox = join(await unpackedPackages(["busybox-static"], "arm64"), "root/bin/busybox");
  const directory = scratchDirectory();
  const [there, here] = [join(directory, "there"), join(directory, "here")];
  const words = ["--busybox", busybox, "--kernel", "none", "--compress", "lz4:1"];
  const summary = await run([emulator, AARCH64_LEVAIN, "image", ...words, "--output", there]);
  expect(summary).toContain("runtime  paged");
  const built = levain(["image", ...words, "--init", AARCH64_LEVAIN, "--output", here]);
  expect({ status: built.status, stderr: built.stderr }).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(there).equals(readFileSync(here))).toBeTrue();
});
