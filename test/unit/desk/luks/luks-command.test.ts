import { describe, expect, test } from "bun:test";
import { examineLuks, type LuksQuestion } from "../../../../src/desk/commands/disks/luks.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { BASE } from "../../../support/luks/base-images.ts";
import { provideLuksImage, readImage } from "../../../support/luks/cryptsetup-image.ts";
import { changeCopies, damageCopy, editJson, type Luks2Json } from "../../../support/luks/luks2-edit.ts";
import { whatItSays } from "../../../support/luks/sources.ts";

const luks2 = await provideLuksImage(BASE.luks2);
const image = readImage(luks2);
const keyslots = readImage(await provideLuksImage(BASE.keyslots));
const luks1 = readImage(await provideLuksImage(BASE.luks1));
const hex = luks2.volumeKey?.toHex() ?? "";
const uuid = new TextDecoder().decode(image.subarray(168, 204));

function ask(
  changes: Partial<LuksQuestion> & { readonly bytes?: Uint8Array } = {},
  memory = "MemAvailable: 1048576 kB\n",
) {
  const { bytes = image, ...question } = changes;
  const machine = fakeMachine({
    files: {
      "/image": bytes,
      "/keyslots": keyslots,
      "/data": new Uint8Array(1 << 20),
      "/key": "pass",
      "/wrong": "word",
      "/typed": "pass\n",
    },
  });
  const readFile = (path: string) =>
    path === "/proc/meminfo" ? new TextEncoder().encode(memory) : machine.readFile(path);
  const readKey = (path: string) => (path === "/dev/stdin" ? new TextEncoder().encode("pass") : readFile(path));
  const answer = examineLuks(
    { ...machine, readFile },
    {
      image: "/image",
      header: null,
      keyFile: null,
      showsVolumeKey: false,
      json: false,
      ...question,
    },
    readKey,
  );
  const text = answer.output.map((part) => (typeof part === "string" ? part : new TextDecoder().decode(part))).join("");
  return { ...answer, text };
}

const edit = (change: (json: Luks2Json) => void) => editJson(image, change);

describe("levain luks", () => {
  test("does not wait for a writer of a pipe", () => {
    const machine = fakeMachine({});
    const status = { kind: "fifo", mode: 0o644, size: 0, device: "0:1", represents: null } as const;
    const question = { image: "/pipe", header: null, keyFile: null, showsVolumeKey: false, json: false };
    const openReader = () => {
      throw new Error("no writer");
    };
    expect(() => examineLuks({ ...machine, stat: () => status, openReader }, question)).toThrow("ESPIPE");
  });

  test("says what is in a header", () => {
    expect(ask()).toMatchObject({
      text: `version     LUKS2
uuid        ${uuid}
label       base
segment 0   aes-xts-plain64, from 2 MiB to the end, sectors of 4096 bytes
keyslot 0   luks2 key of 512 bits, pbkdf2 sha256 1000 iterations, aes-xts-plain64
valid       yes
usable here yes
`,
      problems: [],
      status: 0,
    });
  });

  test("keyslots that are preferred or ignored, tokens, flags, other segments", () => {
    const { text } = ask({ image: "/keyslots" });
    expect(text).toContain(
      "keyslot 0   luks2 key of 512 bits, argon2id 4 passes 64 KiB 2 lanes, aes-xts-plain64, ignored\n",
    );
    expect(text).toContain("2 lanes, aes-xts-plain64, preferred\n");
    const bytes = edit((json) => {
      json.tokens[3] = { type: "a\u001btoken", keyslots: ["0"], pcrs: [7] };
      json.config.flags = ["allow-discards"];
      json.segments[1] = { type: "linear", offset: "512", size: "1024", flags: ["backup-x"] };
    });
    const shown = ask({ bytes }).text;
    expect(shown).toContain("token 3     a\\x1btoken, for keyslot 0\n");
    expect(shown).toContain("flags       allow-discards\n");
    expect(shown).toContain("segment 1   linear, from 512 bytes on, 1 KiB, backup-x\n");
  });

  test("a count of one is singular", () => {
    const bytes = edit((json) => {
      const { salt } = json.keyslots[0].kdf;
      json.keyslots[0].kdf = { type: "argon2i", time: 1, memory: 1024, cpus: 1, salt };
    });
    expect(ask({ bytes }).text).toContain("argon2i 1 pass 1 MiB 1 lane, aes-xts-plain64\n");
  });

  test("a right key, a wrong one, one from the standard input", () => {
    expect(ask({ keyFile: "/key" })).toMatchObject({ status: 0, problems: [] });
    expect(ask({ keyFile: "/key" }).text).toEndWith("usable here yes\nopens       keyslot 0\n");
    expect(ask({ keyFile: "-" }).status).toBe(0);
    expect(ask({ keyFile: "/wrong" })).toMatchObject({ status: 2, problems: ["the key opens no keyslot"] });
    const newline = "the key opens no keyslot: it ends with a newline, which counts as part of the key";
    expect(ask({ keyFile: "/typed" })).toMatchObject({ status: 2, problems: [newline] });
  });

  test("a wrong key, where it may be that of a keyslot that cannot be tried", () => {
    const bytes = edit((json) => {
      const area = { ...json.keyslots[0].area, offset: String(32768 + 258048) };
      json.keyslots[1] = { ...json.keyslots[0], area, kdf: { ...json.keyslots[0].kdf, type: "scrypt" } };
      json.digests[0].keyslots = ["0", "1"];
    });
    expect(ask({ bytes, keyFile: "/wrong" })).toMatchObject({
      status: 2,
      problems: [
        "the key opens no keyslot",
        "keyslot 1 needs the key derivation scrypt, which is not supported, so it was not tried",
      ],
    });
    expect(ask({ bytes, keyFile: "/key" }).problems).toEqual([]);
  });

  test("the volume key after a warning, as bytes; it is printed only on request", () => {
    const { output, problems, text } = ask({ keyFile: "/key", showsVolumeKey: true });
    expect(text).toEndWith(`opens       keyslot 0\nvolume key  ${hex}\n`);
    expect(problems).toEqual([expect.stringContaining("the volume key unlocks the data")]);
    expect(output.filter((part) => typeof part !== "string")).toHaveLength(1);
    expect(output.join("")).not.toContain(hex);
    expect(ask({ keyFile: "/key" }).text).not.toContain(hex);
    expect(ask({ keyFile: "/wrong", showsVolumeKey: true })).toMatchObject({
      status: 2,
      problems: ["the key opens no keyslot"],
    });
  });

  test("JSON", () => {
    const plain = JSON.parse(ask({ json: true }).text);
    expect(plain).toMatchObject({
      version: 2,
      uuid,
      valid: true,
      usableHere: true,
      problems: [],
      mapping: { options: ["sector_size:4096"] },
    });
    expect(plain).not.toHaveProperty("unlocks");
    expect(JSON.parse(ask({ json: true, keyFile: "/key" }).text)).toMatchObject({ unlocks: 0 });
    expect(JSON.parse(ask({ json: true, keyFile: "/key", showsVolumeKey: true }).text)).toMatchObject({
      unlocks: 0,
      volumeKey: hex,
    });
    expect(JSON.parse(ask({ json: true, keyFile: "/wrong" }).text)).toMatchObject({ unlocks: null });
  });

  test("a header elsewhere", () => {
    const bytes = edit((json) => (json.segments[0].offset = "0"));
    expect(ask({ bytes })).toMatchObject({
      status: 3,
      problems: [expect.stringContaining("the data begin where the header is"), expect.any(String)],
    });
    const { status, text } = ask({ bytes, image: "/data", header: "/image", json: true });
    expect(status).toBe(0);
    expect(JSON.parse(text).mapping).toMatchObject({ offsetSectors: 0, sizeSectors: 2048 });
  });

  test("nothing of a header reaches a terminal as it stands there", () => {
    const bytes = changeCopies(
      edit((json) => (json.tokens[0] = { type: "a\u009bb\u202ec", keyslots: [] })),
      (copy) => copy.set(new TextEncoder().encode("l\u001b[2J\u009b\u202e"), 24),
    );
    const crafted = new Uint8Array(bytes);
    crafted.set(new TextEncoder().encode("\u001b]0;x\u0007"), 72);
    for (const json of [true, false]) {
      const { text, problems } = ask({ bytes: crafted, json });
      expect(problems).toHaveLength(1);
      expect(problems.join("") + text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      if (json)
        expect(JSON.parse(text)).toMatchObject({
          label: "l\u001b[2J\u009b\u202e",
          tokens: [{ type: "a\u009bb\u202ec" }],
        });
    }
  });

  test("nor does a name that is not known", () => {
    const bytes = edit((json) => {
      json.keyslots[0].kdf.type = "k\u001b]0;x\u0007";
      json.config.flags = ["f\u001b[2J"];
    });
    const { problems } = ask({ bytes });
    expect(problems.join("")).toContain("needs the key derivation k\\x1b]0;x\\x07");
    expect(problems.join("")).not.toMatch(/\p{Cc}/u);
  });

  test("a token that says another number", () => {
    const bytes = edit((json) => (json.tokens[3] = { type: "x", keyslots: [], id: 9 }));
    expect(ask({ bytes }).text).toContain("token 3     x\n");
    expect(JSON.parse(ask({ bytes, json: true }).text).tokens).toEqual([{ id: 3, type: "x", keyslots: [] }]);
  });

  test("a damaged copy is reported", () => {
    expect(ask({ bytes: damageCopy(image, 0) })).toMatchObject({
      status: 0,
      problems: ["warning: the first copy of the LUKS2 header is damaged, the second is used: its checksum is wrong"],
    });
  });
});

describe("a backup of a header", () => {
  const DATA_AT = 2 * 1024 * 1024;
  const backup = image.slice(0, DATA_AT);
  const PROBLEM = "the device ends before the data: it holds a header alone, as a backup of it does";

  test("is valid, and cannot be opened here", () => {
    const { text, problems, status } = ask({ bytes: backup });
    expect(status).toBe(3);
    expect(text).toEndWith("valid       yes\nusable here no\n");
    expect(problems[0]).toBe(PROBLEM);
    expect(problems.join("\n")).toContain(`data from byte ${DATA_AT} on`);
    expect(problems.join("\n")).toContain("levain luks --header BACKUP DEVICE");
    expect(JSON.parse(ask({ bytes: backup, json: true }).text)).toMatchObject({
      valid: true,
      usableHere: false,
      mapping: null,
    });
  });

  test("tells a right key from a wrong one", () => {
    const right = ask({ bytes: backup, keyFile: "/key" });
    expect(right.status).toBe(3);
    expect(right.text).toEndWith("usable here no\nopens       keyslot 0\n");
    expect(ask({ bytes: backup, keyFile: "/wrong" }).status).toBe(2);
    expect(ask({ bytes: backup, keyFile: "/key", showsVolumeKey: true }).text).toContain(hex);
  });

  test("of LUKS1, which ends before the data begin", () => {
    expect(ask({ bytes: luks1.slice(0, 2_068_480) })).toMatchObject({
      status: 3,
      problems: expect.arrayContaining([PROBLEM]),
    });
  });

  test("that was cut is not valid", () => {
    const { status, text } = ask({ bytes: backup.slice(0, 100_000), json: true });
    expect(status).toBe(1);
    expect(JSON.parse(text)).toMatchObject({ valid: false, usableHere: false });
  });

  test("together with its data is usable", () => {
    const machine = fakeMachine({ files: { "/backup": backup, "/whole": image } });
    const question = { keyFile: null, showsVolumeKey: false, json: false };
    expect(examineLuks(machine, { ...question, image: "/whole", header: "/backup" }).status).toBe(0);
  });
});

describe("a header whose volume cannot be opened here", () => {
  test("is described as far as it can be read", () => {
    const bytes = edit((json) => (json.config.requirements = { mandatory: ["online-reencrypt-v2"] }));
    const { text, problems, status } = ask({ bytes, keyFile: "/key", showsVolumeKey: true });
    expect(status).toBe(3);
    expect(text).toContain("requires    online-reencrypt-v2\n");
    expect(text).toEndWith("valid       yes\nusable here no\n");
    expect(problems[0]).toBe("the LUKS2 header requires online-reencrypt-v2");
  });

  test("needs more memory than there is", () => {
    const bytes = edit((json) => {
      const { salt } = json.keyslots[0].kdf;
      json.keyslots[0].kdf = { type: "argon2id", time: 4, memory: 4 << 20, cpus: 4, salt };
    });
    expect(ask({ bytes })).toMatchObject({
      status: 3,
      problems: ["no keyslot can be tried", "keyslot 0 needs 4 GiB to unlock, and 1 GiB are free"],
    });
    expect(ask({ bytes }, "").status).toBe(0);
  });

  test("does not exist", () => {
    expect(ask({ image: "/data" })).toMatchObject({ status: 1, text: "", problems: ["there is no LUKS header"] });
    expect(JSON.parse(ask({ image: "/data", json: true }).text)).toEqual({
      valid: false,
      usableHere: false,
      problems: ["there is no LUKS header"],
    });
  });

  test("with a cipher of the kernel's is usable, but no key can be tried here", () => {
    const bytes = edit((json) => (json.keyslots[0].area.encryption = "serpent-xts-plain64"));
    expect(ask({ bytes })).toMatchObject({ status: 0, problems: [] });
    expect(ask({ bytes }).text).toContain(
      "(is encrypted with serpent-xts-plain64, which needs the kernel's ciphers (module algif_skcipher))\n",
    );
    expect(whatItSays(() => ask({ bytes, keyFile: "/key" }))).toContain("no keyslot of the LUKS header can be tried");
  });
});
