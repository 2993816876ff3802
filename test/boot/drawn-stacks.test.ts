import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ROOT_TREE, rootImage } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import { cryptBoot } from "../support/luks/encrypted-disk.ts";
import { LAYERS_PAGE, recipeBlocks } from "../support/recipes/blocks.ts";
import { verityDisk } from "../support/verity-disk.ts";

// Every stack that docs/layers.md draws boots with the command line of its drawing.

const MIB = 2 ** 20;
const squashfs = (tree: FakeTree) => fakeImage("squashfs", {}, tree);
const store = (label: string, tree: FakeTree = {}) => fakeImage("ext4", { label, sizeBytes: 4 * MIB }, tree);
const PLACES = Object.fromEntries(["/etc", "/var", "/tmp", "/srv"].map((path) => [path, { directory: true as const }]));

const verified = verityDisk(rootImage("SYSTEM"));
const system = () => squashfs(ROOT_TREE);

interface Scene {
  readonly disks: readonly FakeImage[];
  /** What loop devices of the disks' files show. */
  readonly images?: readonly FakeImage[];
  /** The mounts that make the stack. */
  readonly mounts: readonly string[];
}

/** A filesystem with image files. */
function holder(label: string, files: Readonly<Record<string, FakeImage>>, more: FakeTree = {}): Scene["disks"][0] {
  const bytes = Object.entries(files).map(([path, { bytes }]) => [path, bytes] as const);
  return store(label, { ...Object.fromEntries(bytes), ...more } as FakeTree);
}

const SCENES: Readonly<Record<string, () => Scene>> = {
  kiosk: () => ({
    disks: [rootImage("KIOSK")],
    mounts: ["/sysroot/run/levain/lower ext4 /dev/vda", "/sysroot overlay overlay"],
  }),
  directories: () => ({
    disks: [rootImage("ROOT", PLACES)],
    mounts: [
      "/sysroot ext4 /dev/vda",
      "/sysroot/etc overlay overlay",
      "/sysroot/var overlay overlay",
      "/sysroot/tmp tmpfs tmpfs",
    ],
  }),
  layers: () => {
    const [base, work] = [system(), squashfs({ "/etc/work": "" })];
    return {
      disks: [holder("FLASH", { "/base.sfs": base, "/work.sfs": work }), store("MINE", { "/etc/mine": "" })],
      images: [base, work],
      mounts: ["/sysroot/run/levain/lower/2 ext4 /dev/vdb", "/sysroot overlay overlay"],
    };
  },
  appliance: () => {
    const image = system();
    return {
      disks: [holder("SYSTEM", { "/system.sfs": image }), store("DATA")],
      images: [image],
      mounts: ["/sysroot/run/levain/store-disk ext4 /dev/vdb", "/sysroot overlay overlay"],
    };
  },
  "live-stick": () => {
    const image = system();
    return {
      disks: [
        holder("STICK", { "/live/filesystem.squashfs": image }),
        store("persistence", { "/persistence.conf": "/ union\n" }),
      ],
      images: [image],
      mounts: ["/sysroot/run/levain/store-persistence/0 ext4 /dev/vdb", "/sysroot overlay overlay"],
    };
  },
  ubuntu: () => {
    const names = ["minimal", "minimal.standard", "minimal.standard.live"];
    const images = names.map((name, index) => squashfs({ ...(index === 0 ? ROOT_TREE : {}), "/etc/layer": name }));
    const files = Object.fromEntries(images.map((image, index) => [`/casper/${names[index]}.squashfs`, image]));
    return {
      disks: [holder("Ubuntu", files)],
      images,
      mounts: ["/sysroot/run/levain/lower/2 squashfs /dev/loop2", "/sysroot overlay overlay"],
    };
  },
  verified: () => ({
    disks: [verified.data, verified.hashes],
    images: [verified.data],
    mounts: ["/sysroot/run/levain/lower ext4 /dev/mapper/root", "/sysroot overlay overlay"],
  }),
  sync: () => ({
    disks: [
      rootImage("SYSTEM", PLACES),
      store("DATA", { "/upper/etc/mine": "", "/work": { directory: true }, "/srv/upper/mine": "" }),
    ],
    mounts: [
      "/sysroot overlay overlay",
      "/sysroot/run/levain/stores/disk-0 ext4 /dev/vdb",
      "/sysroot/srv overlay overlay",
    ],
  }),
};

const drawn = recipeBlocks(readFileSync(LAYERS_PAGE, "utf8")).flatMap(({ kind, name, text }) =>
  kind === "stack" ? [[name, /'([^']*)'/.exec(text)?.[1] ?? ""] as const] : [],
);

test("every stack has a scene", () => {
  expect(Object.keys(SCENES).sort()).toEqual(drawn.map(([name]) => name).sort());
});

test.each(drawn)("%s", (name, line) => {
  const scene = SCENES[name];
  if (scene === undefined) throw new Error(`no scene for ${name}`);
  const { disks, images = [], mounts } = scene();
  // The page has a root hash as an example.
  const cmdline = line.replace(/roothash=\S+/, `roothash=${verified.rootHash}`);
  const named = disks.map((image, index) => ({ name: `vd${"ab"[index]}`, image }));
  const booted = cryptBoot({ cmdline, disks: named, images });
  expect(booted.end, booted.console).toMatchObject({ mode: "switch_root" });
  for (const mount of mounts) expect(booted.mounts).toContain(mount);
});
