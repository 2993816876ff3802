import { expect, test } from "bun:test";
import { ELF, fakeBoot } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";

// A root with nothing but /nix and links into it, as nixos/modules/system/boot of nixpkgs has it.

const SYSTEM = "/nix/store/0a1b2c-nixos-system-nixos-24.05";
const SHELL = "/nix/store/3d4e5f-bash-5.2/bin/bash";
const ETC = "/nix/store/6a7b8c-etc/etc";
const DIRECTORY = { directory: true } as const;

const ROOT: FakeTree = {
  ...Object.fromEntries(["/dev", "/proc", "/sys", "/run", "/var/lib"].map((path) => [path, DIRECTORY])),
  [`${SYSTEM}/init`]: { data: Buffer.from(`#!${SHELL}\n`), mode: 0o555 },
  [SHELL]: { data: ELF, mode: 0o555 },
  "/nix/var/nix/profiles/system": { link: "system-42-link" },
  "/nix/var/nix/profiles/system-42-link": { link: SYSTEM },
  [`${ETC}/fstab`]: "/dev/disk/by-label/STATE /var/lib ext4 x-initrd.mount 0 2\n",
  "/etc/static": { link: ETC },
  "/etc/fstab": { link: "/etc/static/fstab" },
};

function boot(init: string) {
  return fakeBoot({
    cmdline: `root=LABEL=nixos init=${init} loglevel=4 boot.shell_on_fail`,
    disks: [
      { name: "vda", image: fakeImage("ext4", { label: "nixos" }, ROOT) },
      { name: "vdb", image: fakeImage("ext4", { label: "STATE" }, {}) },
    ],
  });
}

test.each([`${SYSTEM}/init`, "/nix/var/nix/profiles/system/init"])(
  "NixOS starts %s, with what its fstab in the store needs for boot",
  (init) => {
    const { end, mounts, console } = boot(init);
    expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot", init });
    expect(mounts).toContain("/sysroot/var/lib ext4 /dev/vdb");
    expect(console).not.toContain("warning");
  },
);

test("a generation that was removed is named", () => {
  expect(boot("/nix/store/9z-nixos-system-nixos-23.11/init").console).toContain(
    "/nix/store/9z-nixos-system-nixos-23.11/init: does not exist",
  );
});
