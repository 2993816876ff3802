import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { examineLuks, type LuksAnswer, type LuksQuestion } from "../../src/desk/commands/disks/luks.ts";
import { createLinuxMachine } from "../../src/machine/linux/linux.ts";
import { scratchDirectory } from "../support/cache.ts";
import { BASE } from "../support/luks/base-images.ts";
import {
  type CryptsetupImage,
  type CryptsetupRecipe,
  provideLuksImage,
  readImage,
} from "../support/luks/cryptsetup-image.ts";
import { INVALID_KEYSLOTS } from "../support/luks/invalid-keyslots.ts";
import { INVALID_OBJECTS } from "../support/luks/invalid-objects.ts";
import { INVALID_SEGMENTS } from "../support/luks/invalid-segments.ts";
import { INVALID_TEXTS } from "../support/luks/invalid-texts.ts";
import { LUKS1_RECIPES, LUKS2_RECIPES, REFUSED_RECIPES } from "../support/luks/recipes.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

/** With the PATH of the tests, which leads to programs that are not installed; the runtime passes on the one it was started with. */
const UNPACKED = { env: process.env };

// Not a guest: headers that the real cryptsetup of this host makes, opened by `levain luks`. The first run makes them.
const MAKE_TIMEOUT_MS = QUEUE_TIMEOUT_MS;
const machine = createLinuxMachine();

function ask(image: CryptsetupImage, changes: Partial<LuksQuestion> = {}): LuksAnswer {
  const { path, header, keyFile } = image;
  return examineLuks(machine, { image: path, header, keyFile, showsVolumeKey: true, json: true, ...changes });
}

function readOutput({ output }: LuksAnswer): Record<string, unknown> {
  return JSON.parse(output.map((part) => (typeof part === "string" ? part : Buffer.from(part).toString())).join(""));
}

/** A key file that opens nothing. */
function wrongKey(): string {
  const path = join(scratchDirectory(), "wrong");
  writeFileSync(path, "wrong");
  return path;
}

describe.each([
  ["LUKS1", LUKS1_RECIPES],
  ["LUKS2", LUKS2_RECIPES],
] as const)("%s headers of the real cryptsetup", (_version, recipes) => {
  test.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
    "%s",
    async (_name, recipe) => {
      const image = await provideLuksImage(recipe);
      const answer = ask(image);
      expect(answer.problems.filter((line) => !line.includes("volume key"))).toEqual([]);
      expect(readOutput(answer)["volumeKey"]).toBe(image.volumeKey?.toHex() ?? "");
      expect(answer.status).toBe(0);
      expect(ask(image, { keyFile: null, json: false }).status).toBe(0);
    },
    MAKE_TIMEOUT_MS,
  );

  test("a wrong key", async () => {
    const [recipe] = recipes;
    if (recipe === undefined) throw new Error("no recipes");
    const answer = ask(await provideLuksImage(recipe), { keyFile: wrongKey() });
    expect(answer.status).toBe(2);
    expect(readOutput(answer)).toMatchObject({ valid: true, usableHere: true, unlocks: null });
    expect(answer.output).toHaveLength(1);
  });
});

describe.each(["luks1", "luks2"] as const)("a backup of a header by luksHeaderBackup, %s", (version) => {
  test(
    "is valid; with the data it is usable",
    async () => {
      const { path, keyFile } = await provideLuksImage(BASE[version]);
      const backup = join(scratchDirectory(), "backup");
      const argv = ["cryptsetup", "luksHeaderBackup", path, "--header-backup-file", backup];
      const { exitCode } = Bun.spawnSync(argv, UNPACKED);
      expect(exitCode).toBe(0);
      const question = { image: backup, header: null, keyFile, showsVolumeKey: false, json: false };
      expect(examineLuks(machine, question)).toMatchObject({
        status: 3,
        problems: expect.arrayContaining([expect.stringContaining("it holds a header alone")]),
      });
      expect(examineLuks(machine, { ...question, image: path, header: backup }).status).toBe(0);
      expect(examineLuks(machine, { ...question, keyFile: wrongKey() }).status).toBe(2);
    },
    MAKE_TIMEOUT_MS,
  );
});

describe("what must not be touched", () => {
  const refuse = async (recipe: CryptsetupRecipe) => {
    const answer = ask(await provideLuksImage(recipe));
    expect(answer.status).toBe(3);
    expect(readOutput(answer)).toMatchObject({ valid: true, usableHere: false });
    return answer.problems.join("\n");
  };

  test(
    "a hash that nothing here has, by name",
    async () => {
      expect(await refuse(REFUSED_RECIPES.sm3)).toContain("keyslot 0 needs the hash sm3, which is not supported");
    },
    MAKE_TIMEOUT_MS,
  );

  test("a reencryption that is in progress", async () => {
    const problems = await refuse(REFUSED_RECIPES.reencryption);
    expect(problems).toContain("the LUKS2 header requires online-reencrypt-v2");
    expect(problems).toContain("finish it with cryptsetup reencrypt --resume-only");
  });
});

describe("corrupted headers, compared with luksDump of the real cryptsetup", () => {
  const HEADERS = [...INVALID_TEXTS, ...INVALID_OBJECTS, ...INVALID_KEYSLOTS, ...INVALID_SEGMENTS];

  test.each(HEADERS.map((header) => [header.name, header] as const))(
    "%s",
    async (_name, { corrupt, reason, isStricter }) => {
      const path = join(scratchDirectory(), "image");
      writeFileSync(path, corrupt(readImage(await provideLuksImage(BASE.luks2))));
      const { exitCode } = Bun.spawnSync(["cryptsetup", "luksDump", path], UNPACKED);
      expect(exitCode === 0).toBe(reason === null || isStricter === true);
    },
  );
});
