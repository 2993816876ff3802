import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findHints } from "../../../../src/desk/hints/find-hints.ts";
import { prepareHost } from "../../../../src/desk/hints/image-hints.ts";
import type { Hints } from "../../../../src/desk/hints/schema.ts";
import { buildImage } from "../../../../src/desk/image/image.ts";
import type { ImageOptions } from "../../../../src/desk/image/options.ts";
import { summarize } from "../../../../src/desk/image/summary.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { fakeHost, type HostFiles } from "../../../support/fake-host.ts";
import { NOTEBOOK, VIRTUAL } from "../../../support/fake-hosts.ts";
import { readCpio } from "../../../support/read-cpio.ts";
import { laterRefusalOf } from "../../../support/refusal.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";
import { listenToVoice } from "../heard-voice.ts";
import { moduleElf } from "../module-elf.ts";
import { NO_OPTIONS } from "./no-options.ts";

const MODULES = {
  "kernel/drivers/virtio/virtio_pci.ko": ["firmware=none/such.bin"],
  "kernel/drivers/block/virtio_blk.ko": [],
  "kernel/drivers/md/dm-mod.ko": [],
  "kernel/drivers/md/dm-crypt.ko": [],
  "kernel/drivers/net/loopback.ko": [],
};
const BUILTIN = ["fs/ext4/ext4", "drivers/nvme/host/nvme", "drivers/usb/core/usbcore", "drivers/usb/host/xhci-pci"];

/** A lib/modules/6.1 with these modules, some of which the fake machines need. */
function fakeKernel(): string {
  const modulesDir = join(scratchDirectory(), "lib/modules/6.1");
  for (const [path, modinfo] of Object.entries(MODULES)) {
    mkdirSync(join(modulesDir, path, ".."), { recursive: true });
    writeFileSync(join(modulesDir, path), moduleElf(...modinfo));
  }
  const lists = {
    dep: Object.keys(MODULES)
      .map((path) => `${path}:\n`)
      .join(""),
    builtin: BUILTIN.map((path) => `kernel/${path}.ko\n`).join(""),
    "builtin.modinfo": "ext4.alias=fs-ext4\0",
    alias: "#\n",
    softdep: "#\n",
    order: "#\n",
  };
  for (const [name, text] of Object.entries(lists)) writeFileSync(join(modulesDir, `modules.${name}`), text);
  return modulesDir;
}

let modulesDir = "";
beforeAll(() => {
  modulesDir = fakeKernel();
});

function writeHints(hints: Hints): string {
  const file = join(scratchDirectory(), "hints.json");
  writeFileSync(file, JSON.stringify(hints));
  return file;
}

const hintsOf = (...parts: readonly HostFiles[]) => findHints(fakeHost(...parts), "x86_64");

/** Builds an image for a machine. Returns the texts of its files, and what was said. */
async function imageFor(hints: Hints, changes: Partial<ImageOptions> = {}) {
  const output = join(scratchDirectory(), "image");
  const voice = listenToVoice();
  const options = { ...NO_OPTIONS, output, modulesDir, init: BUSYBOX, host: { file: writeHints(hints) }, ...changes };
  const summary = await buildImage(options, voice);
  const bytes = readFileSync(output);
  const files = new Map(readCpio(bytes).members.map(({ name, data }) => [name, Buffer.from(data).toString("latin1")]));
  const modules = [...files.keys()].flatMap((name) => /([^/]+)\.ko(?:\.gz)?$/.exec(name)?.[1] ?? []);
  return { bytes, files, modules, warnings: voice.warnings, summary: summarize(summary, options, 0) };
}

/** With a keymap that no host has, and without a check of the root. */
const QUIET: Partial<Hints> = { keymap: null, filesystems: [] };

describe("an image for one machine", () => {
  test("has its modules and no others, and finds its root", async () => {
    const { modules, files, summary } = await imageFor(hintsOf(VIRTUAL));
    expect(modules.sort()).toEqual(["virtio_blk", "virtio_pci"]);
    expect(JSON.parse(files.get("etc/levain.json") ?? "").parameters).toEqual([
      "root=UUID=5b5b5b5b-0000-4000-8000-000000000005",
    ]);
    expect(summary[0]?.text).toMatch(/^6\.1, 2 modules, for the machine of .*hints\.json only$/);
  });

  test("warns of firmware that a driver of it does not have here", async () => {
    const { warnings } = await imageFor(hintsOf(VIRTUAL));
    expect(warnings).toEqual([
      expect.stringContaining("the module virtio_pci needs firmware that this host does not have"),
    ]);
  });

  test("is the same when it is built again", async () => {
    const hints = { ...hintsOf(NOTEBOOK), ...QUIET };
    const [one, other] = [await imageFor(hints), await imageFor(hints)];
    expect(one.bytes.equals(other.bytes)).toBe(true);
  });

  test("unlocks its volumes by the names of its crypttab, unless another crypttab is added", async () => {
    const hints = { ...hintsOf(NOTEBOOK), ...QUIET };
    const { files, modules } = await imageFor(hints);
    expect(files.get("etc/crypttab")).toBe("cryptroot UUID=17a30000-0000-4000-8000-0000000000ab none luks,discard\n");
    expect(modules.sort()).toEqual(["dm-crypt", "dm-mod"]);
    const own = join(scratchDirectory(), "crypttab");
    writeFileSync(own, "own UUID=1 none luks\n");
    const added = await imageFor(hints, { additions: [{ source: own, destination: "/etc/crypttab" }] });
    expect(added.files.get("etc/crypttab")).toBe("own UUID=1 none luks\n");
  });

  test("warns of a key file that it does not have, and not of one that is added", async () => {
    const crypttab = ["cryptroot UUID=17a30000-0000-4000-8000-0000000000ab /etc/keys/root.key luks"];
    const hints = { ...hintsOf(NOTEBOOK), ...QUIET, crypttab };
    const said = "cryptroot has the key file /etc/keys/root.key, which the image does not contain";
    expect((await imageFor(hints)).warnings.join("\n")).toContain(said);
    const key = join(scratchDirectory(), "root.key");
    writeFileSync(key, "secret");
    const additions = [{ source: key, destination: "/etc/keys/root.key" }];
    expect((await imageFor(hints, { additions })).warnings.join("\n")).not.toContain(said);
  });

  test("has the checker of its root if fstab asks for a check", async () => {
    const { files } = await imageFor(hintsOf(VIRTUAL, { "/etc/fstab": "UUID=1 / ext4 defaults 0 1\n" }));
    expect([...files.keys()].filter((name) => name.endsWith("fsck.ext4"))).toHaveLength(1);
    const { files: none } = await imageFor(hintsOf(VIRTUAL));
    expect([...none.keys()].filter((name) => name.includes("fsck"))).toEqual([]);
  });

  test("says so if this host has no such keymap", async () => {
    const { warnings } = await imageFor({ ...hintsOf(NOTEBOOK), filesystems: [], keymap: "no-such-keymap" });
    expect(warnings[0]).toContain('has the keymap of the kernel (US): this host has no keymap "no-such-keymap"');
  });

  test("warns that it uses one path to a disk if this host has no multipath", () => {
    const volumes = [{ device: "dm-0", name: "mpatha", kind: "multipath", on: ["sda"], detail: null }] as const;
    const voice = listenToVoice();
    const host = prepareHost(
      { host: { file: writeHints({ ...hintsOf(VIRTUAL), volumes }) }, keymaps: [], parameters: [] },
      { crypttab: null, hasFile: () => false },
      voice,
    );
    const hasProgram = ["/sbin/multipath", "/usr/sbin/multipath"].some((path) => existsSync(path));
    expect([host?.programs.length, voice.warnings.length]).toEqual(hasProgram ? [1, 0] : [0, 1]);
  });

  test("is built although a boot with the present command line would fail, and says so", async () => {
    const { warnings } = await imageFor({ ...hintsOf(VIRTUAL), cmdline: "root=LABEL=A rd.timeout=soon" });
    expect(warnings.join("\n")).toContain("with the present command line, a boot of this image fails");
  });

  test("warns if nothing names the root", async () => {
    const rootless = { ...hintsOf(VIRTUAL), cmdline: "quiet" };
    const said = async (hints: Hints) => (await imageFor(hints)).warnings.join("\n");
    expect(await said(rootless)).not.toContain("names the root");
    expect(await said({ ...rootless, parameters: [] })).toContain(
      "neither the image nor the present command line names the root",
    );
  });
});

describe("a build that cannot be", () => {
  test.each([
    [{ host: { file: "/no/such" } }, "cannot read the hints /no/such"],
    [{ host: { file: "/" } }, "cannot read the hints /: it is not a file"],
    [{ firmware: ["none/such-*.bin"] }, "this system has no firmware none/such-*.bin"],
    [{ kernel: "none", modulesDir: null }, "--kernel none contradicts --host"],
    [{ hooks: ["/no/such"] }, "cannot run the hook /no/such"],
  ] as const)("says why: %j", async (changes, expected) => {
    const said = await laterRefusalOf(() => imageFor(hintsOf(VIRTUAL), changes));
    expect(said.join("\n")).toContain(expected);
  });
});
