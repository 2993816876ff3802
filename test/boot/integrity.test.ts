import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, ROOT_TREE } from "../support/fake-boot.ts";
import { hibernatedSwap, hibernateLocation } from "../support/fake-hibernation.ts";
import { fakeImage } from "../support/fake-images.ts";
import { INTEGRITY_MODULES, integrityDevice } from "../support/fake-integrity.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { integrityBoot } from "../support/integrity-boot.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { CRYPT_IMAGE, luksDisk } from "../support/luks/encrypted-disk.ts";

// Whole boots from devices with checksums by dm-integrity alone.

const MODULES = "/lib/modules/6.1.0-fake";
const root = fakeImage("ext4", { label: "ROOT" }, ROOT_TREE);
const safe = integrityDevice(root.bytes);
const WORDS = "rd.integrity=safe:/dev/vda root=LABEL=ROOT rd.timeout=6";
const KEY = new Uint8Array([0x5a, 0x17]);
const KEYED = { by: "hmac(sha256):5a17", tagBytes: 32 };

const boot = (content: Uint8Array, cmdline = WORDS, more: FakeBootOptions = {}) =>
  integrityBoot({ cmdline, disks: [{ name: "vda", content: new Uint8Array(content) }], images: [root], ...more });
const tables = ({ journal }: ReturnType<typeof boot>) => journal.filter((line) => line.startsWith("map "));
const isBooted = { mode: "switch_root" };

describe("a root with checksums", () => {
  test.each(["root=LABEL=ROOT", "root=/dev/mapper/safe", "root=/dev/vda"])("is opened for %s", (words) => {
    const result = boot(safe, `rd.integrity=safe:/dev/vda ${words}`);
    expect(result.end).toMatchObject(isBooted);
    expect(result.mounts).toContain("/sysroot ext4 /dev/mapper/safe");
    expect(tables(result)).toEqual([expect.stringContaining("map safe as CRYPT-INTEGRITY-safe: integrity")]);
  });

  test("is opened as integritytab of the image says", () => {
    const files = { "/etc/integritytab": "# name device key options\nsafe\t/dev/vda\nbad /dev/vdb - mode=fast\n" };
    const result = boot(safe, "root=/dev/mapper/safe", { files });
    expect(result.end).toMatchObject(isBooted);
    expect(result.text).toContain("/etc/integritytab: ignoring line 3: expected mode= as journal, bitmap or direct");
  });

  test("may have a key", () => {
    const files = { "/etc/integritytab": "safe /dev/vda /etc/hmac.key\n", "/etc/hmac.key": KEY };
    expect(boot(integrityDevice(root.bytes, KEYED), "root=LABEL=ROOT", { files }).end).toMatchObject(isBooted);
  });

  test("may have its checksums on another device: the data alone are not the root", () => {
    const disks = [
      { name: "vda", image: root },
      { name: "vdb", content: integrityDevice(root.bytes, { isApart: true, blockLog: 3 }), arrivesAtMs: 3000 },
    ];
    const result = boot(safe, "rd.integrity=safe:/dev/vdb,data-device=/dev/vda root=LABEL=ROOT", { disks });
    expect(result.end).toMatchObject(isBooted);
    expect(result.mounts).toContain("/sysroot ext4 /dev/mapper/safe");
  });

  test("is not opened unasked", () => {
    const result = boot(safe, "root=LABEL=ROOT rd.timeout=1");
    expect(tables(result)).toEqual([]);
    expect(result.text).toContain("dm-integrity: no rd.integrity= names it");
  });

  test("that another algorithm made is closed again, and named", () => {
    const result = boot(integrityDevice(root.bytes, { by: "crc32" }));
    expect(result.text).toContain(
      "/dev/vda is not opened as /dev/mapper/safe (dm-integrity): it cannot be read with crc32c: it was made with another algorithm",
    );
    expect(result.end).toBe("poweroff");
  });

  test("of which only the beginning is damaged stays open: the real system can repair it from the rest of an array", () => {
    const result = boot(integrityDevice(root.bytes, { damagedBytes: 512 }), `${WORDS} rd.timeout=1`);
    expect(result.text).toContain(
      "/dev/mapper/safe: its first sectors are damaged, other sectors have the right checksums",
    );
    expect(result.text).not.toContain("another algorithm");
    expect(tables(result)).toHaveLength(1);
  });

  test("that another algorithm made is named also if it cannot be closed", () => {
    const before = (machine: FakeMachine) => machine.refuse("removeMapping", "safe", "EBUSY");
    const result = boot(integrityDevice(root.bytes, { by: "crc32" }), WORDS, { before });
    expect(result.text).toContain("it was made with another algorithm");
  });

  test("that is gone when it is open is not called one of another algorithm", () => {
    const before = (machine: FakeMachine) => {
      const { createMapping } = machine;
      Object.assign(machine, {
        createMapping(request: Parameters<typeof createMapping>[0]) {
          const mapping = createMapping(request);
          machine.removeMapping(mapping.name);
          return mapping;
        },
      });
    };
    const result = boot(safe, WORDS, { before });
    expect(result.text).toContain("a disk below it did not answer when it was open, or is gone");
  });

  test.each([
    [
      "without a superblock",
      new Uint8Array(65536),
      WORDS,
      "/dev/vda is not opened as /dev/mapper/safe (dm-integrity): it has no dm-integrity superblock",
    ],
    [
      "too short for its superblock",
      integrityDevice(new Uint8Array(1 << 20)).subarray(0, 65536),
      WORDS,
      "the dm-integrity superblock claims",
    ],
    [
      "that did not appear",
      safe,
      "rd.integrity=safe:/dev/vdb root=LABEL=ROOT",
      "device /dev/vdb for /dev/mapper/safe did not appear",
    ],
    [
      "without its key",
      integrityDevice(root.bytes, KEYED),
      "rd.integrity=safe:/dev/vda,key=/none root=LABEL=ROOT",
      "the image has no key file /none",
    ],
  ])("a device %s is named", (_, content, words, message) => {
    const result = boot(content, `${words} rd.timeout=1`);
    expect(tables(result)).toEqual([]);
    expect(result.text).toContain(message);
    expect(result.end).toBe("poweroff");
  });
});

describe("before a resume", () => {
  const SWAP = "0e1f0a9c-1111-4000-8000-00000000cafe";
  const swap = hibernatedSwap(SWAP);

  const contentOf = ({ machine }: ReturnType<typeof boot>) => Buffer.from(machine.disk("vda")?.content ?? []);

  test("nothing is opened while the swap space is waited for", () => {
    const disks = [
      { name: "vda", content: new Uint8Array(safe) },
      { name: "vdb", image: swap, arrivesAtMs: 5000 },
    ];
    const result = boot(safe, `${WORDS} resume=UUID=${SWAP}`, { disks });
    expect(result.end).toBe("resume");
    expect(tables(result)).toEqual([]);
    expect(contentOf(result).equals(safe)).toBe(true);
  });

  test("nothing is opened before a resume from where systemd's variable says", () => {
    const inUse = fakeImage("ext4", { label: "ROOT", isUnclean: true }, ROOT_TREE);
    const disks = [
      { name: "vda", content: integrityDevice(inUse.bytes) },
      { name: "vdb", image: swap },
    ];
    const location = hibernateLocation(JSON.stringify({ uuid: SWAP, offset: 0 }));
    const result = boot(safe, WORDS, { images: [inUse], disks, ...location });
    expect(result.end).toBe("resume");
    expect(contentOf(result).equals(integrityDevice(inUse.bytes))).toBe(true);
  });

  test("that variable is read once, whether or not the root is in use", () => {
    const inUse = fakeImage("ext4", { label: "ROOT", isUnclean: true }, ROOT_TREE);
    const location = hibernateLocation(JSON.stringify({ uuid: SWAP, offset: 0 }));
    const result = boot(integrityDevice(inUse.bytes), WORDS, { images: [inUse], ...location });
    expect(result.end).toMatchObject(isBooted);
    expect(result.text.split("where systemd hibernated (HibernateLocation), did not appear")).toHaveLength(2);
    expect(contentOf(result).equals(integrityDevice(inUse.bytes))).toBe(false);
  });

  test.each(["/dev/mapper/safe", `UUID=${SWAP}`])("swap space with checksums is found as %s", (name) => {
    expect(boot(integrityDevice(swap.bytes), `${WORDS} resume=${name}`).end).toBe("resume");
  });
});

test("it stays when an encrypted volume that the root is not in is closed", async () => {
  const uuid = "6c657661-696e-4000-8000-0000000000b2";
  const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2 --uuid ${uuid} ${CHEAP} $1 key`;
  const vault = await luksDisk({ name: "boot-integrity-beside", script }, fakeImage("ext4", { label: "OTHER" }));
  const words = `${WORDS} rd.luks.name=${uuid}=vault rd.luks.options=${uuid}=nofail rd.luks.key=/key`;
  const dep = `${MODULES}/modules.dep`;
  const result = boot(safe, words, {
    disks: [
      { name: "vda", content: safe },
      { name: "vdb", image: vault },
    ],
    modules: { ...CRYPT_IMAGE.modules, ...INTEGRITY_MODULES },
    files: {
      ...CRYPT_IMAGE.files,
      [dep]: `${CRYPT_IMAGE.files[dep]}kernel/dm-integrity.ko: kernel/dm-mod.ko\n`,
      "/key": "pass",
    },
  });
  expect(result.text).toContain("closed /dev/mapper/vault");
  expect(result.end).toMatchObject(isBooted);
  expect(result.mounts).toContain("/sysroot ext4 /dev/mapper/safe");
});
