import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, ROOT_TREE, rootImage } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import { TRUSTED_SIGNATURE } from "../support/fake-verity-target.ts";
import { BASE } from "../support/luks/base-images.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";
import { damaged, partitionUuid, verityDisk } from "../support/verity-disk.ts";

// Whole boots from block devices that dm-verity verifies.

const root = rootImage("ROOT");
const disk = verityDisk(root);
const HASH = disk.rootHash;
const LATER = `/dev/mapper/root ext4 "ROOT" in /dev/vda1 ext4`;

function boot(more: FakeBootOptions): ReturnType<typeof cryptBoot> {
  return cryptBoot({
    images: [disk.data],
    disks: [{ name: "vda", partitions: [{ image: disk.data }, { image: disk.hashes }] }],
    ...more,
  });
}

const tables = ({ journal }: ReturnType<typeof cryptBoot>) => journal.filter((line) => line.startsWith("map "));

const unwrapped = (text: string) => text.replaceAll(/\s+/g, " ");

describe("a verified root", () => {
  test.each([
    ["by its devices", `roothash=${HASH} systemd.verity_root_data=/dev/vda1 systemd.verity_root_hash=/dev/vda2`],
    ["by rd.verity", `rd.verity.roothash=${HASH} rd.verity.data=LABEL=ROOT rd.verity.hash=/dev/vda2`],
    ["by root=, with any device that has the tree", `root=/dev/vda1 roothash=${HASH}`],
    ["by a label that the data and the mapping have", `root=LABEL=ROOT roothash=${HASH.toUpperCase()}`],
    [
      "without a superblock",
      `root=/dev/vda1 roothash=${HASH} rd.verity.hash=/dev/vda2 rd.verity.options=superblock=no,hash-offset=4096,salt=5a17`,
    ],
  ])("is mounted: %s", (_, cmdline) => {
    const result = boot({ cmdline: `${cmdline} rdshell=0` });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain(LATER);
    expect(result.mounts).toContain("/sysroot ext4 /dev/mapper/root");
    expect(tables(result)).toEqual([
      expect.stringMatching(/^map root as CRYPT-VERITY-[0-9a-f]{32}-root: verity|-root: verity/),
    ]);
  });

  test("is found by the halves of the root hash, whatever the labels say", () => {
    const parts = [
      { image: disk.data, uuid: partitionUuid(HASH, "data") },
      { image: disk.hashes, uuid: partitionUuid(HASH, "hash") },
    ];
    const stranger = { name: "vdb", image: rootImage("ROOT") };
    const result = boot({ cmdline: `roothash=${HASH}`, disks: [stranger, { name: "vda", partitions: parts }] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain(LATER);
  });

  test("whose tree appears after that of another root is verified by its own", () => {
    const other = verityDisk(rootImage("OTHER"));
    const disks = [
      { name: "vda", partitions: [{ image: disk.data }, { image: other.hashes }] },
      { name: "vdb", image: disk.hashes, arrivesAtMs: 2000 },
    ];
    const result = boot({ cmdline: `root=/dev/vda1 roothash=${HASH} rdshell=0`, disks });
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("may have its tree behind the data", () => {
    const cmdline = `root=/dev/vda roothash=${HASH} rd.verity.options=hash-offset=${disk.offset}`;
    const result = boot({ cmdline, disks: [{ name: "vda", image: disk.joined }] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.mounts).toContain("/sysroot ext4 /dev/mapper/root");
  });

  test.each([
    ["Chrome OS's hash type", { hashType: 0 as const }],
    ["sha512 and small blocks", { algorithm: "sha512", hashBlock: 1024 }],
  ])("may have %s", (_, format) => {
    const other = verityDisk(root, format);
    const partitions = [{ image: other.data }, { image: other.hashes }];
    const result = boot({ cmdline: `root=/dev/vda1 roothash=${other.rootHash}`, disks: [{ name: "vda", partitions }] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test.each([
    ["ignore-corruption", "ignore_corruption"],
    ["restart-on-corruption,check-at-most-once", "restart_on_corruption check_at_most_once"],
    ["panic-on-corruption,ignore-zero-blocks", "panic_on_corruption ignore_zero_blocks"],
    ["fec-device=/dev/vda3,fec-roots=4", "use_fec_from_device 259:2 fec_start 0 fec_blocks"],
  ])("has the policy that is asked for: %s", (options, words) => {
    const parameters: string[] = [];
    const partitions = [{ image: disk.data }, { image: disk.hashes }, { image: rootImage("FEC") }];
    const result = boot({
      cmdline: `root=/dev/vda1 roothash=${HASH} rd.verity.options=${options}`,
      disks: [{ name: "vda", partitions }],
      before(machine) {
        const { createMapping } = machine;
        Object.assign(machine, {
          createMapping(request: Parameters<typeof createMapping>[0]) {
            parameters.push(...request.targets.map((target) => Buffer.from(target.parameters).toString()));
            return createMapping(request);
          },
        });
      },
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    const isFec = options.startsWith("fec");
    if (!isFec) expect(parameters).toEqual([expect.stringContaining(words)]);
    else expect(parameters[0]).toMatch(/ 8 use_fec_from_device \d+:\d+ fec_start 0 fec_blocks \d+ fec_roots 4$/);
  });
});

describe("nothing boots unverified", () => {
  const cmdline = `root=LABEL=ROOT roothash=${HASH} rdshell=0 rd.timeout=5`;

  test.each([
    [
      "a wrong root hash",
      `root=/dev/vda1 roothash=${"ab".repeat(32)} rd.verity.hash=/dev/vda2`,
      undefined,
      "the hash tree on /dev/vda2 does not match the root hash",
    ],
    [
      "a root hash of another length",
      `root=/dev/vda1 roothash=${"ab".repeat(16)} rd.verity.hash=/dev/vda2`,
      undefined,
      "a root hash of 32 digits does not belong to a tree of sha256",
    ],
    [
      "other data",
      cmdline,
      [{ image: damaged(disk.data, 100) }, { image: disk.hashes }],
      "the data on /dev/vda1 do not match the hash tree: the first block differs",
    ],
    [
      "a damaged tree",
      cmdline,
      [{ image: disk.data }, { image: damaged(disk.hashes, 4096) }],
      "the hash tree on /dev/vda2 does not match the root hash",
    ],
    [
      "a truncated device",
      cmdline,
      [{ image: { ...disk.data, bytes: disk.data.bytes.subarray(0, disk.offset - 4096) } }, { image: disk.hashes }],
      `is too short: ${disk.offset - 4096} of ${disk.offset} bytes are there`,
    ],
    ["no tree", cmdline, [{ image: disk.data }], "the hash tree of the verified root, PARTUUID="],
    [
      "no superblock",
      `${cmdline} rd.verity.hash=/dev/vda1`,
      undefined,
      "there is no verity superblock on /dev/vda1 at byte 0",
    ],
    [
      "a malformed superblock",
      `${cmdline} rd.verity.hash=/dev/vda2`,
      [{ image: disk.data }, { image: damaged(disk.hashes, 65) }],
      "the verity superblock is malformed",
    ],
  ])("%s", (_, line, partitions, words) => {
    const result = boot({ cmdline: line, ...(partitions && { disks: [{ name: "vda", partitions }] }) });
    expect(unwrapped(result.console)).toContain(words);
    expect(result.shells).toBe(line.includes("rdshell=0") ? 0 : 1);
    expect(result.journal.filter((text) => text.startsWith("mount") && text.includes("/sysroot"))).toEqual([]);
    expect(result.end).toBeString();
  });

  test("a stick with the label of the root and a tree of its own changes nothing", () => {
    const other = verityDisk(rootImage("ROOT"));
    const stick = { name: "sda", partitions: [{ image: other.data }, { image: other.hashes }] };
    const mine = { name: "vda", partitions: [{ image: disk.data }, { image: disk.hashes }] };
    for (const disks of [
      [stick, mine],
      [mine, stick],
    ]) {
      const result = boot({ cmdline, images: [disk.data, other.data], disks });
      expect(result.end).toMatchObject({ mode: "switch_root" });
      expect(result.console).toContain(LATER);
    }
    expect(boot({ cmdline, images: [other.data], disks: [stick] }).end).toBe("halt");
  });

  test("a stick with the PARTUUIDs of the root hash does not end the wait for the root", () => {
    const other = verityDisk(rootImage("ROOT"));
    const parts = ({ data, hashes }: typeof disk) => [
      { image: data, uuid: partitionUuid(HASH, "data") },
      { image: hashes, uuid: partitionUuid(HASH, "hash") },
    ];
    const stick = { name: "sda", partitions: parts(other), isRemovable: true };
    const mine = { name: "vda", partitions: parts(disk), arrivesAtMs: 2000 };
    const result = boot({
      cmdline: `roothash=${HASH} rdshell=0`,
      images: [disk.data, other.data],
      disks: [stick, mine],
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain(LATER);
    const alone = boot({ cmdline: `roothash=${HASH} rdshell=0 rd.timeout=3`, images: [other.data], disks: [stick] });
    expect(alone.end).toBe("halt");
    expect(unwrapped(alone.console)).toContain("does not match the root hash");
  });

  test("a damaged block behind the first is refused by the kernel", () => {
    const partitions = [{ image: damaged(disk.data, disk.offset - 1) }, { image: disk.hashes }];
    const result = boot({ cmdline, disks: [{ name: "vda", partitions }] });
    expect(result.end).toBe("halt");
  });

  test("an encrypted volume that is open is closed, and the verified root stays", async () => {
    const volume = await luksDisk(BASE.luks2, rootImage("SECRET"));
    const partitions = [{ image: disk.data }, { image: disk.hashes }];
    const disks = [
      { name: "vdb", image: volume },
      { name: "vda", partitions, arrivesAtMs: 10_000 },
    ];
    const result = boot({ cmdline: `root=/dev/vda1 roothash=${HASH} rd.auto`, disks, typing: typed("pass") });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    const mappings = result.journal.filter((line) => /^(?:un)?map /.test(line)).map((line) => line.split(" as ")[0]);
    expect(mappings).toContain("map root");
    expect(mappings).not.toContain("unmap root");
    expect(mappings.filter((line) => line?.startsWith("map luks-"))).toHaveLength(1);
    expect(mappings.filter((line) => line?.startsWith("unmap luks-"))).toHaveLength(1);
  });

  test("ignore-corruption boots anyway, and says so", () => {
    const partitions = [{ image: damaged(disk.data, 100) }, { image: disk.hashes }];
    const options = { cmdline: `root=/dev/vda1 roothash=${HASH} rd.verity.options=ignore-corruption` };
    const result = boot({ ...options, disks: [{ name: "vda", partitions }], images: [damaged(disk.data, 100)] });
    expect(result.console).toContain("the first block differs");
    expect(result.console).toContain("ignore-corruption accepts it");
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("a layer outside is refused", () => {
    const layer = { name: "vdb", image: rootImage("EXTRA") };
    const mine = { name: "vda", partitions: [{ image: disk.data }, { image: disk.hashes }] };
    const result = boot({ cmdline: `${cmdline} rd.layer=LABEL=EXTRA`, disks: [mine, layer] });
    expect(result.console).toContain("would be a part of the verified root, but nothing verifies it");
    expect(result.end).toBe("halt");
  });
});

test.each([
  ["a /usr that the fstab of the verified root names", "LABEL=USR /usr ext4 ro 0 2\n", "", "usrhash=HASH"],
  ["a /usr that a parameter names", "", "mount.usr=LABEL=USR", "usrhash=HASH"],
  ["another filesystem of that fstab", "LABEL=USR /opt ext4 ro,x-initrd.mount 0 2\n", "", "remove x-initrd.mount"],
  ["a filesystem of rd.mount=", "", "rd.mount=LABEL=USR:/opt", "remove rd.mount=, or the root hash"],
])("%s is refused if nothing verifies it", (_, fstab, words, cure) => {
  const own = fakeImage("ext4", { label: "ROOT" }, { ...ROOT_TREE, "/opt/file": "", "/etc/fstab": fstab });
  const verified = verityDisk(own);
  const stranger = rootImage("USR");
  const result = boot({
    cmdline: `root=LABEL=ROOT roothash=${verified.rootHash} rdshell=0 rd.timeout=3 ${words}`,
    images: [verified.data, stranger],
    disks: [
      { name: "vda", partitions: [{ image: verified.data }, { image: verified.hashes }] },
      { name: "sda", image: stranger },
    ],
  });
  expect(unwrapped(result.console)).toContain("/dev/sda would be a part of the verified root, but nothing verifies it");
  expect(result.console).toContain(cure);
  expect(result.journal.join("\n")).not.toContain("mount ext4 /dev/sda");
  expect(result.end).toBe("halt");
});

test("a filesystem of fstab that nothing verifies is left out if it has nofail", () => {
  const line = "LABEL=DATA /srv ext4 nofail,x-initrd.mount 0 2\n";
  const verified = verityDisk(
    fakeImage("ext4", { label: "ROOT" }, { ...ROOT_TREE, "/srv/file": "", "/etc/fstab": line }),
  );
  const stranger = rootImage("DATA");
  const result = boot({
    cmdline: `root=LABEL=ROOT roothash=${verified.rootHash} rdshell=0 rd.timeout=3`,
    images: [verified.data, stranger],
    disks: [
      { name: "vda", partitions: [{ image: verified.data }, { image: verified.hashes }] },
      { name: "sda", image: stranger },
    ],
  });
  expect(unwrapped(result.console)).toContain("nothing verifies it: booting without /srv (nofail)");
  expect(result.mounts.join("\n")).not.toContain("/dev/sda");
  expect(result.console).toContain("switch_root to /sbin/init");
});

describe("a verified /usr", () => {
  const usr = verityDisk(rootImage("USR"));
  const plain = { name: "vda", image: rootImage("PLAIN") };
  const disks = (data: FakeImage) => [plain, { name: "vdb", partitions: [{ image: data }, { image: usr.hashes }] }];

  test.each(["", "mount.usr=LABEL=USR"])("is mounted, and nothing else is: %s", (words) => {
    const cmdline = `root=LABEL=PLAIN usrhash=${usr.rootHash} systemd.verity_usr_data=/dev/vdb1 rdshell=0 rd.timeout=3 ${words}`;
    const result = boot({ cmdline, images: [usr.data], disks: disks(usr.data) });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.mounts).toContain("/sysroot/usr ext4 /dev/mapper/usr");
    const wrong = boot({ cmdline, images: [usr.data], disks: disks(damaged(usr.data, 100)) });
    expect(wrong.end).toBe("halt");
    expect(unwrapped(wrong.console)).toContain("the data on /dev/vdb1 do not match the hash tree");
  });
});

describe("a signature of the root hash", () => {
  const base = `root=/dev/vda1 roothash=${HASH} rd.verity.signed`;
  test("that the kernel accepts", () => {
    const files = { "/etc/root.p7s": TRUSTED_SIGNATURE };
    const result = boot({ cmdline: `${base} rd.verity.options=root-hash-signature=/etc/root.p7s`, files });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.machine.keysInKernel()).toEqual([]);
    const base64 = Buffer.from(TRUSTED_SIGNATURE).toString("base64");
    const inLine = boot({ cmdline: `${base} rd.verity.options=root-hash-signature=base64:${base64}` });
    expect(inLine.end).toMatchObject({ mode: "switch_root" });
  });

  test.each([
    ["by a stranger", { "/etc/root.p7s": "another" }, "no certificate of its trusted keyring has signed it"],
    ["that is missing", {}, "there is no signature of the root hash: /etc/root.p7s"],
  ])("%s is refused", (_, files, words) => {
    const cmdline = `${base} rd.verity.options=root-hash-signature=/etc/root.p7s rdshell=0`;
    const result = boot({ cmdline, files });
    expect(unwrapped(result.console)).toContain(words);
    expect(result.end).toBe("halt");
    expect(result.machine.keysInKernel()).toEqual([]);
  });

  /** The disk with one more partition. */
  const beside = (text: string, more: FakeBootOptions = {}) => {
    const image = { ...disk.hashes, type: "none", bytes: new Uint8Array(Buffer.from(text.padEnd(8192, "\0"))) };
    const partitions = [{ image: disk.data }, { image: disk.hashes }, { image }];
    return boot({ cmdline: `${base} rdshell=0`, disks: [{ name: "vda", partitions }], ...more });
  };
  const signature = Buffer.from(TRUSTED_SIGNATURE).toString("base64");

  test("in the verity signature partition of the disk, if one is required", () => {
    const json = { rootHash: HASH.toUpperCase(), certificateFingerprint: "ab", signature };
    expect(beside(JSON.stringify(json)).end).toMatchObject({ mode: "switch_root" });
  });

  test("in that partition, also if it answers later than the others", () => {
    const late: FakeBootOptions["before"] = (machine) => {
      Object.assign(machine.disk("vda3") ?? {}, { answersAfterMs: 1500 });
    };
    const text = JSON.stringify({ rootHash: HASH, signature });
    expect(beside(text, { before: late }).end).toMatchObject({ mode: "switch_root" });
  });

  test.each([
    ["no partition with one", "text"],
    ["malformed JSON", `{"rootHash":"${HASH}","signature":`],
    ["no base64", JSON.stringify({ rootHash: HASH, signature: "%" })],
    ["that of another root hash", JSON.stringify({ rootHash: "ab".repeat(32), signature })],
  ])("that is required stops the boot if there is none: %s", (_, text) => {
    const result = beside(text);
    expect(unwrapped(result.console)).toContain("there is no signature of the root hash");
    expect(result.end).toBe("halt");
  });

  test("that a stranger has made is refused, also from that partition", () => {
    const json = { rootHash: HASH, signature: Buffer.from("another").toString("base64") };
    expect(unwrapped(beside(JSON.stringify(json)).console)).toContain("no certificate of its trusted keyring");
  });
});
