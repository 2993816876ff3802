import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { makeConfigSchema } from "../../../../build/docs.ts";
import { CONFIG_KEYS, parseConfig } from "../../../../src/desk/config/config.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { desk } from "../../../support/desk-in-process.ts";

const DOCUMENTED = readFileSync(join(import.meta.dir, "../../../../docs/levain-toml.md"), "utf8");

function configFile(text: string): string {
  const file = join(scratchDirectory(), "levain.toml");
  writeFileSync(file, text);
  return file;
}

const TEXT = `kernel = "none"
add = ["a \\"b\\":/c", "d"]
parameters = ["rd.timeout=60"]
[uki]
cmdline = "quiet \\"a,b\\""
sign = "a.key:a.crt"
[machine."52:54:00:12:34:56"]
parameters = ["root=LABEL=a"]
`;

describe("levain config", () => {
  test("check finds no mistake, or every one with its line", async () => {
    const file = configFile(TEXT);
    expect(await desk("config", "check", file)).toEqual({ status: 0, stdout: `${file}: no mistakes\n`, stderr: "" });
    const wrong = await desk(
      "config",
      "check",
      configFile('kernl = "none"\nparameters = ["rd.timeout=x"]\n[uki]\ncmdlin = "a"\n'),
    );
    expect(wrong.status).toBe(1);
    const json = async (text: string) => {
      const { status, stdout } = await desk("config", "check", "--json", configFile(text));
      return [status, JSON.parse(stdout)];
    };
    expect(await json(TEXT)).toEqual([0, { file: expect.any(String), mistakes: [] }]);
    const [status, { mistakes }] = await json('kernl = "none"\n');
    expect([status, mistakes]).toEqual([1, [expect.stringMatching(/^line 1: unknown key kernl/)]]);
    expect((await desk("config", "check", "--json", "/no/such")).stderr).toContain("no such file");
    expect(wrong.stderr).toContain("line 1: unknown key kernl: did you mean kernel");
    expect(wrong.stderr).toContain("line 2: parameters[1]: rd.timeout=");
    expect(wrong.stderr).toContain("line 3: unknown key uki.cmdlin: did you mean cmdline?");
    expect((await desk("config", "check", "/no/such/levain.toml")).stderr).toContain("no such file");
  });

  test("show gives a file that means the same, and the defaults", async () => {
    const { stdout } = await desk("config", "show", configFile(TEXT));
    expect(stdout).toContain("# compress: zstd\n");
    expect(stdout).toContain("# modules: none\n");
    expect(parseConfig(stdout, "shown")).toEqual(parseConfig(TEXT, "given"));
    expect(JSON.parse((await desk("config", "show", "--json", configFile(TEXT))).stdout)).toMatchObject({
      kernel: "none",
    });
  });

  test("schema has every key with its explanation, as docs/levain-toml.schema.json", async () => {
    const schema = JSON.parse((await desk("config", "schema")).stdout);
    expect(schema).toEqual(JSON.parse(JSON.stringify(makeConfigSchema())));
    expect(Object.keys(schema.properties)).toEqual([...CONFIG_KEYS]);
    expect(schema.properties.modules).toMatchObject({ type: "array", items: { type: "string" } });
    const texts = Object.values(schema.properties).map((each) => (each as { description: string }).description);
    expect(texts.filter((text) => !/^\S.* \(default: .+\)$/.test(text))).toEqual([]);
    expect(schema.additionalProperties).toBe(false);
  });

  test("schema accepts and refuses what check does, for a validator that editors use", async () => {
    const validate = new Ajv({ strict: true }).compile(JSON.parse((await desk("config", "schema")).stdout));
    const examples = [...DOCUMENTED.matchAll(/^```toml.*\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
    expect(examples.length).toBeGreaterThan(0);
    const right = [TEXT, "", 'host = "hints.json"', ...examples];
    const wrong = ['kernl = "none"', "kernel = 6", 'kernel = ""', 'modules = "ext4"', "[uki]\nsing = 1", "host = 1"];
    for (const [texts, verdict] of [
      [right, true],
      [wrong, false],
    ] as const) {
      for (const text of texts) {
        expect([text, validate(Bun.TOML.parse(text)), validate.errors ?? []]).toEqual([
          text,
          verdict,
          verdict ? [] : expect.anything(),
        ]);
        expect([text, (await desk("config", "check", configFile(text))).status]).toEqual([text, verdict ? 0 : 1]);
      }
    }
  });

  test("another word is refused", async () => {
    const { status, stderr } = await desk("config", "chek");
    expect([status, stderr.split("\n")[0]]).toEqual([2, "Unknown action 'chek': did you mean check?"]);
  });
});
