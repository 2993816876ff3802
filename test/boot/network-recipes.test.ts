import { expect, test } from "bun:test";
import { fakeBoot, rootImage } from "../support/fake-boot.ts";
import { fakeDhcpServer } from "../support/fake-dhcp-server.ts";
import { networkRecipes, recipe } from "../support/network/recipes.ts";
import { ADDRESS_SCENES } from "../support/network/scenes/addresses.ts";
import { DISK_SCENES } from "../support/network/scenes/disks.ts";
import { ARCHIVE_SCENES, NFS_SCENES, SQUASHFS, WEB_SCENES } from "../support/network/scenes/files.ts";
import { TREE_SCENES } from "../support/network/scenes/trees.ts";

const TABLES = [ADDRESS_SCENES, NFS_SCENES, WEB_SCENES, DISK_SCENES, TREE_SCENES, ARCHIVE_SCENES];
const lines = networkRecipes().filter(({ kind }) => kind === "line");

test.each(lines.map(({ name, code }) => [name, code] as const))("%s", (name, code) => {
  const table = TABLES.find((one) => Object.hasOwn(one.lines, name));
  const scene = table?.lines[name];
  if (table === undefined || scene === undefined) {
    throw new Error(`test/support/network/scenes has nothing that runs the recipe "${name}" of docs/network.md`);
  }
  for (const written of scene.write?.(code) ?? code) {
    const cmdline = `${table.before} ${written}`.trim();
    const { end, journal, mounts, console, record } = fakeBoot({ cmdline, ...table.machine, ...scene.machine });
    expect([cmdline, end, record.failure]).toEqual([cmdline, expect.objectContaining({ mode: "switch_root" }), []]);
    expect([...journal, ...mounts, console].join("\n")).toMatch(scene.proof);
  }
});

const URL = "https://boot.example/node.toml";
const CARD = { name: "eth0", mac: "52:54:00:12:34:56", servers: [fakeDhcpServer()] };

test("parameters from a server, for all machines and for a model", () => {
  const { end, console, journal, record } = fakeBoot({
    ...WEB_SCENES.machine,
    cmdline: `rd.config=${URL}`,
    web: {
      [URL]: Buffer.from(recipe("parameters = [")),
      "https://boot.example/root.sfs": { file: SQUASHFS.bytes, afterMs: 6000 },
    },
    sys: { "/class/dmi/id/product_name": "PowerEdge R640\n" },
  });
  expect([end, record.failure]).toEqual([expect.objectContaining({ mode: "switch_root" }), []]);
  expect(console).toContain("root      https://boot.example/root.sfs, ");
  expect(journal.join("\n")).toContain("size=2G");
  expect(console).toMatch(/waiting for root\.sfs, \d of 120 s/);
});

test("a configuration that says where and until when it counts", () => {
  const boot = (mac: string) => {
    // The day of the page will pass.
    const file = `${recipe("only ").replace("2027", "2099")}parameters = ["root=LABEL=ROOT"]\n`;
    const disks = [{ name: "vda", image: rootImage() }];
    return fakeBoot({
      cmdline: `rd.config=${URL}`,
      cards: [{ ...CARD, mac }],
      disks,
      web: { [URL]: Buffer.from(file) },
    });
  };
  expect(boot(CARD.mac).end).toMatchObject({ mode: "switch_root" });
  expect(boot("52:54:00:00:00:99").record.failure?.join("\n")).toContain("it is for another machine");
});

test("the file of a diskless rack", () => {
  const { machine, lines: scenes } = DISK_SCENES;
  const array = scenes["an array of AoE targets"]?.machine;
  const { end, mounts, console, record } = fakeBoot({
    ...machine,
    ...array,
    cmdline: `root=/dev/md0 rd.config=${URL}`,
    web: { [URL]: Buffer.from(recipe("MODULES=")) },
  });
  expect([end, record.failure]).toEqual([expect.objectContaining({ mode: "switch_root" }), []]);
  expect(mounts.join()).toContain("/sysroot ext4 /dev/md");
  expect(console).toContain("eth1 up, without an address");
});

test("every scene is of a recipe of the page", () => {
  const names = TABLES.flatMap((table) => Object.keys(table.lines));
  expect(names.toSorted()).toEqual(lines.map(({ name }) => name).toSorted());
});
