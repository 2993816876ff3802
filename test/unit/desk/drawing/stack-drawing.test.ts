import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Column, listColumns } from "../../../../src/desk/drawing/stack-columns.ts";
import { drawStack } from "../../../../src/desk/drawing/stack-svg.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";

const columns = (cmdline: string) => listColumns(makePlan({ cmdline, manifest: null }).plan);

/** Each column in a line: its parts from the bottom, and in brackets what becomes of changes. */
const inShort = (all: readonly Column[]) =>
  all.map(({ place, parts }) => `${place} ${parts.map(({ name, keeps }) => `${name} (${keeps})`).join(" | ")}`);

describe("the columns of a plan", () => {
  test.each([
    ["root=LABEL=A rw", "/ LABEL=A (disk)"],
    ["root=LABEL=A rootfallback=LABEL=B", "/ LABEL=A, else LABEL=B (disk)"],
    ["root=LABEL=A rd.overlay=tmpfs:size=50%", "/ LABEL=A (nothing) | a tmpfs of 50% (memory)"],
    [
      "root=LABEL=A rd.layer=LABEL=B rd.layer=/x.sfs rd.overlay=0",
      "/ LABEL=A (nothing) | LABEL=B (nothing) | /x.sfs (nothing)",
    ],
    ["root=LABEL=A rd.image=/r.sfs", "/ LABEL=A (nothing) | /r.sfs (nothing) | a tmpfs (memory)"],
    [
      "boot=live findiso=/d.iso",
      "/ a device with /d.iso (nothing) | /d.iso (nothing) | /live/*.squashfs (nothing) | a tmpfs (memory)",
    ],
    [
      "boot=casper layerfs-path=a.b.squashfs",
      "/ a device with /casper/a.b.squashfs (nothing) | /casper/a.squashfs (nothing) | /casper/a.b.squashfs (nothing) | a tmpfs (memory)",
    ],
    [
      "boot=live persistence",
      "/ a device with /live/*.squashfs or a similar file (nothing) | /live/*.squashfs (nothing) | a tmpfs (memory) | a volume named persistence (disk)",
    ],
    [
      "boot=casper persistent persistence-read-only layerfs-path=a.squashfs",
      "/ a device with /casper/a.squashfs (nothing) | /casper/a.squashfs (nothing) | a tmpfs (memory) | a volume named writable or casper-rw (nothing)",
    ],
    ["", "/ this initramfs (memory)"],
  ])("%s", (cmdline, expected) => {
    expect(inShort(columns(cmdline))).toEqual([expected]);
  });

  test.each([
    [
      "root=LABEL=A rw rd.union=/etc:size=9M rd.tmpfs=/tmp mount.usr=LABEL=U",
      [
        "/ LABEL=A (disk)",
        "/usr LABEL=U (disk)",
        "/tmp a tmpfs (memory)",
        "/etc /etc of the root (nothing) | a tmpfs of 9M (memory)",
      ],
    ],
    [
      "root=LABEL=A rd.overlay=LABEL=D:/x rd.union=/var:LABEL=D",
      [
        "/ LABEL=A (nothing) | LABEL=D:/x (disk)",
        "/var /var of the root (nothing) | LABEL=D:/var (disk) | a tmpfs (memory)",
      ],
    ],
    ["root=LABEL=A mount.usrflags=subvol=usr,ro", ["/ LABEL=A (disk)", "/usr LABEL=A (nothing)"]],
    ["root=LABEL=A systemd.volatile=yes rd.overlay.size=1G", ["/ a tmpfs of 1G (memory)", "/usr LABEL=A (nothing)"]],
    ["root=LABEL=A systemd.volatile=yes mount.usr=LABEL=U", ["/ a tmpfs (memory)", "/usr LABEL=U (nothing)"]],
  ])("%s has columns below the root", (cmdline, expected) => {
    expect(inShort(columns(cmdline))).toEqual(expected);
  });

  test.each([
    ["root=LABEL=A roothash=HASH rd.overlay=tmpfs", "/ read-only, verified by dm-verity | changes, until shutdown"],
    [
      "root=LABEL=A usrhash=HASH",
      "/ read-only, until the system makes it writable; /usr read-only, verified by dm-verity",
    ],
    [
      "root=LABEL=A rd.image=/r.sfs roothash=HASH rd.overlay=0",
      "/ the medium | an image, read-only, verified by dm-verity",
    ],
    [
      "root=LABEL=A rd.image=/r.sfs rd.image.digest=sha256:HASH rd.overlay=0",
      "/ the medium | an image, read-only, its digest checked",
    ],
    [
      "root=LABEL=A rd.image=/r.sfs rd.image.cms rd.overlay=0",
      "/ the medium | an image, read-only, its signature checked",
    ],
    [
      "root=LABEL=A rd.overlay=LABEL=D rd.overlay.readonly",
      "/ read-only | changes that levain sync keeps | changes, until shutdown",
    ],
  ])("say what is verified, and what levain sync keeps: %s", (cmdline, expected) => {
    const all = columns(cmdline.replace("HASH", "ab".repeat(32)));
    const texts = all.map(({ place, parts }) => `${place} ${parts.map(({ note }) => note).join(" | ")}`);
    expect(texts.join("; ")).toBe(expected);
  });

  test("say what is encrypted, what is copied, and what is inside", () => {
    const notes = columns("root=live:LABEL=A rd.live.ram rd.luks.uuid=abcd")[0]?.parts.map(({ note }) => note);
    expect(notes).toEqual([
      "the medium, in an encrypted volume",
      "an image, read-only, copied to memory, or an image inside it",
      "changes, until shutdown",
    ]);
  });
});

describe("the drawing", () => {
  test("has a box for each part, the lowest at the bottom, and a legend of what is used", () => {
    const svg = drawStack(columns("root=LABEL=A rd.image=/r.sfs"));
    const at = (text: string) => Number(new RegExp(`y="(\\d+)"[^>]*>${text}<`).exec(svg)?.[1]);
    expect(at("a tmpfs")).toBeLessThan(at("/r.sfs"));
    expect(at("/r.sfs")).toBeLessThan(at("LABEL=A"));
    expect(svg).toContain(">keeps changes in memory, until shutdown<");
    expect(svg).not.toContain("on a disk");
    expect(svg).toContain("<title>/: a tmpfs (changes, until shutdown) over /r.sfs");
  });

  test("shortens long names in the middle", () => {
    const svg = drawStack(columns(`root=LABEL=A rd.image=/${"x".repeat(200)}.sfs`));
    expect(svg).toMatch(/>\/x+…x+\.sfs</);
    expect(Math.max(...[...svg.matchAll(/font-size="14">([^<]*)</g)].map(([, name = ""]) => name.length))).toBe(34);
  });

  test("is well-formed XML for any text", () => {
    const part = fc.record({
      name: fc.string({ unit: "binary", maxLength: 60 }),
      note: fc.string({ unit: "binary", maxLength: 60 }),
      keeps: fc.constantFrom("nothing" as const, "memory" as const, "disk" as const),
    });
    const column = fc.record({
      place: fc.string({ unit: "binary" }),
      parts: fc.array(part, { minLength: 1, maxLength: 9 }),
    });
    fc.assert(
      fc.property(fc.array(column, { minLength: 1, maxLength: 4 }), (all) => {
        const svg = drawStack(all);
        // What remains without tags and entities is text: it has no sign of XML, and no character that XML does not allow.
        const text = svg.replace(/<\/?(?:svg|title|rect|text)(?: [a-z-]+="[^"<>&]*"| xmlns="[^"]*")*\/?>/gi, "");
        expect(text.replace(/&(?:amp|lt|gt|quot);/g, "")).not.toMatch(/[<>&]|[^\n\P{Cc}]|[\p{Cs}\uFFFE\uFFFF]/u);
      }),
    );
  });
});
