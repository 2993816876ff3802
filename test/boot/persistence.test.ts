import { beforeAll, describe, expect, test } from "bun:test";
import { SyscallError } from "../../src/problems/errors.ts";
import { type FakeBoot, type FakeBootOptions, fakeBoot, ROOT_TREE } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import type { FakeDirectory, FakeNode, FakeTree } from "../support/fake-files.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";
import { refuseCall } from "../support/refuse-call.ts";

// Live media that keep changes: persistence.conf(5) and live-boot(7) of Debian, casper(7) of Ubuntu.

const MIB = 2 ** 20;
const DONE = { mode: "switch_root" };
const ROOT: FakeTree = {
  ...ROOT_TREE,
  "/etc/name": "live",
  "/home/me/notes": "first",
  "/home/me/.rc": { link: "notes" },
  "/outside": { link: "/run" },
};

/** An ext4 with space. */
const volume = (label: string, tree: FakeTree = {}) => fakeImage("ext4", { label, sizeBytes: 4 * MIB }, tree);
const listed = (conf: string, tree: FakeTree = {}, label = "persistence") =>
  volume(label, { "/persistence.conf": conf, ...tree });

/** A partition with the image of the live system, and what else it holds. */
function live(tree: FakeTree = {}, directory = "live") {
  const squashfs = fakeImage("squashfs", {}, ROOT);
  const files = { [`/${directory}/filesystem.squashfs`]: squashfs.bytes, ...tree };
  return { squashfs, medium: fakeImage("ext4", { label: "MEDIUM", sizeBytes: 4 * MIB }, files as FakeTree) };
}

const stick = (name: string, ...images: readonly FakeImage[]): FakeDisk => ({
  name,
  isRemovable: true,
  partitions: images.map((image) => ({ image })),
});

/** Boots the live system of a stick whose further partitions are `images`, beside `others`. */
function boot(
  words: string,
  images: readonly FakeImage[],
  others: readonly FakeDisk[] = [],
  more: FakeBootOptions = {},
) {
  const { squashfs, medium } = live();
  const disks = [...others, stick("sda", medium, ...images)];
  return fakeBoot({
    cmdline: `boot=live persistence ${words}`,
    disks,
    ...more,
    images: [squashfs, ...(more.images ?? [])],
  });
}

const overlays = ({ journal }: FakeBoot) => journal.filter((line) => line.startsWith("mount overlay"));
const said = ({ console }: FakeBoot) => console.replace(/\s+/g, " ");

function nodeIn(image: { readonly root: FakeDirectory }, path: string): FakeNode | undefined {
  let at: FakeNode | undefined = image.root;
  for (const name of path.split("/").filter((part) => part !== "")) {
    at = at?.kind === "directory" ? at.entries.get(name) : undefined;
  }
  return at;
}

describe("a persistence volume on the medium's disk", () => {
  test("keeps the whole root with / union, in the directories of live-boot", () => {
    const disk = listed("/ union\n");
    const done = boot("", [disk]);
    expect(done.end).toMatchObject(DONE);
    expect(overlays(done)).toEqual([
      "mount overlay overlay at /sysroot (lowerdir=/run/levain/lower,upperdir=/run/levain/store-persistence/0/rw,workdir=/run/levain/store-persistence/0/work)",
    ]);
    expect(nodeIn(disk, "/rw")?.kind).toBe("directory");
    expect(said(done)).toContain("changes on /dev/sda2");
    expect(done.journal).toContain("link /run/live/persistence/sda2 to /run/levain/store-persistence/0");
  });

  test("keeps directories: as they are, as links to files, as changes", () => {
    const disk = listed("/etc union\n/home/me link,source=files\n/srv/data source=data\n", {
      "/files/.rc": "mine",
      "/files/deep/er": "mine",
      "/files/empty": { directory: true },
      "/data/x": "kept",
    });
    const done = boot("", [disk]);
    expect(done.end).toMatchObject(DONE);
    const place = "/run/levain/store-persistence/0";
    expect(overlays(done).slice(1)).toEqual([
      `mount overlay overlay at /sysroot/etc (lowerdir=/sysroot/etc,upperdir=${place}/etc/rw,workdir=${place}/etc/work)`,
    ]);
    expect(done.journal).toContain(`mount ${place}/data at /sysroot/srv/data (bind)`);
    const links = done.journal.filter((line) => line.startsWith("link /sysroot/home"));
    expect(links).toEqual([
      `link /sysroot/home/me/.rc to ${place}/files/.rc`,
      `link /sysroot/home/me/deep/er to ${place}/files/deep/er`,
    ]);
    expect(said(done)).toContain("/etc on /dev/sda2 + /srv/data on /dev/sda2 + /home/me on /dev/sda2");
  });

  test("gets a copy of a directory that it does not have yet, complete or not at all", () => {
    const disk = listed("/home\n");
    expect(boot("", [disk]).end).toMatchObject(DONE);
    expect(nodeIn(disk, "/home/me/notes")?.kind).toBe("file");
    expect(nodeIn(disk, "/home/me/.rc")).toMatchObject({ kind: "symlink", target: "notes" });
    const full = listed("/home\n");
    const done = boot("", [full], [], {
      before: (machine) => machine.refuse("copyFile", "notes", "ENOSPC"),
    });
    expect(done.end).toMatchObject(DONE);
    expect(said(done)).toContain("changes in /home are lost at shutdown");
    expect(nodeIn(full, "/home")).toBeUndefined();
    expect(nodeIn(full, "/.levain-new")).toBeUndefined();
  });

  test("is made in the subvolume that it is for: the kernel renames nothing from one to another", () => {
    const conf = "/home source=subvolume/home\n";
    const disk = listed(conf, { "/subvolume/file": "" });
    const { end, console } = boot("", [disk], [], {
      before(machine) {
        const { lstat, rename } = machine;
        const deviceOf = (path: string) => (/\/subvolume(?:\/|$)/.test(path) ? "0:99" : null);
        Object.assign(machine, {
          lstat(path: string) {
            const status = lstat(path);
            return status === null ? null : { ...status, device: deviceOf(path) ?? status.device };
          },
          rename(from: string, to: string) {
            if (deviceOf(from) !== deviceOf(to)) throw new SyscallError("rename", "EXDEV", from);
            rename(from, to);
          },
        });
      },
    });
    expect(end).toMatchObject(DONE);
    expect(console).not.toContain("are lost at shutdown");
    expect(nodeIn(disk, "/subvolume/home/me/notes")?.kind).toBe("file");
  });

  test("loses what a power cut has left of a copy, also if nothing is copied any more", () => {
    const disk = listed("/srv source=s\n", { "/.levain-new/rest": "of a power cut", "/s": { directory: true } });
    expect(boot("persistence-read-only", [disk]).end).toMatchObject(DONE);
    expect(nodeIn(disk, "/.levain-new/rest")?.kind).toBe("file");
    expect(boot("", [disk]).end).toMatchObject(DONE);
    expect(nodeIn(disk, "/.levain-new")).toBeUndefined();
  });

  test("is shown and not written to with persistence-read-only", () => {
    const disk = listed("/ union\n/home source=h\n/srv source=none\n", {
      "/rw/etc/mine": "",
      "/work": { directory: true },
      "/h/x": "",
    });
    const done = boot("persistence-read-only", [disk]);
    expect(done.end).toMatchObject(DONE);
    expect(done.journal).toContain("mount ext4 /dev/sda2 at /run/levain/store-persistence/0 (ro)");
    expect(overlays(done)[0]).toContain(
      "lowerdir=/run/levain/store-persistence/0/rw:/run/levain/lower,upperdir=/run/levain/overlay/upper",
    );
    expect([...disk.root.entries.keys()].sort()).toEqual(["h", "persistence.conf", "rw", "work"]);
  });

  test("is an image file on another partition, or on the medium itself", () => {
    for (const place of ["beside", "medium"]) {
      const inner = listed("/ union\n", {}, "any");
      const files = { "/keep/persistence": inner.bytes };
      const { squashfs, medium } = live(place === "medium" ? files : {});
      const disks = [stick("sda", medium, ...(place === "medium" ? [] : [fakeImage("vfat", { label: "FAT" }, files)]))];
      const done = fakeBoot({
        cmdline: "boot=live persistence persistence-path=keep persistence-storage=file",
        disks,
        images: [squashfs, inner],
      });
      expect(done.end).toMatchObject(DONE);
      expect(overlays(done)[0]).toContain("upperdir=/run/levain/store-persistence/0/rw");
      expect(nodeIn(inner, "/rw")?.kind).toBe("directory");
    }
  });

  test("is a directory on another partition, or on the medium itself", () => {
    for (const place of ["beside", "medium"]) {
      const files = { "/keep/persistence/persistence.conf": "/ union\n" };
      const beside = fakeImage("ext4", { label: "OTHER", sizeBytes: 4 * MIB }, place === "beside" ? files : {});
      const { squashfs, medium } = live(place === "medium" ? files : {});
      const words = "boot=live persistence persistence-path=keep persistence-storage=directory";
      const done = fakeBoot({ cmdline: words, disks: [stick("sda", medium, beside)], images: [squashfs] });
      expect(done.end).toMatchObject(DONE);
      expect(overlays(done)[0]).toContain("upperdir=/run/levain/store-persistence/0/rw");
      const keeper = place === "beside" ? beside : medium;
      expect(nodeIn(keeper, "/keep/persistence/rw")?.kind).toBe("directory");
    }
  });

  test.each([
    ["filesystem", "/dev/sda2"],
    ["file", "/dev/loop1"],
  ])("is only what persistence-storage=%s names", (storage, source) => {
    const inner = listed("/ union\n", {}, "any");
    const { squashfs, medium } = live({ "/persistence": inner.bytes });
    const done = fakeBoot({
      cmdline: `boot=live persistence persistence-storage=${storage}`,
      disks: [stick("sda", medium, listed("/ union\n"))],
      images: [squashfs, inner],
    });
    expect(done.end).toMatchObject(DONE);
    expect(done.journal).toContain(`mount ext4 ${source} at /run/levain/store-persistence/0`);
  });

  test("is shown only when what was begun with it is completed", () => {
    const reset = JSON.stringify({ version: 1, keep: ["b"] });
    const begun = (path: string): FakeTree => ({
      [`${path}/rw/a`]: "",
      [`${path}/rw/b`]: "",
      [`${path}/.levain-rw/reset`]: reset,
    });
    const disk = listed("/ union,source=r\n/etc union\nhome\n", { ...begun("/r"), ...begun("/etc") });
    const done = boot("persistence-read-only", [disk]);
    expect(done.end).toMatchObject(DONE);
    for (const path of ["/r/rw", "/etc/rw"]) {
      const node = nodeIn(disk, path);
      expect(node?.kind === "directory" && [...node.entries.keys()]).toEqual(["b"]);
    }
    expect(done.journal.filter((line) => line.startsWith("mount ext4 /dev/sda2")).at(-1)).toContain("(ro)");
    expect(said(done).split("line 3 of persistence.conf")).toHaveLength(2);
  });

  test.each(["/etc union,source=e", "/ union,source=e"])("adds no options to an overlay: %s", (line) => {
    const tree: FakeTree = { "/e": { link: "x,lowerdir=/run" }, "/x,lowerdir=/run/rw": { directory: true } };
    const done = boot("", [listed(`${line}\n`, tree)]);
    expect(done.end).toMatchObject(DONE);
    expect(overlays(done).join()).not.toContain("store-persistence");
    expect(said(done)).toContain("overlayfs cannot use a path with a comma");
  });

  test("without a persistence.conf, or with an unreadable line, is reported", () => {
    const none = boot("", [volume("persistence")]);
    expect(none.end).toMatchObject(DONE);
    expect(said(none)).toContain("/dev/sda2 has no file persistence.conf");
    expect(said(none)).toContain("changes are lost at shutdown");
    expect(none.mounts.join()).not.toContain("persistence");
    const wrong = boot("", [listed("/etc union\nhome\n/ bind\n")]);
    expect(said(wrong)).toContain("line 2 of persistence.conf on /dev/sda2 is ignored: expected an absolute path");
    expect(said(wrong)).toContain(
      "line 3 of persistence.conf on /dev/sda2 is ignored: expected the option union for /",
    );
    expect(overlays(wrong)).toHaveLength(2);
  });

  test("does not lead out of the root or the volume by its links", () => {
    const disk = listed("/outside/x\n/etc union\n/home/me link\n/srv source=way/data\n", {
      "/etc": { link: "/run/levain" },
      "/home/me/.rc": { link: "/etc/shadow" },
      "/way": { link: "../../../../etc" },
    });
    const done = boot("", [disk], [], { files: { "/etc/data/of-initramfs": "" } });
    expect(done.end).toMatchObject(DONE);
    expect(said(done)).toContain("/outside/x leads to a filesystem that no disk keeps");
    expect(done.journal.join("\n")).not.toMatch(/(?:mkdir|link|mount \S+) (?:at )?\/(?:etc|run\/x)/);
    expect(done.journal.join("\n")).not.toContain("mount /etc");
  });
});

describe("a directory of a volume for all changes", () => {
  test("is created, and no link leads out of the volume", () => {
    const disk = listed("/ union,source=deep/er\n", {
      "/deep": { link: "/elsewhere" },
      "/elsewhere": { directory: true },
    });
    const done = boot("", [disk], [], { files: { "/elsewhere/of-initramfs": "" } });
    expect(done.end).toMatchObject(DONE);
    expect(nodeIn(disk, "/elsewhere/er/rw")?.kind).toBe("directory");
    const dangling = listed("/ union,source=deep\n", { "/deep": { link: "/run/levain" } });
    const second = boot("rd.overlay.policy=required", [dangling]);
    expect(second.shells).toBe(1);
    expect(second.journal.join("\n")).not.toMatch(/mkdir \/run\/levain\/rw/);
  });

  test("on two partitions of one name is not guessed", () => {
    const [one, other] = [listed("/ union\n"), listed("/ union\n")];
    const done = boot("", [one, other]);
    expect(done.end).toMatchObject(DONE);
    expect(said(done)).toContain("several persistence volumes are present: /dev/sda2 and /dev/sda3");
    expect(overlays(done)[0]).toContain("upperdir=/run/levain/overlay/upper");
    expect(done.mounts.join()).not.toContain("store-persistence");
    expect(boot("rd.overlay.policy=required", [one, other]).shells).toBe(1);
  });
});

describe("other disks", () => {
  const theirs = () => listed("/ union\n", { "/rw/sbin/init": "evil" });

  test("are not used if the medium's disk has a volume", () => {
    const done = boot("", [listed("/ union\n")], [stick("sdb", theirs()), { name: "vda", image: theirs() }]);
    expect(done.end).toMatchObject(DONE);
    expect(done.journal.join("\n")).not.toMatch(/mount \S+ \/dev\/(?:sdb1|vda) at/);
    expect(overlays(done)[0]).toContain("upperdir=/run/levain/store-persistence/0/rw");
  });

  test("are used if only one has a volume", () => {
    const done = boot("", [], [{ name: "vda", image: listed("/ union\n") }]);
    expect(done.end).toMatchObject(DONE);
    expect(done.journal).toContain("mount ext4 /dev/vda at /run/levain/store-persistence/0");
  });

  test("of which several have a volume are not used", () => {
    const others = [{ name: "vda", image: theirs() }, stick("sdb", theirs())];
    const done = boot("", [], others);
    expect(done.end).toMatchObject(DONE);
    expect(overlays(done)[0]).toContain("upperdir=/run/levain/overlay/upper");
    expect(said(done)).toContain("several persistence volumes are present: /dev/sdb1 and /dev/vda");
    const required = boot("rd.overlay.policy=required", [], others);
    expect(required.shells).toBe(1);
    expect(said(required)).toContain("anyone can make a disk with such a name");
  });

  test("are left out by persistence-media=", () => {
    const done = boot("persistence-media=removable", [], [{ name: "vda", image: theirs() }]);
    expect(overlays(done)[0]).toContain("upperdir=/run/levain/overlay/upper");
  });

  test("that come a little later are waited for", () => {
    const late = { name: "vda", image: listed("/ union\n"), arrivesAtMs: 3000 };
    expect(overlays(boot("", [], [late]))[0]).toContain("upperdir=/run/levain/store-persistence/0/rw");
  });
});

describe("without a volume", () => {
  test("the boot warns, and changes go to memory", () => {
    const done = boot("", []);
    expect(done.end).toMatchObject(DONE);
    expect(said(done)).toContain(
      "there is no persistence volume (persistence or live-rw or home-rw): changes are lost at shutdown",
    );
  });

  test("the boot fails if they are required", () => {
    const done = boot("rd.overlay.policy=required", []);
    expect(done.shells).toBe(1);
    expect(said(done)).toContain("mkfs.ext4 -L persistence");
  });

  test("nothing is searched for with nopersistence", () => {
    const disk = listed("/ union\n");
    const done = boot("nopersistence", [disk]);
    expect(overlays(done)[0]).toContain("upperdir=/run/levain/overlay/upper");
    expect([...disk.root.entries.keys()]).toEqual(["persistence.conf"]);
  });
});

describe("casper's persistent", () => {
  function ubuntu(images: readonly FakeImage[], tree: FakeTree = {}, known: readonly FakeImage[] = []) {
    const { squashfs, medium } = live(tree, "casper");
    const disks = [stick("sda", medium, ...images)];
    return fakeBoot({ cmdline: "boot=casper persistent", disks, images: [squashfs, ...known] });
  }

  test.each(["writable", "casper-rw"])("keeps all changes on the volume %s, and /home on home-rw", (name) => {
    const [root, home] = [volume(name), volume("home-rw", { "/me/x": "" })];
    const done = ubuntu([root, home]);
    expect(done.end).toMatchObject(DONE);
    expect(overlays(done)[0]).toContain("upperdir=/run/levain/store-persistence/0/upper");
    expect(done.journal).toContain("mount /run/levain/store-persistence/1 at /sysroot/home (bind)");
  });

  test("keeps them in the file casper-rw on the medium", () => {
    const inner = volume("any");
    const done = ubuntu([], { "/casper-rw": inner.bytes }, [inner]);
    expect(overlays(done)[0]).toContain("upperdir=/run/levain/store-persistence/0/upper");
    expect(done.end).toMatchObject(DONE);
  });
});

describe("encrypted volumes", () => {
  const SMALL = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";
  const recipe = (name: string, words = "") => ({
    name,
    script: `cryptsetup luksFormat -q ${SMALL} ${words} ${CHEAP} $1 key`,
  });
  const ROOT_UUID = "6c657661-696e-4000-8000-0000000000c7";
  const inner = listed("/ union\n");
  const plain = volume("other", { "/x": "" });
  const rootInside = fakeImage(
    "ext4",
    { label: "MEDIUM" },
    Object.fromEntries(Object.entries(ROOT).map(([path, node]) => [`/live/filesystem.dir${path}`, node])),
  );
  let vault: FakeImage;
  let wrong: FakeImage;
  let root: FakeImage;
  beforeAll(async () => {
    vault = await luksDisk(recipe("persistence-vault"), inner);
    wrong = await luksDisk(recipe("persistence-wrong"), plain);
    root = await luksDisk(recipe("persistence-root", `--uuid ${ROOT_UUID}`), rootInside);
  });
  const unlock = (words: string, disks: readonly FakeDisk[], images: readonly FakeImage[], typing = "pass") =>
    cryptBoot({
      cmdline: `boot=live persistence ${words}`,
      disks,
      images: [...images, inner, plain],
      typing: typed(typing),
    });
  const isOpen = ({ journal }: FakeBoot) => {
    const lines = journal.filter((line) => /^(?:un)?map /.test(line));
    return lines.length > 0 && !lines.at(-1)?.startsWith("unmap ");
  };

  test("on the medium's disk are unlocked with persistence-encryption=luks", () => {
    const { squashfs, medium } = live();
    const done = unlock("persistence-encryption=luks", [stick("sda", medium, vault)], [squashfs, vault]);
    expect(done.end).toMatchObject(DONE);
    expect(said(done)).toContain("unlocking /dev/sda2");
    expect(overlays(done)[0]).toContain("upperdir=/run/levain/store-persistence/0/rw");
  });

  test("may be among others that are not encrypted with none,luks", () => {
    const { squashfs, medium } = live();
    const done = unlock("persistence-encryption=none,luks", [stick("sda", medium, vault)], [squashfs, vault]);
    expect(done.end).toMatchObject(DONE);
    expect(said(done)).toContain("unlocking /dev/sda2");
  });

  test("are left alone without it", () => {
    const { squashfs, medium } = live();
    const done = unlock("", [stick("sda", medium, vault)], [squashfs, vault]);
    expect(done.end).toMatchObject(DONE);
    expect(said(done)).not.toContain("unlocking");
    expect(isOpen(done)).toBe(false);
  });

  test("without a persistence.conf are closed again", () => {
    const { squashfs, medium } = live();
    const done = unlock("persistence-encryption=luks", [stick("sda", medium, wrong)], [squashfs, wrong]);
    expect(done.end).toMatchObject(DONE);
    expect(said(done)).toContain("/dev/sda2 has no file persistence.conf");
    expect(isOpen(done)).toBe(false);
  });

  test("of another disk without the name are not asked for", () => {
    const { squashfs, medium } = live();
    const disks = [stick("sda", medium), { name: "vda", image: vault }];
    expect(said(unlock("persistence-encryption=luks", disks, [squashfs, vault]))).not.toContain("unlocking");
  });

  test("that hold the root get no files from a disk outside", () => {
    const stranger = listed("/ union\n", { "/rw/sbin/init": "evil" });
    const disks = [{ name: "vda", image: root }, stick("sdb", stranger)];
    const named = cryptBoot({
      cmdline: `boot=live persistence live-media=/dev/mapper/box rd.luks.name=${ROOT_UUID}=box`,
      disks,
      images: [root, rootInside],
      typing: typed("pass"),
    });
    expect(named.end).toMatchObject(DONE);
    expect(said(named)).toContain("there is no persistence volume");
    expect(said(named)).not.toContain("changes are not kept there");
    expect(overlays(named).join()).not.toContain("persistence");
  });
});

describe("if any call is refused from the search for the volume on", () => {
  /** Returns new options for each boot: images are distinguished by their bytes. */
  function options(policy: string): FakeBootOptions {
    const squashfs = fakeImage("squashfs", {}, ROOT);
    const medium = fakeImage("ext4", { label: "MEDIUM" }, { "/live/filesystem.squashfs": squashfs.bytes });
    const conf = "/home source=h\n/etc union,source=e\n/srv link,source=s\n";
    const kept = fakeImage(
      "ext4",
      { label: "persistence", sizeBytes: 2 * MIB },
      { "/persistence.conf": conf, "/s/a/b": "" },
    );
    const disks = [{ name: "sda", partitions: [{ image: medium }, { image: kept }] }];
    return { cmdline: `boot=live persistence rd.overlay.policy=${policy}`, disks, images: [squashfs] };
  }
  function refused(policy: string, number: number | null) {
    let calls: string[] = [];
    const before = (machine: FakeMachine) => {
      calls = refuseCall(machine, number, "EIO");
    };
    return { ...fakeBoot({ ...options(policy), before, person: [() => undefined] }), calls };
  }
  const whole = refused("required", null);
  const from = whole.calls.findIndex((call) => call.includes("/run/levain/store-persistence")) - 40;
  const numbers = [...whole.calls.keys()].filter((number) => number > from);

  test("the boot goes on without what cannot be kept, and says so", () => {
    expect(whole.shells).toBe(0);
    expect(numbers.length).toBeGreaterThan(60);
    for (const number of numbers) {
      const done = refused("fallback", number);
      const about = `${number}: ${whole.calls[number]}\n${done.console}`;
      expect(done.console, about).not.toMatch(/bug in levain|undefined|\[object/);
      expect(done.end, about).toMatchObject(DONE);
      if (done.mounts.join() !== whole.mounts.join()) expect(done.console, about).toMatch(/warning|hint/);
    }
  });

  test("or stops if changes are required, and a retry leaves nothing of the first try behind", () => {
    for (const number of numbers) {
      const done = refused("required", number);
      const about = `${number}: ${whole.calls[number]}\n${done.console}\n${done.journal.join("\n")}`;
      expect(done.end, about).toMatchObject(DONE);
      if (done.shells > 0 && !/^(?:unmount|detachLoop)/.test(whole.calls[number] ?? "")) {
        expect(done.mounts, about).toEqual(whole.mounts);
      }
    }
  });
});
