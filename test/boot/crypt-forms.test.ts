import { beforeAll, describe, expect, test } from "bun:test";
import { hashPlainKey } from "../../src/keys/kdf.ts";
import { type FakeBootOptions, ROOT_TREE, rootImage } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, plainDisk, typed } from "../support/luks/encrypted-disk.ts";

// Whole boots from plain dm-crypt, and from images that are LUKS containers.

type Booted = ReturnType<typeof cryptBoot>;
const prompts = ({ machine }: Booted) => machine.terminals.screen("/dev/ttyS0").split("  unlock    ").length - 1;
const maps = ({ journal }: Booted) => journal.filter((line) => line.startsWith("map "));

describe("plain dm-crypt on the partition beside a labelled one", () => {
  const root = rootImage("ROOT");
  const key = hashPlainKey("ripemd160", Buffer.from("pass"), 32) ?? new Uint8Array();
  const how = { cipher: "aes-cbc-essiv:sha256", key };
  const disk = plainDisk(how, root);
  const crypt = "cryptdevice=SIBLING=2:LABEL=PRIVDEB_BOOT:root";
  const options = "plain,hash=ripemd160,cipher=aes-cbc-essiv:sha256,size=256";

  function boot(more: FakeBootOptions & { readonly words?: string } = {}): Booted {
    const { words = "root=/dev/mapper/root", ...others } = more;
    return cryptBoot({
      cmdline: `${crypt}:${options} ${words}`,
      disks: [{ name: "sda", partitions: [{ image: fakeImage("ext2", { label: "PRIVDEB_BOOT" }) }, { image: disk }] }],
      images: [root],
      typing: typed("pass"),
      ...others,
    });
  }

  test("is opened by its passphrase", () => {
    const result = boot();
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain('  root      /dev/mapper/root ext4 "ROOT" in /dev/sda2 dm-crypt');
    expect(maps(result)).toEqual(["map root as CRYPT-PLAIN-root: crypt"]);
    expect(result.machine.terminals.screen("/dev/ttyS0")).toContain("/dev/sda2 (plain aes-cbc-essiv:sha256) as root");
  });

  test("is asked for again if nothing known is inside, and the mapping is removed each time", () => {
    const result = boot({ typing: typed("no", "nor this", "pass") });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(3);
    const mapping = result.journal.filter((line) => /map root\b|remove.*root$/.test(line));
    expect(mapping).toEqual([
      "map root as CRYPT-PLAIN-root: crypt",
      "unmap root",
      "map root as CRYPT-PLAIN-root: crypt",
      "unmap root",
      "map root as CRYPT-PLAIN-root: crypt",
    ]);
  });

  test("is asked for again if the mount fails, at most as often as allowed", () => {
    const refuse = (times: number) => (machine: Booted["machine"]) =>
      machine.refuse("mount", "/dev/mapper/root at /sysroot", "EINVAL", { times });
    const again = boot({ typing: typed("pass", "pass", "pass"), before: refuse(2) });
    expect(again.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(again)).toBe(3);
    expect(again.console).toContain(
      "warning   could not mount /dev/mapper/root at /sysroot: the passphrase may be wrong, asking again",
    );
    expect(again.shells).toBe(0);
    const never = boot({ typing: typed(..."123456".split("").map(() => "pass")), before: refuse(99) });
    expect(prompts(never)).toBe(5);
    expect(never.shells).toBe(1);
    expect(never.console).toContain("could not mount /dev/mapper/root at /sysroot\n  ext4: ");
  });

  test("ends in the shell after five wrong passphrases, with nothing left", () => {
    const look = ({ listMappings, keysInKernel, power }: Booted["machine"]) => {
      expect(listMappings()).toEqual([]);
      expect(keysInKernel()).toEqual([]);
      power("poweroff");
    };
    const result = boot({ typing: typed("1", "2", "3", "4", "5"), person: [look] });
    expect(prompts(result)).toBe(5);
    expect(result.console).toContain("could not unlock /dev/sda2 (plain aes-cbc-essiv:sha256) as root");
    expect(maps(result)).toHaveLength(5);
  });

  test("wipes the key that was made of the passphrase", () => {
    const keys: Uint8Array[] = [];
    const before = (machine: Booted["machine"]) => {
      const { addLogonKey } = machine;
      Object.assign(machine, {
        addLogonKey(description: string, payload: Uint8Array) {
          keys.push(payload);
          return addLogonKey(description, payload);
        },
      });
    };
    boot({ before });
    expect(keys.map((one) => Buffer.from(one).toString("hex"))).toEqual(["00".repeat(32)]);
  });

  test("uses a key file as the key itself", () => {
    const files = {
      "/plain.key": Buffer.concat([key, Buffer.from("more than the key")]),
      "/etc/crypttab": `root /dev/sda2 /plain.key ${options}\n`,
    };
    const result = boot({ cmdline: "root=LABEL=ROOT", files, typing: [] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(0);
  });
});

describe("an image that is a LUKS container", () => {
  const UUID = "6c657661-696e-4000-8000-00000000cccc";
  const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --uuid ${UUID} --pbkdf pbkdf2 ${CHEAP} $1 key`;
  const root = rootImage("ROOT");
  const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
  let file: FakeImage;
  let packed: FakeImage;
  beforeAll(async () => {
    file = await luksDisk({ name: "boot-image", script }, root);
    packed = await luksDisk({ name: "boot-squashfs", script }, squashfs);
  });

  function boot(words: string, more: FakeBootOptions = {}): Booted {
    const files = { "/root.luks": file.bytes, "/base.luks": packed.bytes, "/root.key": "pass" };
    return cryptBoot({
      cmdline: `root=LABEL=FLASH ${words}`,
      disks: [{ name: "sda", partitions: [{ image: fakeImage("vfat", { label: "FLASH" }, files) }] }],
      images: [root, squashfs],
      typing: typed("pass"),
      ...more,
    });
  }

  test("on FAT: the root lies in it", () => {
    const result = boot("rd.image=/root.luks");
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.mounts).toContain(`/sysroot/run/levain/lower ext4 /dev/mapper/luks-${UUID}`);
    expect(prompts(result)).toBe(1);
  });

  test("below an overlay, read-only as its loop device", () => {
    const look = (machine: Booted["machine"]) => {
      expect(Buffer.from(machine.readFile("/sys/class/block/dm-0/ro")).toString()).toBe("1\n");
    };
    const result = boot("rd.image=/base.luks rd.overlay rd.break=init rdshell=keep", { person: [look] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.mounts.join("\n")).toMatch(/\/sysroot overlay overlay[\s\S]*squashfs \/dev\/mapper\/luks-/);
  });

  test("is opened as the parameters that name it say", () => {
    const words = `rd.luks.name=${UUID}=box rd.luks.key=/root.key:LABEL=FLASH`;
    const result = boot(`rd.image=/root.luks ${words}`, { typing: [] });
    expect(result.mounts).toContain("/sysroot/run/levain/lower ext4 /dev/mapper/box");
    expect(result.console.split("did not appear")).toHaveLength(2);
    expect(prompts(result)).toBe(0);
  });

  test("says what it is and what helps if it is not unlocked in time", () => {
    const words = `rd.image=/root.luks rd.luks.options=${UUID}=nofail,keyslot=7 rd.timeout=2`;
    const { console } = boot(`${words} rd.luks.uuid=${UUID}`, { typing: [] });
    expect(console).toContain("could not unlock the image /root.luks\n  nothing unlocked it within 2 s\n");
    expect(console).toContain("hint: `exit` tries again, or name its key file: rd.luks.key=");
    expect(console).not.toContain("rd.layer=");
    const withoutShell = boot(`${words} rd.luks.uuid=${UUID} rdshell=0 rd.emergency=poweroff`, { typing: [] });
    expect(withoutShell.console).toContain("hint: name its key file: rd.luks.key=");
  });

  test("rd.luks=0 is reported for the image or the layer that it is, not for the root", () => {
    const image = boot("rd.image=/root.luks rd.luks=0", { typing: [] }).console;
    expect(image).toContain("the image /root.luks is encrypted, but rd.luks=0 forbids unlocking");
    expect(image).not.toContain("/dev/loop");
    const layers = [
      { name: "sda", partitions: [{ image: fakeImage("ext4", { label: "FLASH" }, ROOT_TREE) }] },
      { name: "sdb", image: packed },
    ];
    const layer = boot("rd.layer=/dev/sdb rd.overlay rd.luks=0", { typing: [], disks: layers }).console;
    expect(layer).toContain("the layer /dev/sdb is encrypted, but rd.luks=0 forbids unlocking");
  });

  test("leaves no mapping, loop device or mount if it cannot be opened", () => {
    const look = (machine: Booted["machine"]) => {
      expect(machine.listMappings()).toEqual([]);
      expect(Buffer.from(machine.readFile("/proc/self/mountinfo")).toString()).not.toContain("/dev/loop");
    };
    const result = boot("rd.image=/root.luks", { typing: typed("1", "2", "3", "4", "5"), person: [look] });
    expect(result.shells).toBe(2);
    expect(result.journal).toContain("detach /dev/loop0");
    expect(result.console).toContain("5 passphrases were wrong");
  });
});
