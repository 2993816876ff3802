import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { INITRAMFS, ROOT_TREE } from "../../fake-boot.ts";
import { fakeDhcpServer } from "../../fake-dhcp-server.ts";
import { fakeImage } from "../../fake-images.ts";
import { fakeArchive } from "../../fake-unpack-child.ts";
import type { Scenes } from "./scene.ts";

/** An image with a root. */
export const SQUASHFS = fakeImage("squashfs", {}, ROOT_TREE);
const ISO = fakeImage(
  "ext4",
  { label: "LIVE" },
  {
    "/LiveOS/squashfs.img": SQUASHFS.bytes,
    "/casper/filesystem.squashfs": SQUASHFS.bytes,
  },
);
const ARCHIVE = fakeArchive(ROOT_TREE);
const IMAGES = [SQUASHFS, ISO, ARCHIVE];
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const text = (content: string) => [...new TextEncoder().encode(content)];
const card = (rootPath?: string) => ({
  name: "eth0",
  mac: "52:54:00:12:34:56",
  servers: [fakeDhcpServer(rootPath === undefined ? {} : { options: { 17: text(rootPath) } })],
});

const NFS = { "192.0.2.1": { address: "192.0.2.1", exports: { "/srv/root": ROOT_TREE } } };
const exporting = (exports: (typeof NFS)["192.0.2.1"]["exports"] | Readonly<Record<string, typeof ROOT_TREE>>) => ({
  nfs: { "192.0.2.1": { address: "192.0.2.1", exports } },
});
const LIVE = { "/live/filesystem.squashfs": SQUASHFS.bytes, "/casper/filesystem.squashfs": SQUASHFS.bytes };
const ARCH = { "/arch/x86_64/airootfs.sfs": SQUASHFS.bytes };

/** A root on NFS. */
export const NFS_SCENES: Scenes = {
  before: "",
  machine: { cards: [card()], nfs: NFS, filesystems: ["nfs", "squashfs"], images: IMAGES },
  lines: {
    "a directory on a server": { proof: "/sysroot nfs 192.0.2.1:/srv/root" },
    "what the DHCP server names": {
      machine: { cards: [card("nfs:192.0.2.1:/srv/root")] },
      proof: "/sysroot nfs 192.0.2.1:/srv/root",
    },
    "the kernel's spelling": { proof: "/sysroot nfs 192.0.2.1:/srv/root" },
    "a directory for each machine": {
      write: ([line = ""]) => [line],
      machine: exporting({ "/srv/192.0.2.50": ROOT_TREE }),
      proof: "/sysroot nfs 192.0.2.1:/srv/192.0.2.50",
    },
    "version 3": {
      write: ([line = "", flags]) => [line, `${line.replace(":vers=3", "")} ${flags}`],
      proof: "at /sysroot (ro,vers=3,nolock,addr=192.0.2.1)",
    },
    "a read-only directory, and changes in memory": {
      proof: /\/sysroot overlay overlay\n[\s\S]*\/sysroot\/run\/levain\/lower nfs 192\.0\.2\.1:\/srv\/root/,
    },
    "a live medium of Debian, Ubuntu or Arch in a directory on a server": {
      write: ([debian = "", ubuntu = "", arch = ""]) => [debian, debian.replace("boot=live", ubuntu), arch],
      machine: exporting({ "/srv/live": LIVE, "/srv/arch": ARCH }),
      proof:
        /loop \/run\/levain\/medium\/(?:live\/filesystem\.squashfs|casper\/filesystem\.squashfs|arch\/x86_64\/airootfs\.sfs) \(ro\)/,
    },
    "a squashfs in a directory on a server": {
      machine: exporting({ "/srv": { "/root.sfs": SQUASHFS.bytes } }),
      proof: "loop /run/levain/medium/root.sfs (ro)",
    },
  },
};

const at = (path: string) => `https://boot.example/${path}`;
const ROOT = at("root.sfs");
const WEB = {
  [ROOT]: SQUASHFS.bytes,
  [at("live.iso")]: ISO.bytes,
  [at("ubuntu.iso")]: ISO.bytes,
  [at("filesystem.squashfs")]: SQUASHFS.bytes,
  [at("arch/x86_64/airootfs.sfs")]: SQUASHFS.bytes,
  [at("root.tar.zst")]: ARCHIVE.bytes,
};
const LIST = `${digest(SQUASHFS.bytes)}  root.sfs\n`;
const { publicKey, privateKey } = generateKeyPairSync("ed25519");

/** An image on a web server. */
export const WEB_SCENES: Scenes = {
  before: "",
  machine: { cards: [card()], web: WEB, images: IMAGES },
  lines: {
    "an image from a server": { proof: "root      https://boot.example/root.sfs, " },
    "a live ISO": {
      write: ([root, directory, image]) => [`${root} ${directory}/LiveOS ${image}squashfs.img`],
      proof: "loop /run/levain/iso/LiveOS/squashfs.img (ro)",
    },
    "Debian's live system": { proof: "root      https://boot.example/filesystem.squashfs, " },
    "Ubuntu's": { proof: "loop /run/levain/iso/casper/filesystem.squashfs (ro)" },
    "Arch's": { proof: "root      https://boot.example/arch/x86_64/airootfs.sfs, " },
    "the TFTP server that PXE has booted from": {
      machine: { web: { "tftp://192.0.2.1/root.sfs": SQUASHFS.bytes } },
      proof: "root      tftp://192.0.2.1/root.sfs, ",
    },
    "a second server": {
      write: ([mirror]) => [`root=${ROOT} ${mirror}`],
      machine: { web: { "https://other.example/root.sfs": SQUASHFS.bytes } },
      proof: "root      https://other.example/root.sfs, ",
    },
    "a proxy": { write: ([proxy]) => [`root=${ROOT} ${proxy}`], proof: "root      https://boot.example/root.sfs, " },
    "to be sure of the content": {
      write: ([words = ""]) => [`root=${ROOT} ${words.replace("…", digest(SQUASHFS.bytes))}`],
      proof: "root      https://boot.example/root.sfs, ",
    },
    "a signature instead, which stays the same when the image changes": {
      write: ([words]) => [`root=${ROOT} ${words}`],
      machine: {
        files: { ...INITRAMFS, "/etc/levain/image.pub": publicKey.export({ type: "spki", format: "pem" }) },
        web: {
          ...WEB,
          [`${ROOT}.sha256`]: Buffer.from(LIST),
          [`${ROOT}.sha256.sig`]: sign(null, Buffer.from(LIST), privateKey),
        },
      },
      proof: "root      https://boot.example/root.sfs, ",
    },
  },
};

const FROM_SERVER = `rd.archive=${at("root.tar.zst")}`;
const STICK = fakeImage("vfat", { label: "FLASH" }, { "/root.tar.zst": ARCHIVE.bytes });
const whole = ([words = ""]: readonly string[]) => [words.replace("rd.archive=…", FROM_SERVER)];

/** A root in memory, from an archive. */
export const ARCHIVE_SCENES: Scenes = {
  before: "",
  machine: { cards: [card()], web: WEB, images: IMAGES, disks: [{ name: "sda", image: STICK }] },
  lines: {
    "a tar archive from a server": { proof: "/sysroot tmpfs tmpfs" },
    "one on a stick": { proof: "unpacking /root.tar.zst" },
    "more than half of the memory for the root": { write: whole, proof: "mode=0755,size=3G" },
    "a ramfs": { write: whole, proof: "/sysroot ramfs ramfs" },
    "the tree as it is, and changes above it": { write: whole, proof: "/sysroot/run/levain/lower tmpfs tmpfs" },
    "to be sure of the archive": {
      write: ([words = ""]) => [`${FROM_SERVER} ${words.replace("…", digest(ARCHIVE.bytes))}`],
      proof: "/sysroot tmpfs tmpfs",
    },
  },
};
