import { describe, expect, test } from "bun:test";
import { readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DiskContent, writeDevice, writeImageFile } from "../../../../src/desk/usb/disk/target.ts";
import { withWorkspace } from "../../../../src/desk/usb/workspace.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { laterRefusalOf } from "../../../support/refusal.ts";
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
  test("appears when it is complete, and only its owner can read it", async () => {
    const directory = scratchDirectory();
    const path = join(directory, "a b\nc.img");
    await withWorkspace(directory, (workspace) => writeImageFile(path, CONTENT, workspace, listenToVoice()));
    expect(readdirSync(directory)).toEqual(["a b\nc.img"]);
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

describe("a disk", () => {
  test("is written where something is, its zeros too", async () => {
    const disk = usedDisk();
    await writeDevice(disk, { ...CONTENT, pieces: [{ at: MIB, from: bytesOf(2 * MIB, 0) }] }, true, listenToVoice());
    expect(await look(disk)).toEqual([2, 3, 0, 0, 0, 4]);
  });

  test("that was not written to its end has no partition table, neither the new one nor the old one", async () => {
    const disk = usedDisk();
    const content = { ...CONTENT, pieces: [...CONTENT.pieces, { at: 2 * MIB, from: "/nonexistent/part" }] };
    await laterRefusalOf(() => writeDevice(disk, content, true, listenToVoice()));
    expect(await look(disk)).toEqual([0, 0, 0, 1, 0xa5, 0]);
  });

  test("has its old content until everything is ready for it", async () => {
    const disk = usedDisk();
    const refused = await laterRefusalOf(() => writeDevice(join(disk, "x"), CONTENT, true, listenToVoice()));
    expect(refused[0]).toContain("cannot write to");
    expect(await look(disk)).toEqual(Array.from({ length: 6 }, () => 0xa5));
  });
});
