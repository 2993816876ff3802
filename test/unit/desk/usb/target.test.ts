import { describe, expect, test } from "bun:test";
import { readdirSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { claimDisk } from "../../../../src/desk/usb/disk/claim.ts";
import { identifyDisk } from "../../../../src/desk/usb/disk/disk.ts";
import { type DiskContent, writeDevice, writeImageFile } from "../../../../src/desk/usb/disk/target.ts";
import { withWorkspace } from "../../../../src/desk/usb/workspace.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { laterRefusalOf, refusalOf } from "../../../support/refusal.ts";
import { listenToVoice } from "../heard-voice.ts";

const MIB = 2 ** 20;
const bytesOf = (length: number, value: number) => new Uint8Array(length).fill(value);

/** A disk of 4 MiB: a piece at 1 MiB, a table of one sector at either end, and a first sector. */
const CONTENT: DiskContent = {
  diskBytes: 4 * MIB,
  pieces: [{ at: MIB, from: bytesOf(MIB, 1) }],
  makeInPlace: null,
  table: {
    first: bytesOf(512, 2),
    rest: [
      { at: 512, from: bytesOf(512, 3) },
      { at: 4 * MIB - 512, from: bytesOf(512, 4) },
    ],
  },
};

async function look(path: string) {
  const bytes = await Bun.file(path).bytes();
  return [0, 512, 1024, MIB, 2 * MIB, 4 * MIB - 512].map((at) => bytes[at]);
}

/** A used disk, as far as a file can be one. */
function usedDisk(): string {
  const disk = join(scratchDirectory(), "disk");
  writeFileSync(disk, bytesOf(4 * MIB, 0xa5));
  return disk;
}

describe("an image file", () => {
  test("appears when it is complete, behind a link too, and only its owner can read it", async () => {
    const directory = scratchDirectory();
    const path = join(directory, "a b\nc.img");
    writeFileSync(path, "an old one");
    const link = join(directory, "link");
    symlinkSync(path, link);
    await withWorkspace(directory, (workspace) => writeImageFile(link, CONTENT, workspace, listenToVoice()));
    expect(readdirSync(directory).sort()).toEqual(["a b\nc.img", "link"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await look(path)).toEqual([2, 3, 0, 1, 0, 4]);
  });

  test("is not begun if it is larger than what is free", async () => {
    const directory = scratchDirectory();
    const huge = join(directory, "huge");
    writeFileSync(huge, "");
    truncateSync(huge, 15 * 2 ** 40);
    const content = { ...CONTENT, pieces: [{ at: MIB, from: huge }] };
    const write = () =>
      withWorkspace(directory, (workspace) =>
        writeImageFile(join(directory, "x.img"), content, workspace, listenToVoice()),
      );
    expect((await laterRefusalOf(write)).join("\n")).toMatch(/x\.img: there is no space left for 15 TiB\n/);
    expect(readdirSync(directory)).toEqual(["huge"]);
  });

  test("leaves nothing behind if a part of it cannot be read", async () => {
    const directory = scratchDirectory();
    const content = { ...CONTENT, pieces: [...CONTENT.pieces, { at: 2 * MIB, from: join(directory, "none") }] };
    const write = () =>
      withWorkspace(directory, (workspace) =>
        writeImageFile(join(directory, "x.img"), content, workspace, listenToVoice()),
      );
    expect((await laterRefusalOf(write)).join("\n")).toContain("none");
    expect(readdirSync(directory)).toEqual([]);
  });
});

/** Claims a file as if it were the disk sdb; `diskseq` gives what the kernel counts, each time it is asked. */
function claimFile(path: string, diskseq = () => "7") {
  const tree = { "/sys/dev/block/8:16": { link: "../../devices/usb1/block/sdb" } } as const;
  const machine = fakeMachine({ files: tree, mounted: {} });
  const readFile = (asked: string) =>
    asked === "/sys/dev/block/8:16/diskseq" ? new TextEncoder().encode(`${diskseq()}\n`) : machine.readFile(asked);
  const [seen, number] = [{ ...machine, readFile }, "8:16"];
  const identity = identifyDisk(seen, number);
  return claimDisk(
    seen,
    { node: path, name: "sdb", number, identity, bytes: CONTENT.diskBytes, partitions: [] },
    false,
  );
}

describe("a disk", () => {
  test("is written where something is, its zeros too", async () => {
    const disk = usedDisk();
    const content = { ...CONTENT, pieces: [{ at: MIB, from: bytesOf(2 * MIB, 0) }] };
    await writeDevice(claimFile(disk), content, listenToVoice());
    expect(await look(disk)).toEqual([2, 3, 0, 0, 0, 4]);
  });

  test("that was not written to its end has no partition table, neither the new one nor the old one", async () => {
    const disk = usedDisk();
    const content = { ...CONTENT, pieces: [...CONTENT.pieces, { at: 2 * MIB, from: "/nonexistent/part" }] };
    await laterRefusalOf(() => writeDevice(claimFile(disk), content, listenToVoice()));
    expect(await look(disk)).toEqual([0, 0, 0, 1, 0xa5, 0]);
  });

  test("that is another one than when the user was asked keeps what is on it, also behind a link that leads elsewhere now", async () => {
    const [disk, other] = [usedDisk(), usedDisk()];
    const link = `${disk}-by-id`;
    symlinkSync(disk, link);
    let count = 7;
    const claim = claimFile(link, () => String(count));
    unlinkSync(link);
    symlinkSync(other, link);
    await writeDevice(claim, CONTENT, listenToVoice());
    expect(await look(other)).toEqual(Array.from({ length: 6 }, () => 0xa5));
    count = 8;
    const refused = await laterRefusalOf(() => writeDevice(claim, { ...CONTENT, pieces: [] }, listenToVoice()));
    expect(refused[0]).toBe(`${link} is not the disk that it was: it was unplugged, or its medium changed`);
    expect(await look(disk)).toEqual([2, 3, 0, 1, 0xa5, 4]);
    expect(() => claim.check()).toThrow("is not the disk that it was");
  });

  test("that is exchanged between two writes is not given to mke2fs", async () => {
    let count = 7;
    const claim = claimFile(usedDisk(), () => String(count));
    const write: typeof claim.write = async (act) => {
      await claim.write(act);
      count = 8;
    };
    const made: string[] = [];
    const makeInPlace = async (path: string) => void made.push(path);
    const content = { ...CONTENT, makeInPlace };
    await laterRefusalOf(() => writeDevice({ ...claim, write }, content, listenToVoice()));
    expect(made).toEqual([]);
  });

  test("is refused at once if it cannot be opened", () => {
    const refused = refusalOf(() => claimFile(join(scratchDirectory(), "gone")));
    expect(refused.join("\n")).toMatch(/^cannot write to \S+gone/);
  });
});
