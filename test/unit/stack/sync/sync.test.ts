import { describe, expect, test } from "bun:test";
import type { Tree } from "../../../../src/machine/trees.ts";
import { SyscallError } from "../../../../src/problems/errors.ts";
import { report } from "../../../../src/problems/report.ts";
import { haveSameContent } from "../../../../src/stack/sync/content.ts";
import { branchOf, readJournal, writeJournal } from "../../../../src/stack/sync/journal.ts";
import { settleBranch } from "../../../../src/stack/sync/settle.ts";
import { syncBranch } from "../../../../src/stack/sync/sync.ts";
import { fakeLayers, PowerCutError, randomLayers } from "../../../support/sync/fake-layers.ts";
import { differences, withoutLinks } from "../../../support/sync/snapshot.ts";

const SILENT = { warn: () => undefined, debug: () => undefined, progress: () => undefined };
const SEEDS = Array.from({ length: 150 }, (_, index) => index + 1);

/** As a boot does: the overlay is not mounted. */
function settle({ machine, order }: ReturnType<typeof fakeLayers>): void {
  settleBranch(machine, order.branch, SILENT);
}

describe("a sync", () => {
  test("makes the lower layers show what all layers showed, whatever marks overlayfs has set", () => {
    for (const seed of SEEDS) {
      const layers = randomLayers(seed);
      const wanted = layers.shown();
      syncBranch(layers.machine, layers.order, SILENT);
      // Names of one file may be two files until the next boot, if one of them has to wait for it.
      const mounted = differences(withoutLinks(wanted), withoutLinks(layers.shown()));
      expect([seed, ...mounted]).toEqual([seed]);
      settle(layers);
      expect([seed, ...differences(wanted, layers.below())]).toEqual([seed]);
      expect([seed, ...layers.tree("/store").list("")]).toEqual([seed, "upper"]);
    }
  });

  test("that a power failure interrupts leaves everything as it was, or is finished by the next boot", () => {
    const ends = { old: 0, new: 0 };
    for (const seed of SEEDS.slice(0, 20)) {
      const total = countChanges(seed);
      const step = Math.max(1, Math.floor(total / 25));
      for (let cut = seed % step; cut < total; cut += step) ends[cutPower(seed, cut)] += 1;
    }
    expect(Math.min(ends.old, ends.new)).toBeGreaterThan(100);
  });
});

describe("a file of the upper", () => {
  const write = (tree: Tree, path: string, text: string) => {
    if (tree.status(path) !== null) tree.remove(path);
    const file = tree.createFile(path);
    file.write(Buffer.from(text), 0);
    file.finish(text.length);
  };
  const make = () => {
    const layers = fakeLayers();
    write(layers.tree("/store/upper"), "log", "old");
    write(layers.tree("/ram/upper"), "log", "new");
    return layers;
  };
  const read = (layers: ReturnType<typeof make>) => {
    const file = layers.tree("/store/upper").openFile("log");
    const bytes = new Uint8Array(file.size);
    file.read(bytes, 0);
    return Buffer.from(bytes).toString();
  };
  /** The file changes each time it is opened, so many times. */
  const changing = (layers: ReturnType<typeof make>, times: number) => {
    let left = times;
    const { machine } = layers;
    const openTree: typeof machine.openTree = (path, access) => {
      const tree = machine.openTree(path, access);
      if (path !== "/ram/upper") return tree;
      const openFile = (name: string) => {
        const file = tree.openFile(name);
        left -= 1;
        if (left >= 0) write(tree, name, `new ${left}`);
        return file;
      };
      return { ...tree, openFile };
    };
    return { ...machine, openTree };
  };

  test("with the same size and time is compared", () => {
    const layers = make();
    for (const path of ["/store/upper", "/ram/upper"] as const) layers.tree(path).setModified("log", 5n);
    syncBranch(layers.machine, layers.order, SILENT);
    expect(read(layers)).toBe("new");
  });

  /** A program has mapped the file and writes to it: no time of it changes. `texts`: what is there when it is read. */
  const mapped = ({ machine }: ReturnType<typeof make>, texts: (reads: number) => string) => {
    let reads = 0;
    const openTree: typeof machine.openTree = (path, access) => {
      const tree = machine.openTree(path, access);
      if (path !== "/ram/upper") return tree;
      const openFile = (name: string) => {
        const read = (to: Uint8Array, offset: number) => {
          const part = Buffer.from(texts(reads)).subarray(offset, offset + to.length);
          reads += 1;
          to.set(part);
          return part.length;
        };
        return { ...tree.openFile(name), read };
      };
      return { ...tree, openFile, compareDirectory: () => null };
    };
    return { ...machine, openTree };
  };

  test("that was written through a mapping since the last sync is copied", () => {
    const layers = make();
    syncBranch(layers.machine, layers.order, SILENT);
    expect(read(layers)).toBe("new");
    syncBranch(
      mapped(layers, () => "NEW"),
      layers.order,
      SILENT,
    );
    expect(read(layers)).toBe("NEW");
  });

  test("that is written through a mapping while it is copied is copied again", () => {
    const layers = make();
    const machine = mapped(layers, (reads) => (reads < 2 ? "one" : "two"));
    expect([syncBranch(machine, layers.order, SILENT).unstable, read(layers)]).toEqual([[], "two"]);
    const restless = mapped(layers, (reads) => `n${reads % 10}.`);
    expect([syncBranch(restless, layers.order, SILENT).unstable, read(layers)]).toEqual([["log"], "two"]);
  });

  test("that has disappeared when it is compared with its copy does not end the sync", () => {
    const { machine, order } = make();
    syncBranch(machine, order, SILENT);
    const openTree: typeof machine.openTree = (path, access) => {
      const tree = machine.openTree(path, access);
      if (path !== "/ram/upper") return tree;
      const openFile = (name: string) => {
        throw new SyscallError("open", "ENOENT", name);
      };
      return { ...tree, openFile, compareDirectory: () => null };
    };
    expect(syncBranch({ ...machine, openTree }, order, SILENT).unstable).toEqual(["log"]);
  });

  test("of a PiB without data is compared at once, and its data wherever they are", () => {
    const size = 2 ** 50;
    let reads = 0;
    const tree = (data: number, text: string) => ({
      openFile: () => ({
        size,
        nextData: (offset: number) => (offset > data ? null : { start: data, end: data + text.length }),
        read(to: Uint8Array, offset: number) {
          reads += 1;
          if (reads > 10) throw new Error("it reads all of the file");
          to.fill(0);
          if (offset <= data && data < offset + to.length) to.set(Buffer.from(text), data - offset);
          return to.length;
        },
        close: () => undefined,
      }),
    });
    const areSame = (one: ReturnType<typeof tree>, other: ReturnType<typeof tree>) => {
      reads = 0;
      return haveSameContent(one as unknown as Tree, "one", other as unknown as Tree, "other");
    };
    const far = 2 ** 49 + 5;
    expect(areSame(tree(far, "data"), tree(far, "data"))).toBe(true);
    expect(areSame(tree(far, "data"), tree(far, "dada"))).toBe(false);
    expect(areSame(tree(far, "data"), tree(7, "data"))).toBe(false);
    expect(areSame(tree(far, "\0"), tree(7, "\0"))).toBe(true);
  });

  test("that changes while it is copied is copied again", () => {
    const layers = make();
    const { unstable } = syncBranch(changing(layers, 2), layers.order, SILENT);
    expect([read(layers), unstable]).toEqual(["new 0", []]);
  });

  test("that changes each time stays as it was, and is reported", () => {
    const layers = make();
    const { unstable } = syncBranch(changing(layers, 100), layers.order, SILENT);
    expect([read(layers), unstable]).toEqual(["old", ["log"]]);
  });

  test("outside the directory to sync stays in memory", () => {
    const layers = make();
    const upper = layers.tree("/ram/upper");
    upper.makeDirectory("var");
    write(upper, "var/a", "a");
    syncBranch(layers.machine, { ...layers.order, scope: "var" }, SILENT);
    expect([read(layers), layers.tree("/store/upper").list("var")]).toEqual(["old", ["a"]]);
  });
});

function countChanges(seed: number): number {
  const layers = randomLayers(seed);
  layers.cutAfter(Number.POSITIVE_INFINITY);
  syncBranch(layers.machine, layers.order, SILENT);
  return layers.changes();
}

/** Cuts the power after so many changes, and once more while the boot finishes what was begun. Returns which tree is there in the end. */
function cutPower(seed: number, cut: number): "old" | "new" {
  const layers = randomLayers(seed);
  const [before, wanted] = [layers.below(), layers.shown()];
  layers.cutAfter(cut);
  expect(() => syncBranch(layers.machine, layers.order, SILENT)).toThrow(PowerCutError);
  layers.restart();
  layers.cutAfter(cut % 17);
  try {
    settle(layers);
  } catch (error) {
    expect(error).toBeInstanceOf(PowerCutError);
  }
  layers.restart();
  settle(layers);
  expect(layers.tree("/store").list("")).toEqual(["upper"]);
  if (differences(before, layers.below()).length === 0) return "old";
  expect([seed, cut, ...differences(wanted, layers.below())]).toEqual([seed, cut]);
  return "new";
}

test("a new directory is prepared with everything in it, and takes one step", () => {
  const layers = fakeLayers();
  const upper = layers.tree("/ram/upper");
  for (const path of ["new", "new/deep"]) upper.makeDirectory(path);
  for (const path of ["new/a", "new/deep/b"]) upper.createFile(path).finish(0);
  upper.link("new/a", "outside");
  upper.link("new/deep/b", "new/same");
  for (const [index, path] of ["new", "new/deep", ""].entries()) upper.setModified(path, BigInt(index + 5));
  const wanted = layers.shown();
  const { machine, order } = layers;
  const openTree: typeof machine.openTree = (path, access) => {
    const tree = machine.openTree(path, access);
    const rename = (from: string, to: string) => {
      if (to === "upper/new") throw new PowerCutError();
      tree.rename(from, to);
    };
    return { ...tree, rename };
  };
  expect(() => syncBranch({ ...machine, openTree }, order, SILENT)).toThrow(PowerCutError);
  const journal = readJournal(branchOf(layers.tree("/store"), "upper"));
  const steps = journal === null || journal === "damaged" ? journal : [...journal.operations];
  expect(steps).toMatchObject([
    { kind: "place", path: "new" },
    { kind: "place", path: "outside" },
    { kind: "time", path: "", modified: "7" },
  ]);
  settle(layers);
  expect(differences(wanted, layers.below())).toEqual([]);
  expect(layers.tree("/store/upper").status("")?.modifiedNs).toBe(7n);
});

test("attributes of a directory and a file that are too many for a line of the journal survive a power failure", () => {
  const layers = fakeLayers();
  const value = new Uint8Array(64 << 10).fill(7);
  const [upper, store] = [layers.tree("/ram/upper"), layers.tree("/store/upper")];
  for (const tree of [upper, store]) {
    const file = tree.createFile("file");
    file.write(Buffer.from("same"), 0);
    file.finish(4);
    tree.makeDirectory("directory");
  }
  for (let count = 0; count < 210; count++) {
    for (const path of ["directory", "file"]) upper.setAttribute(path, `user.${count}`, value);
  }
  upper.setModified("file", store.status("file")?.modifiedNs ?? 0n);
  // The journal is complete, and nothing of it is done.
  const { machine } = layers;
  const openTree: typeof machine.openTree = (path, access) => {
    const tree = machine.openTree(path, access);
    const setAccess: typeof tree.setAccess = () => {
      throw new PowerCutError();
    };
    return { ...tree, setAccess };
  };
  expect(() => syncBranch({ ...machine, openTree }, layers.order, SILENT)).toThrow(PowerCutError);
  const warnings: string[] = [];
  settleBranch(machine, layers.order.branch, { ...SILENT, warn: (text) => void warnings.push(text) });
  const counts = ["directory", "file"].map((path) => layers.tree("/store/upper").attributes(path).size);
  expect({ warnings, counts }).toEqual({ warnings: [], counts: [210, 210] });
});

test("an image file below a read-only loop device, and ext4 without its journal, are refused with the cure", () => {
  const { machine, order } = fakeLayers();
  const refuse = () => {
    throw new SyscallError("fsconfig", "EACCES", "/store");
  };
  const reportOf = (source: string, options = "ro") => {
    const mounts = `30 1 7:0 / /store ro - ext4 ${source} ${options}\n`;
    const readFile = () => Buffer.from(mounts);
    try {
      syncBranch({ ...machine, openTree: refuse, readFile }, order, SILENT);
      return "";
    } catch (error) {
      return report(error).join(" ");
    }
  };
  expect(reportOf("/dev/loop0")).toContain("image file whose loop device is read-only");
  expect(reportOf("/dev/loop0")).toContain("boot without rd.overlay.readonly");
  expect(reportOf("/dev/sda1")).toContain("write-protected");
  for (const option of ["norecovery", "noload"]) {
    expect(reportOf("/dev/sda1", `ro,${option}`)).toContain("this boot has not replayed its journal");
  }
});

test("a crafted journal whose characters would become dots and slashes is damaged", () => {
  const paths = ["\u012e\u012e/x", "a/\u012e\u012e/x", "a\u012fb", "\ud83d\ude00", "a\0b"];
  for (const [path, isGood] of [...paths.map((one) => [one, false] as const), ["\xff.\x01/x", true] as const]) {
    const layers = fakeLayers();
    const branch = branchOf(layers.tree("/store"), "upper");
    const remove = { kind: "remove", path } as const;
    writeJournal(branch, { items: "items-1", waits: false, count: 1, operations: [remove] });
    expect([path, readJournal(branch) !== "damaged"]).toEqual([path, isGood]);
  }
});
