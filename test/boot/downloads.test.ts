import { describe, expect, test } from "bun:test";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { Fault } from "../../src/problems/causes/transfer.ts";
import { type FakeBootOptions, fakeBoot, INITRAMFS, ROOT_TREE } from "../support/fake-boot.ts";
import { fakeDhcpServer } from "../support/fake-dhcp-server.ts";
import { fakeImage } from "../support/fake-images.ts";

const SQUASHFS = fakeImage("squashfs", {}, ROOT_TREE);
const URL = "http://10.0.0.1/img/root.sfs?v=2";
const DIGEST = createHash("sha256").update(SQUASHFS.bytes).digest("hex");
const CARD = { name: "eth0", mac: "52:54:00:12:34:56", servers: [fakeDhcpServer()] };
const SERVER = { cards: [CARD], web: { [URL]: SQUASHFS.bytes }, images: [SQUASHFS] };

test("a download that was damaged on its way is fetched again after the shell, unless a digest has verified it", () => {
  for (const [words, isFetchedAgain] of [
    ["", true],
    [`rd.image.digest=sha256:${createHash("sha256").update("damaged").digest("hex")}`, false],
  ] as const) {
    const web: Record<string, Uint8Array> = { [URL]: Buffer.from("damaged") };
    const { end, shells } = fakeBoot({
      cmdline: `root=${URL} ${words}`,
      ...SERVER,
      web,
      person: [
        () => {
          web[URL] = SQUASHFS.bytes;
        },
      ],
    });
    expect([shells, typeof end === "object"]).toEqual(isFetchedAgain ? [1, true] : [2, false]);
  }
});

test.each<[Fault, string, string]>([
  [{ kind: "connection", code: "ECONNREFUSED" }, "the connection was refused", "check that the server runs"],
  [{ kind: "connection", code: "ENETUNREACH" }, "there is no route to the server", "give the gateway in ip="],
  [{ kind: "connection", code: "ENOTFOUND" }, "the name of the server is unknown", "or name a name server"],
  [
    { kind: "connection", code: "CERT_NOT_YET_VALID" },
    "the clock of this machine is wrong",
    "set the clock of this machine",
  ],
  [{ kind: "connection", code: "CERT_UNTRUSTED" }, "its certificate is not trusted", "/etc/levain/authorities/"],
  [
    { kind: "cut", doneBytes: 1 << 20, totalBytes: 9 << 20 },
    "the connection ended after 1 MiB of 9 MiB",
    "check the server and",
  ],
  [
    { kind: "digest", algorithm: "sha256", hex: "00" },
    "its sha256 is 00",
    "correct rd.image.digest= if the file was changed",
  ],
  [
    { kind: "too-large", limitBytes: 1 << 20, totalBytes: null },
    "the file does not end",
    "give the machine more memory",
  ],
])("a download that fails says why, and has its own cure: %j", (fault, why, cure) => {
  const { record } = fakeBoot({ cmdline: `root=${URL}`, ...SERVER, web: { [URL]: fault } });
  const report = record.failure?.join(" ").replaceAll(/\s+/g, " ");
  expect(report).toContain(`could not download root.sfs ${URL}: `);
  expect(report).toContain(why);
  expect(report).toMatch(/ hint: /);
  expect(report?.split(" hint: ")[1]).toContain(cure);
});

test("an image on a web server becomes the root, below a tmpfs", () => {
  for (const cmdline of [`root=${URL}`, `root=live:${URL}`, `boot=live fetch=${URL}`, `boot=live httpfs=${URL}`]) {
    const { journal, console, end } = fakeBoot({ cmdline, ...SERVER });
    expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot" });
    expect(journal).toContain("loop /run/levain/medium/root.sfs (ro)");
    expect(journal).toContain("mount squashfs /dev/loop0 at /run/levain/lower (ro)");
    expect(console).toContain(`root      ${URL}, `);
    expect(console).toContain("nothing protects the download from changes in transit");
  }
});

test.each(["tftp", "TFTP"])("an image on a TFTP server becomes the root: %s://", (scheme) => {
  const url = "tftp://10.0.0.1/img/root.sfs";
  const cmdline = `root=${scheme}://10.0.0.1/img/root.sfs`;
  const { console, end } = fakeBoot({ cmdline, ...SERVER, web: { [url]: SQUASHFS.bytes } });
  expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot" });
  expect(console).toContain(`root      ${url}, `);
  expect(console).toContain("nothing protects the download from changes in transit");
});

test("a digest decides between mirrors, and protects a download without TLS", () => {
  const other = "http://10.0.0.2/root.sfs";
  const web = { [URL]: Buffer.from("another file"), [other]: SQUASHFS.bytes };
  const cmdline = `root=${URL} rd.mirror=${other} rd.image.digest=sha256:${DIGEST}`;
  const { end, console } = fakeBoot({ cmdline, ...SERVER, web });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain(`root      ${other}, `);
  expect(console).not.toContain("nothing protects");
  const wrong = fakeBoot({ cmdline: `root=${URL} rd.image.digest=sha256:${DIGEST}`, ...SERVER, web });
  expect(wrong.record.failure?.join(" ")).toContain(`could not download root.sfs   ${URL}: its sha256 is`);
});

test("the digest is that of the file on the server, and an ISO file is not the image in it", () => {
  const iso = fakeImage("ext4", { label: "LIVE" }, { "/LiveOS/squashfs.img": SQUASHFS.bytes });
  const url = "http://10.0.0.1/live.iso";
  const hex = createHash("sha256").update(iso.bytes).digest("hex");
  const more = { ...SERVER, web: { [url]: iso.bytes }, images: [iso, SQUASHFS] };
  const { end, console } = fakeBoot({ cmdline: `root=live:${url} rd.image.digest=sha256:${hex}`, ...more });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).not.toContain("nothing protects");
});

test("a layer that nothing verifies is refused beside a download with a digest", () => {
  const disks = [{ name: "sda", image: fakeImage("ext4", { label: "EXTRA" }) }];
  const cmdline = `root=${URL} rd.image.digest=sha256:${DIGEST} rd.layer=LABEL=EXTRA`;
  const { record, end } = fakeBoot({ cmdline, ...SERVER, disks });
  expect(record.failure?.join("\n")).toContain("nothing verifies it");
  expect(end).toBe("poweroff");
});

test("a root hash or a signature protects a download too", () => {
  const hash = "ab".repeat(32);
  for (const words of [`roothash=${hash} rd.verity.options=hash-offset=4096`, "rd.image.cms"]) {
    const { console } = fakeBoot({ cmdline: `root=${URL} ${words}`, ...SERVER });
    expect(console).toContain("root      ");
    expect(console).not.toContain("nothing protects");
  }
});

test("archiso's image is found on its server, by either name", () => {
  const url = "http://10.0.0.1/arch/x86_64/airootfs.erofs";
  const web = {
    "http://10.0.0.1/arch/x86_64/airootfs.sfs": { kind: "status", status: 404 },
    [url]: SQUASHFS.bytes,
  } as const;
  const { end, console } = fakeBoot({
    cmdline: "archisobasedir=arch archiso_http_srv=http://10.0.0.1/",
    ...SERVER,
    web,
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain(`root      ${url}, `);
});

test("a server that does not answer ends in a report, and nothing stays mounted", () => {
  const { journal, record, end } = fakeBoot({
    cmdline: "root=https://boot.example/root.sfs",
    ...SERVER,
  });
  expect(record.failure?.join("\n")).toContain("https://boot.example/root.sfs: the name of the server is unknown");
  expect(journal).toContain("unmount /run/levain/medium");
  expect(end).toBe("poweroff");
});

test("a server that sends nothing for a while is named within 5 s, with quiet too", () => {
  const slow = { file: SQUASHFS.bytes, afterMs: 12_000 };
  const { console, end } = fakeBoot({ cmdline: `root=${URL} quiet`, ...SERVER, web: { [URL]: slow } });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain(`waiting for root.sfs, 5 of 30 s · seen: ${URL} has sent nothing`);
});

test("an image that does not fit into memory is refused before it is downloaded", () => {
  const { record } = fakeBoot({ cmdline: `root=${URL}`, ...SERVER, memoryBytes: 48 << 20 });
  expect(record.failure?.[0]).toBe("could not download root.sfs to memory");
});

test("a process that ends is a message", () => {
  const { record } = fakeBoot({
    cmdline: `root=${URL}`,
    ...SERVER,
    before(machine) {
      const child = {
        order: () => undefined,
        answer: () => ({ kind: "gone", status: 139 }) as const,
        hasDaemons: () => false,
        stop: () => undefined,
      };
      Object.assign(machine, { startChild: () => child });
    },
  });
  expect(record.failure?.join(" ")).toContain("the process that downloads ended with status 139");
});

test("persistence and a store work with an image from a server", () => {
  const volume = fakeImage("ext4", { label: "persistence", sizeBytes: 4 << 20 }, { "/persistence.conf": "/home\n" });
  const kept = fakeBoot({
    cmdline: `boot=live fetch=${URL} persistence`,
    ...SERVER,
    disks: [{ name: "sda", partitions: [{ image: volume }] }],
  });
  expect(kept.end).toMatchObject({ mode: "switch_root" });
  expect(kept.mounts.join("\n")).toContain("/sysroot/home ext4 /dev/sda1");
  const stored = fakeBoot({
    cmdline: `root=${URL} rd.overlay=LABEL=STORE`,
    ...SERVER,
    disks: [{ name: "sda", image: fakeImage("ext4", { label: "STORE", sizeBytes: 4 << 20 }, {}) }],
  });
  expect(stored.end).toMatchObject({ mode: "switch_root" });
});

describe("a signed list of checksums", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const files = { ...INITRAMFS, "/etc/levain/image.pub": publicKey.export({ type: "spki", format: "pem" }) };
  const list = "http://10.0.0.1/img/root.sfs.sha256";
  const signed = (text: string, url = list) => ({
    [url]: Buffer.from(text),
    [`${url}.sig`]: sign(null, Buffer.from(text), privateKey),
  });
  const right = `${DIGEST}  root.sfs\n`;
  const boot = (words: string, web: FakeBootOptions["web"], more: FakeBootOptions = {}) =>
    fakeBoot({
      ...SERVER,
      cmdline: `root=${URL} rdshell=0 rd.emergency=poweroff ${words}`,
      files,
      ...more,
      web: { ...SERVER.web, ...web },
    });

  test("is required if the image has a key, and decides", () => {
    const { end, console } = boot("", signed(right));
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).not.toContain("nothing protects");
    expect(boot("rd.image.sig", signed(right)).end).toMatchObject({ mode: "switch_root" });
    const elsewhere = signed(right, "http://10.0.0.3/SUMS");
    expect(boot("rd.image.sig=http://10.0.0.3/SUMS", elsewhere).end).toMatchObject({ mode: "switch_root" });
    const sha512 = `${createHash("sha512").update(SQUASHFS.bytes).digest("hex")} *root.sfs\n`;
    expect(boot("", signed(sha512)).end).toMatchObject({ mode: "switch_root" });
  });

  test("that is not right stops the boot before the image is used", () => {
    const other = createHash("sha256").update("other").digest("hex");
    for (const [words, web, reason] of [
      ["", {}, "could not download checksums"],
      ["", { [list]: Buffer.from(right) }, "could not download checksums.sig"],
      ["", { ...signed(right), [list]: Buffer.from(`${right}\n`) }, "its signature was not made with the key of"],
      ["", signed(`${DIGEST}  other.sfs\n`), "which is signed, has no SHA-256 or SHA-512 of root.sfs"],
      ["", signed(`${other}  root.sfs\n`), "its sha256 is"],
      // The command line must not replace the signature.
      [`rd.image.digest=sha256:${DIGEST}`, {}, "could not download checksums"],
      [`rd.image.digest=sha256:${DIGEST}`, signed(`${other}  root.sfs\n`), `does not have sha256:${DIGEST}`],
    ] as const) {
      const { end, record, journal } = boot(words, web);
      expect(end).toBe("poweroff");
      expect(record.failure?.join("\n")).toContain(reason);
      expect(journal.join("\n")).not.toContain("loop ");
    }
  });

  test("needs a key, and something that is downloaded", () => {
    const { record } = boot("rd.image.sig", signed(right), { files: INITRAMFS });
    expect(record.failure?.join("\n")).toContain("the image has no Ed25519 key there");
    const disk = { cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.image.sig rdshell=0" };
    expect(boot("", {}, disk).record.failure?.join("\n")).toContain("no image is downloaded");
  });
});
