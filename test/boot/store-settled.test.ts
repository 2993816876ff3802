import { describe, expect, test } from "bun:test";
import { fakeBoot, rootImage } from "../support/fake-boot.ts";
import type { FakeDirectory, FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";

// Boots from a store with which something was begun: levain sync, or levain factory-reset.

const ATTRIBUTES = { userId: 0, groupId: 0, mode: 0o755, attributes: {} };
const OPERATIONS = [
  { kind: "directory", path: "etc", ...ATTRIBUTES, isOpaque: false },
  { kind: "place", path: "etc/new", item: 0 },
  { kind: "place", path: "etc/both", item: 1 },
  { kind: "remove", path: "gone" },
  { kind: "time", path: "etc", modified: "5" },
];
const journalOf = (operations: readonly object[]) =>
  [{ version: 2, items: "items-1", waits: false, count: operations.length }, ...operations]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
const JOURNAL = journalOf(OPERATIONS);

const STAGED: FakeTree = {
  "/upper/etc/both": "old",
  "/upper/gone/inside": "",
  "/work": { directory: true },
  "/.levain-upper/items-1/0": "new",
  "/.levain-upper/items-1/1": "newer",
};

function boot(tree: FakeTree, cmdline: string, isUnclean = false) {
  const disk = fakeImage("ext4", { label: "DATA", sizeBytes: 64 << 20, isUnclean }, tree);
  const disks = [
    { name: "vda", image: rootImage() },
    { name: "vdb", image: disk },
  ];
  const done = fakeBoot({ cmdline: `root=LABEL=ROOT rd.overlay=LABEL=DATA ${cmdline}`, disks });
  return { ...done, files: filesIn(disk.root).sort() };
}

function filesIn(directory: FakeDirectory, path = ""): string[] {
  return [...directory.entries].flatMap(([name, node]) => {
    if (node.kind === "directory") return filesIn(node, `${path}/${name}`);
    return node.kind === "file" ? `${path}/${name}: ${Buffer.from(node.data as Uint8Array)}` : [];
  });
}

const upper = (files: readonly string[]) => files.filter((line) => !line.startsWith("/levain.json"));

describe("an interrupted levain sync", () => {
  test.each(["", "rd.overlay.readonly"])("is finished before the layer is used %s", (cmdline) => {
    const done = boot({ ...STAGED, "/.levain-upper/journal": JOURNAL }, cmdline);
    expect(done.end).toMatchObject({ mode: "switch_root" });
    expect(upper(done.files)).toEqual(["/upper/etc/both: newer", "/upper/etc/new: new"]);
    expect(done.console).toContain("finishing an interrupted levain sync: 5 changes");
    const [mount] = done.journal.filter((line) => line.startsWith("mount ext4 /dev/vdb at")).slice(-1);
    expect(mount?.includes("(ro)")).toBe(cmdline !== "");
  });

  test("that had not written its journal is forgotten", () => {
    const done = boot(STAGED, "");
    expect(upper(done.files)).toEqual(["/upper/etc/both: old", "/upper/gone/inside: "]);
  });

  test.each([
    ["text", "no journal"],
    ["a path out of the layer", JOURNAL.replace("etc/new", "../../etc/new")],
    ["an absolute path", JOURNAL.replace("etc/new", "/etc/new")],
    ["items elsewhere", JOURNAL.replace("items-1", "../items-1")],
    ["one change is missing", JOURNAL.replace(/.*gone.*\n/, "")],
    ["it ends within a change", JOURNAL.slice(0, -2)],
    ["a line without end", JOURNAL.replace("\n", `${" ".repeat(20 << 20)}\n`)],
  ])("whose journal is damaged (%s) is ignored", (_, journal) => {
    const done = boot({ ...STAGED, "/.levain-upper/journal": journal }, "");
    expect(done.end).toMatchObject({ mode: "switch_root" });
    expect(done.console).toContain("the journal of an interrupted levain sync is damaged");
    expect(upper(done.files)).toEqual(["/upper/etc/both: old", "/upper/gone/inside: "]);
  });

  test("may have more changes than a boot could keep in memory", () => {
    const many = Array.from({ length: 100_000 }, (_, index) => ({ kind: "remove", path: `none-${index}` }));
    const done = boot({ ...STAGED, "/.levain-upper/journal": journalOf([...many, ...OPERATIONS]) }, "");
    expect(done.console).toContain("finishing an interrupted levain sync: 100005 changes");
    expect(upper(done.files)).toEqual(["/upper/etc/both: newer", "/upper/etc/new: new"]);
  });

  test("writes nothing through a symbolic link", () => {
    const tree: FakeTree = { ...STAGED, "/upper/link": { link: "/etc" }, "/etc/keep": "" };
    const journal = JOURNAL.replace("etc/new", "link/new");
    const done = boot({ ...tree, "/.levain-upper/journal": journal }, "");
    expect(done.end).toMatchObject({ mode: "switch_root" });
    expect(done.console).toContain("ignoring changes of it: 1");
    expect(upper(done.files)).toEqual(["/etc/keep: ", "/upper/etc/both: newer"]);
  });
});

describe("a factory reset", () => {
  const reset = (keep: readonly string[]) => JSON.stringify({ version: 1, keep });

  test.each(["", "rd.overlay.readonly"])("empties the layer except what is kept %s", (cmdline) => {
    const tree = { ...STAGED, "/upper/etc/kept/a": "a", "/upper/var/b": "b", "/.levain-upper/journal": JOURNAL };
    const done = boot({ ...tree, "/.levain-upper/reset": reset(["etc/kept", "etc/none"]) }, cmdline);
    expect(done.end).toMatchObject({ mode: "switch_root" });
    expect(upper(done.files)).toEqual(["/upper/etc/kept/a: a"]);
  });

  test("keeps all of the layer if that is the directory at which it is mounted", () => {
    const done = boot({ ...STAGED, "/.levain-upper/reset": reset([""]) }, "");
    expect(upper(done.files)).toEqual(["/upper/etc/both: old", "/upper/gone/inside: "]);
  });

  test("whose request is damaged keeps nothing", () => {
    const done = boot({ ...STAGED, "/.levain-upper/reset": "{" }, "");
    expect(upper(done.files)).toEqual([]);
  });
});
