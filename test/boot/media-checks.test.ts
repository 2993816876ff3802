import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { signedContent } from "../support/cms-fixture.ts";
import { run } from "../support/command.ts";
import { type FakeBootOptions, fakeBoot, ROOT_TREE } from "../support/fake-boot.ts";
import { type FakeTree, makeFakeTree } from "../support/fake-files.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { damaged } from "../support/verity-disk.ts";

// Whole boots that check a medium or an image first. The names of the checksum files are those of 0030-verify-checksums in
// live-boot 20230131, of casper's md5sum.txt, and of archiso's README.bootparams.

const root = fakeImage("squashfs", {}, ROOT_TREE);
const IMAGE = "/live/filesystem.squashfs";
const digest = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest("hex");
const bad = damaged(root, 3000).bytes;

function boot(cmdline: string, files: FakeTree, more: FakeBootOptions = {}): ReturnType<typeof fakeBoot> {
  const disk = { name: "vda", image: fakeImage("vfat", { label: "MEDIUM" }, files) };
  // The kernel would mount the damaged image too.
  const images = [root, { ...root, bytes: bad }];
  return fakeBoot({ cmdline: `${cmdline} rdshell=0`, images, disks: [disk], ...more });
}

const unwrapped = ({ console }: ReturnType<typeof fakeBoot>) => console.replaceAll(/\s+/g, " ");
const sums = (algorithm: string, files: Readonly<Record<string, Uint8Array>>) =>
  Object.entries(files)
    .map(([path, bytes]) => `${digest(algorithm, bytes)}  .${path}\n`)
    .join("");

/** A user who presses a key as soon as the terminals are watched. */
const press = (text: string): FakeBootOptions => ({
  before(machine) {
    const { openTerminals } = machine;
    machine.openTerminals = (nodes) => {
      const open = openTerminals(nodes);
      machine.terminals.type({ terminal: "/dev/ttyS0", text });
      return open;
    };
  },
});

const EXTRA = Buffer.from("readme");
const GOOD = { [IMAGE]: root.bytes, "/README": EXTRA };
const LIST = { "/sha256sum.txt": `# SHA-256\n${sums("sha256", GOOD)}` };

describe("the checksum file of a medium", () => {
  test.each([
    ["boot=live verify-checksums", LIST],
    ["boot=live verify-checksums=md5", { "/MD5SUMS": sums("md5", GOOD), "/sha512sum.txt": "wrong" }],
    ["boot=live integrity-check", { "/md5sum.txt": sums("md5", GOOD) }],
    ["root=live:LABEL=MEDIUM rd.live.dir=live rd.live.squashimg=filesystem.squashfs rd.live.sums", LIST],
  ])("%s: a whole medium boots", (cmdline, list) => {
    const result = boot(cmdline, { ...GOOD, ...list });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(unwrapped(result)).toContain(`checking the files in ${Object.keys(list)[0]}, Esc skips this`);
  });

  test.each([
    [
      "a damaged image",
      { [IMAGE]: bad },
      "the medium is damaged: /live/filesystem.squashfs it does not match its sha256 in /sha256sum.txt",
    ],
    [
      "another damaged file",
      { "/README": "changed" },
      "the medium is damaged: /README it does not match its sha256 in /sha256sum.txt",
    ],
    [
      "no list",
      { "/sha256sum.txt": { directory: true as const } },
      "the medium has no checksum file: /SHA512SUMS, /sha512sum.txt,",
    ],
    ["a list without sums", { "/sha256sum.txt": "\n" }, "the medium has no checksum file: /sha256sum.txt"],
  ])("%s is reported, and nothing is mounted", (_, files, words) => {
    for (const toram of ["", " toram"]) {
      const result = boot(`boot=live verify-checksums${toram}`, { ...GOOD, ...LIST, ...files });
      expect(unwrapped(result)).toContain(words);
      expect(result.end).toBe("halt");
    }
  });

  test("a missing file is reported", () => {
    const { [IMAGE]: image, ...list } = { [IMAGE]: root.bytes, ...LIST };
    expect(unwrapped(boot("boot=live verify-checksums", { [IMAGE]: image, ...list }))).toContain(
      "the medium is damaged: /README is missing",
    );
  });

  test("an image that is copied is read once: its sum is that of the copy", () => {
    const reads: string[] = [];
    const before = (machine: FakeMachine) => {
      const { openReader } = machine;
      machine.openReader = (path) => {
        reads.push(path);
        return openReader(path);
      };
    };
    const result = boot("boot=live verify-checksums toram", { ...GOOD, ...LIST }, { before });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.journal).toContain(
      "copy /run/levain/medium/live/filesystem.squashfs to /run/levain/ram/filesystem.squashfs",
    );
    expect(reads.filter((path) => path.startsWith("/run/levain/medium"))).toEqual(["/run/levain/medium/README"]);
  });

  test("Esc skips it; nothing else does", () => {
    const files = { ...GOOD, ...LIST, [IMAGE]: bad };
    const skipped = boot("boot=live verify-checksums", files, press("\x1b"));
    expect(unwrapped(skipped)).toContain("the check of the medium was skipped by Esc");
    expect(skipped.end).toMatchObject({ mode: "switch_root" });
    expect(boot("boot=live verify-checksums", files, press("\x1b[A")).end).toBe("halt");
    expect(boot("boot=live verify-checksums", files, press("x")).end).toBe("halt");
  });

  test("archiso's is beside the image", () => {
    const path = "/arch/x86_64/airootfs.sfs";
    const list = { "/arch/x86_64/airootfs.sha512": `${digest("sha512", root.bytes)}  airootfs.sfs\n` };
    const cmdline = "archisobasedir=arch archisolabel=MEDIUM checksum=y";
    expect(boot(cmdline, { [path]: root.bytes, ...list }).end).toMatchObject({ mode: "switch_root" });
    const wrong = boot(cmdline, { [path]: bad, ...list });
    expect(unwrapped(wrong)).toContain("it does not match its sha512 in /arch/x86_64/airootfs.sha512");
    expect(boot("archisobasedir=arch archisolabel=MEDIUM checksum=n", { [path]: bad }).end).toMatchObject({
      mode: "switch_root",
    });
  });
});

describe("rd.image.digest=", () => {
  const cmdline = "root=LABEL=MEDIUM rd.image=/live/filesystem.squashfs";
  const of = (algorithm: string) => `rd.image.digest=${algorithm}:${digest(algorithm, root.bytes)}`;

  test.each(["sha256", "sha512"])("%s of the file", (algorithm) => {
    for (const toram of ["", " rd.live.ram"]) {
      expect(boot(`${cmdline} ${of(algorithm)}${toram}`, GOOD).end).toMatchObject({ mode: "switch_root" });
      const result = boot(`${cmdline} ${of(algorithm)}${toram}`, { [IMAGE]: bad });
      expect(unwrapped(result)).toContain(
        "the medium is damaged: /live/filesystem.squashfs it does not match rd.image.digest=",
      );
      expect(result.end).toBe("halt");
    }
  });

  test("Esc does not skip it", () => {
    expect(boot(`${cmdline} ${of("sha256")}`, { [IMAGE]: bad }, press("\x1b")).end).toBe("halt");
  });

  test("a file with fs-verity is not read", () => {
    const measured = (text: string) => (machine: FakeMachine) => {
      machine.measureVerity = () => text;
    };
    const other = `sha256:${"ab".repeat(32)}`;
    const result = boot(`${cmdline} rd.image.digest=${other}`, GOOD, { before: measured(other) });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(boot(`${cmdline} rd.image.digest=${other}`, GOOD, { before: measured("sha512:ab") }).end).toBe("halt");
  });

  test("is for one image, and for nothing else", () => {
    const two = { ...GOOD, "/live/more.squashfs": root.bytes };
    expect(unwrapped(boot(`boot=live ${of("sha256")}`, two))).toContain(
      "rd.image.digest= is for one image, but the medium has 2",
    );
    expect(unwrapped(boot(`root=LABEL=MEDIUM ${of("sha256")}`, GOOD))).toContain("the root is no image file");
    const extra = { name: "vdb", image: fakeImage("ext4", { label: "EXTRA" }) };
    const medium = { name: "vda", image: fakeImage("vfat", { label: "MEDIUM" }, GOOD) };
    const layered = boot(`${cmdline} ${of("sha256")} rd.layer=LABEL=EXTRA`, {}, { disks: [medium, extra] });
    expect(unwrapped(layered)).toContain("nothing verifies it");
  });
});

describe("a CMS signature", async () => {
  const signed = await signedContent(root.bytes);
  const cmdline = "archisobasedir=arch archisolabel=MEDIUM cms_verify=y";
  const path = "/arch/x86_64/airootfs.sfs";
  const go = (signature: Uint8Array | null, certificates: FakeTree, image: Uint8Array = root.bytes, more = "") =>
    boot(
      `${cmdline}${more}`,
      { [path]: image, ...(signature && { [`${path}.cms.sig`]: signature }) },
      { files: certificates },
    );

  test.each([
    ["as mkarchiso makes it", signed.plain, { "/codesign.crt": signed.certificate }],
    ["with attributes", signed.attributed, { "/codesign.crt": signed.certificate }],
    [
      "by ECDSA, one of several certificates",
      signed.elliptic,
      { "/codesign.crt": signed.stranger + signed.ellipticCertificate },
    ],
    ["by a certificate in it that the issuer has signed", signed.attributed, { "/codesign_CA.crt": signed.issuer }],
  ])("%s: the image boots, another does not", (_, signature, certificates) => {
    for (const more of ["", " copytoram"]) {
      expect(go(signature, certificates, root.bytes, more).end).toMatchObject({ mode: "switch_root" });
      const wrong = go(signature, certificates, bad, more);
      expect(unwrapped(wrong)).toContain("it does not match its CMS signature");
      expect(wrong.end).toBe("halt");
    }
  });

  test.each([
    [
      "by a stranger",
      signed.attributed,
      { "/codesign.crt": signed.stranger },
      "no certificate of this initramfs has signed",
    ],
    [
      "without attributes, by a stranger",
      signed.plain,
      { "/codesign.crt": signed.stranger },
      "it does not match its CMS signature",
    ],
    [
      "whose certificate a stranger has issued",
      signed.attributed,
      { "/codesign_CA.crt": signed.stranger },
      "no certificate of this initramfs",
    ],
    [
      "without a certificate in it, by its issuer alone",
      signed.plain,
      { "/codesign_CA.crt": signed.issuer },
      "it does not match",
    ],
    ["that is missing", null, { "/codesign.crt": signed.certificate }, `there is no signature ${path}.cms.sig`],
    [
      "that is malformed",
      signed.plain.subarray(1),
      { "/codesign.crt": signed.certificate },
      "the CMS signature is malformed",
    ],
    [
      "and no certificate",
      signed.plain,
      {},
      "this initramfs has no certificate: neither /codesign.crt nor /codesign_CA.crt",
    ],
    [
      "and a certificate that is none",
      signed.plain,
      { "/codesign.crt": "no" },
      "the certificate /codesign.crt cannot be read",
    ],
  ])("%s is refused", (_, signature, certificates, words) => {
    const result = go(signature, certificates);
    expect(unwrapped(result)).toContain(words);
    expect(result.end).toBe("halt");
  });
});

describe("rd.live.check", async () => {
  const iso = await makeIso();
  const image = (bytes: Uint8Array): FakeImage => ({
    type: "iso9660",
    bytes,
    root: makeFakeTree({ "/LiveOS/squashfs.img": root.bytes }),
  });
  const cmdline = "root=live:LABEL=ISO rd.live.check";
  const go = (bytes: Uint8Array, more: FakeBootOptions = {}) =>
    boot(
      cmdline,
      {},
      { filesystems: ["ext4", "vfat", "squashfs", "iso9660"], disks: [{ name: "sr0", image: image(bytes) }], ...more },
    );
  const broken = iso.with(200_000, (iso[200_000] ?? 0) ^ 1);

  test("the checksum of implantisomd5 in the medium", () => {
    const good = go(iso);
    expect(good.end).toMatchObject({ mode: "switch_root" });
    expect(unwrapped(good)).toContain("/dev/sr0 matches the checksum in it");
    const result = go(broken);
    expect(unwrapped(result)).toContain("the medium is damaged: /dev/sr0 it does not match the checksum in it");
    expect(result.end).toBe("halt");
    const skipped = go(broken, press("\x1b"));
    expect(skipped.end).toMatchObject({ mode: "switch_root" });
  });

  test("a medium without one", () => {
    const bare = iso.slice().fill(0x20, 32_768 + 883, 32_768 + 883 + 512);
    expect(unwrapped(go(bare))).toContain("/dev/sr0 has no checksum in it");
  });

  test("in an ISO file on a disk", () => {
    const disks = (bytes: Uint8Array) => [
      { name: "vda", image: fakeImage("vfat", { label: "D" }, { "/x.iso": bytes }) },
    ];
    const words = `${cmdline} iso-scan/filename=/x.iso`;
    const filesystems = ["ext4", "vfat", "squashfs", "iso9660"];
    const images = [root, image(iso), image(broken)];
    const on = (bytes: Uint8Array) => boot(words, {}, { filesystems, disks: disks(bytes), images });
    expect(on(iso).end).toMatchObject({ mode: "switch_root" });
    expect(unwrapped(on(broken))).toContain("the medium is damaged: x.iso it does not match the checksum in it");
  });
});

async function makeIso(): Promise<Uint8Array> {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "tree"));
  const iso = join(directory, "iso");
  await run(["xorriso", "-as", "mkisofs", "-quiet", "-V", "ISO", "-o", iso, join(directory, "tree")]);
  await run(["implantisomd5", iso]);
  return new Uint8Array(readFileSync(iso));
}
