import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { type FakeBootOptions, fakeBoot, ROOT_TREE } from "../support/fake-boot.ts";
import { fakeDhcpServer } from "../support/fake-dhcp-server.ts";
import { fakeImage } from "../support/fake-images.ts";
import { fakeArchive, STUCK_ARCHIVE } from "../support/fake-unpack-child.ts";

const ARCHIVE = fakeArchive(ROOT_TREE);
const DIGEST = createHash("sha256").update(ARCHIVE.bytes).digest("hex");
const URL = "https://10.0.0.1/root.tar.zst";
const CARD = { name: "eth0", mac: "52:54:00:12:34:56", servers: [fakeDhcpServer()] };
const SERVER = { cards: [CARD], web: { [URL]: ARCHIVE.bytes }, images: [ARCHIVE] };

function bootFromStick(words: string, content = ARCHIVE.bytes, more: Partial<FakeBootOptions> = {}) {
  const stick = fakeImage("vfat", { label: "FLASH" }, { "/root.tar.zst": content });
  const cmdline = `rd.archive=LABEL=FLASH:/root.tar.zst ${words}`;
  return fakeBoot({ cmdline, disks: [{ name: "sda", image: stick }], images: [ARCHIVE], ...more });
}

test.each([
  ["root=tmpfs", "tmpfs"],
  ["root=ramfs", "ramfs"],
  ["", "tmpfs"],
])("an archive on a stick becomes the root, and the stick can be removed: %s", (words, type) => {
  const { end, journal, mounts, console } = bootFromStick(words);
  expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot" });
  expect(mounts).toContain(`/sysroot ${type} ${type}`);
  expect(journal).toContain("unmount /run/levain/medium");
  expect(console).toMatch(/unpacking \/root\.tar\.zst \(\d+ bytes\) to memory, of which .* are free/);
});

test("an archive on a server becomes the root, and what was downloaded is released", () => {
  const { end, journal, mounts } = fakeBoot({ cmdline: `root=tmpfs:size=1G rd.archive=${URL}`, ...SERVER });
  expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot" });
  expect(mounts).toContain("/sysroot tmpfs tmpfs");
  expect(journal).toContain("unmount /run/levain/medium");
  expect(journal.join("\n")).toContain("mode=0755,size=1G");
});

test("an overlay above it keeps the tree of the archive as it is", () => {
  const { end, mounts } = bootFromStick("rd.overlay");
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(mounts).toContain("/sysroot overlay overlay");
  expect(mounts).toContain("/sysroot/run/levain/lower tmpfs tmpfs");
});

test("a digest is compared with what is unpacked, on a stick and from a server", () => {
  const wrong = `rd.image.digest=sha256:${"0".repeat(64)}`;
  expect(bootFromStick(`rd.image.digest=sha256:${DIGEST}`).end).toMatchObject({ mode: "switch_root" });
  expect(bootFromStick(wrong).record.failure?.join("\n")).toContain("rd.image.digest=");
  const right = fakeBoot({ cmdline: `rd.archive=${URL} rd.image.digest=sha256:${DIGEST}`, ...SERVER });
  expect(right.end).toMatchObject({ mode: "switch_root" });
  const fromServer = fakeBoot({ cmdline: `rd.archive=${URL} ${wrong}`, ...SERVER });
  expect(fromServer.record.failure?.join("\n")).toContain(`its sha256 is ${DIGEST}`);
});

test("an archive that is refused leaves nothing mounted", () => {
  const other = Buffer.from("no archive");
  const { end, record, mounts, journal } = bootFromStick("", other);
  expect(end).toBe("poweroff");
  expect(record.failure?.join("\n")).toContain("could not unpack /root.tar.zst");
  expect(record.failure?.join("\n")).toContain("no header at byte 0");
  expect(mounts.filter((line) => line.startsWith("/sysroot"))).toEqual([]);
  expect(journal).toContain("unmount /sysroot");
});

test("a medium that does not answer is named within 5 s, and is no hang", () => {
  const { end, console, endMs, record } = bootFromStick("quiet rd.timeout=20", STUCK_ARCHIVE);
  expect(console).toContain("waiting for /root.tar.zst, 5 of 20 s");
  expect(record.failure?.join("\n")).toContain("its device has not answered for 20 s");
  expect(end).toBe("poweroff");
  expect(endMs).toBeLessThan(60_000);
});

test("without memory for it, nothing is unpacked", () => {
  const { record } = bootFromStick("", undefined, { memoryBytes: 60 << 20 });
  expect(record.failure?.join("\n")).toContain("could not unpack /root.tar.zst to memory");
});

test("an archive outside the encrypted volume that parameters name is no root", () => {
  const { record } = bootFromStick("rd.luks.uuid=11111111-2222-3333-4444-555555555555 rd.timeout=2");
  expect(record.failure?.join("\n")).toMatch(/encrypted/);
});

test.each([
  ["root=tmpfs", "root=tmpfs: needs rd.archive=, which fills it"],
  ["root=tmpfs:size=lots rd.archive=LABEL=A:/x", "root=tmpfs:size=lots"],
  ["rd.archive=/root.tar", "rd.archive=/root.tar: Expected http://HOST/PATH"],
  [`rd.archive=LABEL=A:/x roothash=${"ab".repeat(32)} rd.verity.image=/x:${"ab".repeat(32)}`, "rd.verity.image="],
])("a mistake is reported before anything is done: %s", (cmdline, text) => {
  const { record } = fakeBoot({ cmdline });
  expect(record.failure?.join("\n")).toContain(text);
});

test("an archive beside another root is not used, and a warning says so", () => {
  const { console, end } = fakeBoot({
    cmdline: "root=LABEL=ROOT rd.archive=LABEL=FLASH:/root.tar",
    disks: [{ name: "sda", image: fakeImage("ext4", { label: "ROOT" }, ROOT_TREE) }],
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain("rd.archive= is not used: it needs root=tmpfs or root=ramfs");
});
