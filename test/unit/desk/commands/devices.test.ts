import { describe, expect, test } from "bun:test";
import { describeImages } from "../../../../src/desk/commands/disks/devices.ts";
import { headerOnDisk } from "../../../support/fake-contents.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { le16, le32, type Patch, patch } from "../../../support/probe/sparse-source.ts";

const SIZE = 2 * 1024 * 1024;
const EXPORT = { json: false, sectorSize: null };

function bytesOf(...patches: readonly Patch[]): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  for (const part of patches) bytes.set(part.bytes, part.at);
  return bytes;
}

const squashfs = [patch(0, "hsqs"), patch(12, le32(131072)), patch(28, le16(4), le16(0))];
const entry = [0x80, 0, 0, 0, 0x83, 0, 0, 0, ...le32(64), ...le32(100)];
const machine = fakeMachine({
  files: {
    "/zeros": bytesOf(),
    "/both": bytesOf(...squashfs, patch(1024, le32(0xe0f5e1e2)), patch(1036, [12])),
    "/squashfs": bytesOf(...squashfs),
    "/swap": bytesOf(patch(1024, le32(1), le32(9)), patch(1052, "\x1b] rdinit=\xff"), patch(4086, "SWAPSPACE2")),
    "/disk": bytesOf(patch(446, entry), patch(510, "\x55\xaa")),
  },
});

describe("levain devices FILE…", () => {
  test("blkid's form, a blank line between those that were recognised", () => {
    expect(describeImages(machine, ["/squashfs", "/zeros", "/swap"], EXPORT)).toEqual({
      output:
        "DEVNAME=/squashfs\nVERSION=4.0\nBLOCK_SIZE=131072\nTYPE=squashfs\nUSAGE=filesystem\n\n" +
        "DEVNAME=/swap\nLABEL=^[]\\ rdinit=M-^?\nVERSION=1\nTYPE=swap\nUSAGE=other\n",
      problems: ["/zeros: nothing recognised"],
      status: 2,
    });
    expect(describeImages(machine, ["/squashfs"], EXPORT)).toMatchObject({ problems: [], status: 0 });
  });

  test("a layer that is not supported yet is named beside what blkid prints", () => {
    const locked = fakeMachine({ files: { "/disk": headerOnDisk("bitlocker-7").bytes } });
    expect(describeImages(locked, ["/disk"], EXPORT)).toMatchObject({
      output: expect.stringContaining("TYPE=BitLocker"),
      problems: ["/disk: BitLocker is not supported yet"],
      status: 0,
    });
  });

  test("a pipe is not waited for", () => {
    const status = { kind: "fifo", mode: 0o644, size: 0, device: "0:1", represents: null } as const;
    const withPipe = {
      ...machine,
      stat: (path: string) => (path === "/pipe" ? status : machine.stat(path)),
      openReader: () => {
        throw new Error("no writer");
      },
    };
    const problems = ["/pipe: cannot be read (ESPIPE)"];
    expect(describeImages(withPipe, ["/pipe"], EXPORT)).toEqual({ output: "", problems, status: 2 });
  });

  test("what contradicts itself, and what is not there, is said", () => {
    expect(describeImages(machine, ["/both"], EXPORT)).toEqual({
      output: "",
      problems: ["/both: ambivalent, it looks like squashfs and erofs"],
      status: 8,
    });
    expect(describeImages(machine, ["/no\nsuch"], EXPORT)).toEqual({
      output: "",
      problems: ["/no\\x0asuch: cannot be read (ENOENT)"],
      status: 2,
    });
  });

  test("JSON: raw values, escaped where they are not printable, and the partitions of a disk", () => {
    const { output } = describeImages(machine, ["/swap", "/disk"], { json: true, sectorSize: null });
    expect(JSON.parse(output)).toEqual([
      {
        device: "/swap",
        tags: { LABEL: "\\x1b] rdinit=\\xff", VERSION: "1", TYPE: "swap", USAGE: "other" },
        ambivalent: [],
        partitions: [],
      },
      {
        device: "/disk",
        tags: { PTTYPE: "dos" },
        ambivalent: [],
        partitions: [
          { number: 1, start: 64, size: 100, type: "0x83", uuid: null, name: null, attributes: "0x80", scheme: "dos" },
        ],
      },
    ]);
  });

  test("sectors of 4096 bytes on request", () => {
    const { output } = describeImages(machine, ["/disk"], { json: true, sectorSize: 4096 });
    expect(JSON.parse(output)[0].partitions[0]).toMatchObject({ start: 512, size: 800 });
  });
});
