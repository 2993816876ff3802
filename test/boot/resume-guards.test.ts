import { beforeAll, describe, expect, test } from "bun:test";
import { type FakeBootOptions, fakeBoot, ROOT_TREE } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { hibernatedSwap } from "../support/fake-hibernation.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// Machines that were hibernated, in the ways in which a boot could mount their root behind their back.

const [ONE, TWO] = ["0e1f0a9c-1111-4000-8000-00000000cafe", "0e1f0a9c-2222-4000-8000-00000000cafe"];
const LUKS = "6c657661-696e-4000-8000-00000000dddd";
const ROOT_UUID = "0a1b2c3d-0000-4000-8000-00000000abcd";
const root = fakeImage("ext4", { label: "ROOT", uuid: ROOT_UUID, isUnclean: true }, ROOT_TREE);

type Booted = ReturnType<typeof fakeBoot>;
const touched = ({ journal }: Booted) => journal.filter((line) => / at \/sysroot|fsck|protect/.test(line));
const signatureOf = ({ machine }: Booted, name: string) =>
  Buffer.from(machine.disk(name)?.content.subarray(4086, 4096) ?? [])
    .toString("latin1")
    .replace(/\0+$/, "");

describe("the image is resumed, whatever comes first", () => {
  const rootDisk: FakeDisk = { name: "vda", image: root };
  const swapDisk: FakeDisk = { name: "vdb", image: hibernatedSwap(ONE) };
  test.each([
    ["the root", [rootDisk, { ...swapDisk, arrivesAtMs: 9000 }]],
    ["the swap space", [swapDisk, { ...rootDisk, arrivesAtMs: 9000 }]],
    [
      "the root, and both late",
      [
        { ...rootDisk, arrivesAtMs: 3000 },
        { ...swapDisk, arrivesAtMs: 6000 },
      ],
    ],
    ["the root, and a swap space that is slow to answer", [rootDisk, { ...swapDisk, answersAfterMs: 2500 }]],
    [
      "the root, and a swap space that takes longer to answer than the usual wait",
      [rootDisk, { ...swapDisk, answersAfterMs: 4000 }],
    ],
  ] as const)("%s", (_, disks) => {
    const result = fakeBoot({ cmdline: `root=LABEL=ROOT rw resume=UUID=${ONE}`, disks });
    expect(result.end).toBe("resume");
    expect(touched(result)).toEqual([]);
  });
});

test("a disk that never answers does not hold up a boot without an image for longer than a minute", () => {
  const disks = [
    { name: "vda", image: root },
    { name: "vdb", answersAfterMs: Number.POSITIVE_INFINITY },
  ];
  const result = fakeBoot({ cmdline: `root=LABEL=ROOT rw resume=UUID=${ONE}`, disks });
  expect(result.end).toMatchObject({ mode: "switch_root" });
  expect(result.console).toContain(`UUID=${ONE} of resume= did not appear`);
  expect(result.endMs).toBeLessThan(65_000);
});

describe("an image on a stick", () => {
  const stick: FakeDisk = {
    name: "sda",
    partitions: [{ image: root }, { image: hibernatedSwap(ONE) }],
    isRemovable: true,
  };

  test("with the root on it is resumed by its name, and otherwise keeps the root from being mounted", () => {
    expect(fakeBoot({ cmdline: `root=LABEL=ROOT rw resume=UUID=${ONE}`, disks: [stick] }).end).toBe("resume");
    const result = fakeBoot({ cmdline: "root=LABEL=ROOT rw rd.resume.policy=stop", disks: [stick] });
    expect(result.console).toContain("/dev/sda2 holds a hibernated system that may use /dev/sda1");
    expect(touched(result)).toEqual([]);
    expect(signatureOf(result, "sda2")).toBe("S1SUSPEND");
  });

  test("is not touched by the boot of a root on the machine's disk", () => {
    const own = fakeImage("ext4", { label: "OWN", isUnclean: true }, ROOT_TREE);
    const result = fakeBoot({ cmdline: "root=LABEL=OWN rw", disks: [{ name: "vda", image: own }, stick] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(signatureOf(result, "sda2")).toBe("S1SUSPEND");
  });
});

describe("two swap spaces with images beside the root", () => {
  const disks: readonly FakeDisk[] = [
    { name: "vda", partitions: [{ image: root }, { image: hibernatedSwap(ONE) }, { image: hibernatedSwap(TWO) }] },
  ];
  const boot = (words: string, more: FakeBootOptions = {}) =>
    fakeBoot({ cmdline: `root=LABEL=ROOT rw ${words}`, disks, ...more });
  const both = (result: Booted) => [signatureOf(result, "vda2"), signatureOf(result, "vda3")];

  test("the one that resume= names is resumed", () => {
    expect(boot(`resume=UUID=${TWO}`).end).toBe("resume");
  });

  test("if the named one is refused and discarded, the other one still guards the root", () => {
    const refused = { hibernation: { refusal: ["PM: hibernation: Image mismatch: memory size"] } };
    const typing = [
      { terminal: "/dev/ttyS0", text: "y", atMs: 5000 },
      { terminal: "/dev/ttyS0", text: "n", atMs: 15_000 },
    ];
    const result = boot(`resume=UUID=${ONE} rd.resume.policy=ask`, { ...refused, typing });
    expect(result.console).toContain("discarded the hibernated system on /dev/vda2");
    expect(result.console).toContain("/dev/vda3 holds a hibernated system that may use /dev/vda1");
    expect(touched(result)).toEqual([]);
    expect(both(result)).toEqual(["SWAPSPACE2", "S1SUSPEND"]);
  });

  test("without resume=, the first stops the boot, and both are discarded only by policy", () => {
    const stopped = boot("rd.resume.policy=stop");
    expect(touched(stopped)).toEqual([]);
    expect(both(stopped)).toEqual(["S1SUSPEND", "S1SUSPEND"]);
    const discarded = boot("rd.resume.policy=discard");
    expect(discarded.end).toMatchObject({ mode: "switch_root" });
    expect(both(discarded)).toEqual(["SWAPSPACE2", "SWAPSPACE2"]);
  });
});

describe("two disks with the UUID of the root", () => {
  const copies = (isFirst: boolean): readonly FakeDisk[] => {
    const partitions = [{ image: root }, { image: hibernatedSwap(ONE) }];
    const [plain, hibernated] = isFirst ? ["vdb", "vda"] : ["vda", "vdb"];
    return [
      { name: hibernated, partitions },
      { name: plain, partitions: [{ image: root }] },
    ];
  };

  test.each([true, false])("the image is resumed before one of them is chosen (beside the first: %j)", (isFirst) => {
    const result = fakeBoot({ cmdline: `root=UUID=${ROOT_UUID} rw resume=UUID=${ONE}`, disks: copies(isFirst) });
    expect(result.end).toBe("resume");
    expect(touched(result)).toEqual([]);
  });

  test.each([true, false])("the one beside an image that is not named is not mounted (the first: %j)", (isFirst) => {
    const result = fakeBoot({ cmdline: `root=UUID=${ROOT_UUID} rw rd.resume.policy=stop`, disks: copies(isFirst) });
    const hibernated = isFirst ? "vda" : "vdb";
    expect(touched(result).join("\n")).not.toContain(`/dev/${hibernated}1`);
    expect(signatureOf(result, `${hibernated}2`)).toBe("S1SUSPEND");
  });
});

describe("two disks with one LUKS header", () => {
  let volume: FakeImage;
  const swap = hibernatedSwap(ONE);
  const format = `cryptsetup luksFormat -q --type luks2 --sector-size 512 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2 --uuid ${LUKS} ${CHEAP} $1 key`;
  beforeAll(async () => {
    volume = await luksDisk({ name: "boot-resume", script: format }, swap);
  });

  test("hold the image in either, and it is resumed before the root is mounted", () => {
    const result = cryptBoot({
      cmdline: `rd.luks.name=${LUKS}=cryptswap root=LABEL=ROOT resume=UUID=${ONE} rd.resume.policy=stop rdshell=0`,
      disks: [
        { name: "vda", partitions: [{ image: root }, { image: volume }] },
        { name: "vdb", image: volume },
      ],
      images: [swap],
      typing: typed("pass"),
    });
    expect(result.end).toBe("resume");
    expect(touched(result)).toEqual([]);
  });
});
