import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Handover } from "../../../../src/machine/handover.ts";
import { encodeHandover } from "../../../../src/machine/linux/processes/processes.ts";
import { planRescue } from "../../../../src/plan/rescue-policy.ts";
import { askParsers } from "../../../support/stage0-parsers.ts";

// enum action of stage0.h.
const ACTIONS = ["shell", "reboot", "poweroff", "halt"] as const;

interface Policy {
  readonly action: (typeof ACTIONS)[number];
  readonly seconds: number;
}

async function readPolicies(lines: readonly (Uint8Array | string)[]): Promise<Policy[]> {
  const nothing = Buffer.from([0]);
  const questions = lines.map((line) => ({
    kind: "policy" as const,
    bytes: Buffer.concat([nothing, Buffer.from(line)]),
  }));
  return (await askParsers(questions)).map((answer) => {
    const [action, seconds] = answer.split(" ").map(Number);
    return { action: ACTIONS[action ?? -1] ?? "shell", seconds: seconds ?? -1 };
  });
}

describe("stage0 reads the failure policy", () => {
  test.each([
    ["", "shell", 0],
    ["rdshell=0", "halt", 0],
    ["rd.shell=NO panic=5", "reboot", 5],
    ["panic=5", "reboot", 5],
    ["panic=-1", "reboot", 0],
    ["panic=5 panic=0", "shell", 0],
    ["panic=5s", "shell", 0],
    ["panic=5 rd.emergency=shell", "shell", 0],
    ["panic=5 rd.emergency", "shell", 0],
    ["panic=5 rd.emergency=halt", "halt", 5],
    ["rdshell=0 rd.emergency=shell panic=7", "reboot", 7],
    ["rd.emergency=poweroff", "poweroff", 0],
    ["rd.emergency.after=60", "reboot", 60],
    ["rd.emergency.after=60 rd.emergency=halt panic=5", "halt", 60],
    ["rd.emergency.after=60 rd.emergency=shell", "shell", 0],
    ["rd.emergency.after=60 rd.emergency=shell rdshell=0", "halt", 60],
    ["rd.emergency.after=0 panic=5", "reboot", 0],
    ["rd.emergency.after=-1", "shell", 0],
    ['"rdshell=0"', "halt", 0],
    ['rdshell="0"', "halt", 0],
    ['x="rdshell=0"', "shell", 0],
    ['x="a rdshell=0 b" y', "shell", 0],
    ["root=x -- rdshell=0", "shell", 0],
    ["rdshell=0 rdshell=perhaps", "halt", 0],
    ["rdshell=0 rdshell", "halt", 0],
    ["rdshell=1 rd.shell=0 single", "halt", 0],
    ["single rescueshell=off rdshell=yes", "halt", 0],
    ["rdshell=1 single", "shell", 0],
    ["rdshell=0\n", "halt", 0],
    ['x="open rdshell=0', "shell", 0],
  ] as const)("%p: %s after %d s", async (line, action, seconds) => {
    expect(await readPolicies([line])).toEqual([{ action, seconds }]);
  });

  test("of the image first, then of the boot loader", async () => {
    const ask = async (text: string) => (await askParsers([{ kind: "policy", bytes: Buffer.from(text) }]))[0];
    expect(await ask("rdshell=0\n\0panic=0")).toBe("3 0");
    expect(await ask("rdshell=0\n\0rdshell=1")).toBe("3 0");
    expect(await ask("rdshell=0\n\0single rd.emergency=shell")).toBe("3 0");
    expect(await ask("rdshell=1\n\0rdshell=0")).toBe("3 0");
    expect(await ask("quiet -- x\n\0panic=3")).toBe("1 3");
  });

  test("exactly as the program does", async () => {
    const name = fc.constantFrom(
      "rdshell",
      "rd.shell",
      "rd_shell",
      "rescueshell",
      "single",
      "panic",
      "rd.emergency",
      "rd.emergency.after",
      "x",
      "--",
    );
    const value = fc.constantFrom(
      "0",
      "1",
      "no",
      "Off",
      "y",
      "5",
      "-3",
      "+8",
      "99999999999",
      "2147484",
      "reboot",
      "halt",
    );
    const other = fc.constantFrom("shell", "poweroff", "Halt", "", '"', '"0"', '"5', "é", "a=b");
    const word = fc.oneof(
      name,
      fc.tuple(name, fc.oneof(value, other)).map(([left, right]) => `${left}=${right}`),
      fc.tuple(name, value).map(([left, right]) => `"${left}=${right}"`),
      fc.string({ maxLength: 6 }).map((text) => text.replaceAll("\0", "")),
    );
    const line = fc.array(fc.tuple(word, fc.constantFrom(" ", "  ", "\t", "\n", "\u00a0")), { maxLength: 7 });
    const lines = fc.array(
      line.map((words) => words.flat().join("")),
      { minLength: 1, maxLength: 150 },
    );
    await fc.assert(
      fc.asyncProperty(lines, async (texts) => {
        const expected = texts.map((text) => {
          const { onFailure, afterSeconds, panicSeconds } = planRescue(text).rescue;
          return { text, action: onFailure, seconds: onFailure === "shell" ? 0 : (afterSeconds ?? panicSeconds ?? 0) };
        });
        const seen = (await readPolicies(texts)).map((policy, index) => ({ text: texts[index] ?? "", ...policy }));
        expect(seen).toEqual(expected);
      }),
      { numRuns: 12 },
    );
  });
});

/** What stage0-parsers.c prints of a message that it takes. */
function printed({ mode, root, putOld, init, isSystemd, argv, environment }: Handover): string {
  const hex = (texts: readonly string[]) => texts.map((text) => `${Buffer.from(text).toString("hex")},`).join("");
  const more = isSystemd ? ["--switched-root", "--system", "--deserialize", "3"] : [];
  return `${hex([mode, root, putOld ?? "", init, isSystemd ? "1" : "", ...argv, ...more])};${hex(environment)}`;
}

const text = fc.string({ maxLength: 12, unit: "binary" }).map((value) => value.replaceAll("\0", ""));
const path = text.map((value) => `/${value}`);
const handover: fc.Arbitrary<Handover> = fc.record({
  mode: fc.constantFrom("switch_root", "pivot_root", "stay"),
  root: path,
  putOld: fc.option(path),
  init: path,
  isSystemd: fc.boolean(),
  argv: fc.array(text, { minLength: 1, maxLength: 5 }),
  environment: fc.array(text, { maxLength: 5 }),
});

describe("stage0 reads the handover", () => {
  const ask = (messages: readonly Uint8Array[]) => askParsers(messages.map((bytes) => ({ kind: "handover", bytes })));
  const words = (...strings: string[]) => Buffer.from(strings.map((string) => `${string}\0`).join(""));

  test("accepts every message that the program can write, with the same meaning", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(handover, { minLength: 1, maxLength: 100 }), async (handovers) => {
        expect(await ask(handovers.map(encodeHandover))).toEqual(handovers.map(printed));
      }),
      { numRuns: 10 },
    );
  });

  test("never misreads a changed message, nor reads past its end", async () => {
    const change = fc.record({
      handover,
      length: fc.nat(200),
      changes: fc.array(fc.tuple(fc.nat(120), fc.constantFrom(0, 0x30, 0x31, 0x39, 0x2f, 0xff)), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 200 }), async (cases) => {
        const messages = cases.map(({ handover: valid, length, changes }) => {
          const bytes = encodeHandover(valid).slice(0, length);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          return bytes;
        });
        for (const [index, answer] of (await ask(messages)).entries()) {
          if (!answer.startsWith("refused: ")) expect(rewrite(answer)).toEqual(Buffer.from(messages[index] ?? []));
        }
      }),
      { numRuns: 10 },
    );
  });

  test.each([
    ["nothing", words(), "none was sent"],
    ["no end of the last string", Buffer.from("levain1\0stay"), "it is truncated"],
    ["another version", words("levain2", "stay", "/", "", "/init", "", "1", "x", "0", "end"), "not of this version"],
    ["no end", words("levain1", "stay", "/", "", "/init", "", "1", "x", "0", "eng"), "it has no end"],
    ["too little", words("levain1", "stay", "/", "", "/init", "", "1", "end"), "not of this version"],
    ["argc beyond it", words("levain1", "stay", "/", "", "/init", "", "9", "x", "0", "end"), "argc is too large"],
    ["a negative argc", words("levain1", "stay", "/", "", "/init", "", "-1", "x", "0", "end"), "argc is not a number"],
    [
      "an envc that leaves some over",
      words("levain1", "stay", "/", "", "/i", "", "1", "x", "1", "a", "b", "end"),
      "envc does not match",
    ],
    ["no argv", words("levain1", "stay", "/", "", "/init", "", "0", "0", "end"), "it has no argv"],
    ["a mode of its own", words("levain1", "kexec", "/", "", "/init", "", "1", "x", "0", "end"), "its mode is unknown"],
    [
      "a relative root",
      words("levain1", "switch_root", "sysroot", "", "/init", "", "1", "x", "0", "end"),
      "its root is not an absolute path",
    ],
    [
      "a relative init",
      words("levain1", "stay", "/", "", "init", "", "1", "x", "0", "end"),
      "its init is not an absolute path",
    ],
    [
      "a relative place",
      words("levain1", "pivot_root", "/", "old", "/i", "", "1", "x", "0", "end"),
      "its place for the old root",
    ],
    ["far too many strings", Buffer.alloc(60_000), "it is truncated"],
  ])("refuses %s", async (_, message, reason) => {
    expect((await ask([message]))[0]).toContain("refused: ");
    expect((await ask([message]))[0]).toContain(reason);
  });

  test("needs no paths for a power action", async () => {
    expect(await ask([words("levain1", "reboot", "", "", "", "", "0", "0", "end")])).toEqual([
      `${Buffer.from("reboot").toString("hex")},,,,,;`,
    ]);
  });
});

/** The message that stage0 says it has read. */
function rewrite(answer: string): Buffer {
  const [fields = "", variables = ""] = answer.split(";").map((part) => part.slice(0, -1));
  const unhex = (list: string) => list.split(",").map((hex) => Buffer.from(hex, "hex").toString("latin1"));
  const [mode = "", root = "", putOld = "", init = "", isSystemd = "", ...argv] = unhex(fields);
  // Power switches come without arguments, and nothing printed for none looks like one that is empty.
  const environment = answer.endsWith(";") ? [] : unhex(variables);
  const strings = [
    "levain1",
    mode,
    root,
    putOld,
    init,
    isSystemd === "" ? "" : "systemd",
    String(argv.length),
    ...argv,
    String(environment.length),
    ...environment,
    "end",
  ];
  return Buffer.from(strings.map((string) => `${string}\0`).join(""), "latin1");
}
