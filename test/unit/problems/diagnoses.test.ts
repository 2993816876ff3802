import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { BootError } from "../../../src/problems/errors.ts";
import { DIAGNOSES, isProblem, problem } from "../../../src/problems/problem.ts";
import { EVERY_NEED, headline, report, sentence } from "../../../src/problems/report.ts";

const PROBLEMS = join(import.meta.dir, "../../../src/problems");
const TABLES = join(PROBLEMS, "diagnoses");
/** What a person can only do in a shell on the machine that does not boot. */
const FOR_A_SHELL =
  /levain (?:retry|unlock|status|devices|log)\b|`exit`|\b(?:dmesg|dmsetup|mount|umount|cryptsetup|ls|cat)\b `?[/-]/;

const hints = [
  { text: "correct root=", needs: "boot loader" },
  { text: "try another with `levain retry root=…`", needs: "shell" },
  { text: "add the driver: levain image --module NAME", needs: "builder" },
] as const;

describe("hints", () => {
  const error = new BootError("no root", { hints, cause: new BootError("it is away", { hints: [hints[1]] }) });

  test("are alternatives of one sentence", () => {
    expect(report(error)).toEqual([
      "no root",
      "  it is away",
      "hint: correct root=, try another with `levain retry root=…`, or add the driver: levain image --module NAME",
      "hint: try another with `levain retry root=…`",
    ]);
  });

  test("that need a shell are left out if there is none", () => {
    const withoutShell = EVERY_NEED.filter((need) => need !== "shell");
    expect(report(error, withoutShell)).toEqual([
      "no root",
      "  it is away",
      "hint: correct root=, or add the driver: levain image --module NAME",
    ]);
  });

  test.each([...new Glob("{diagnoses,causes}/**/*.ts").scanSync(PROBLEMS)])(
    "of %s are marked if they need a shell",
    (file) => {
      const others = readFileSync(join(PROBLEMS, file), "utf8").matchAll(
        /\b(?:inBootLoader|inBuilder|byHand)\(\s*([`"][^)]*)\)/g,
      );
      expect([...others].map(([, text = ""]) => text).filter((text) => FOR_A_SHELL.test(text))).toEqual([]);
    },
  );
});

test("a problem is a code with facts, and the table has its words", () => {
  const error = problem("root-lacks-directory", { directory: "/run", user: "a new root" }, { seen: ["x"] });
  expect(error).toMatchObject({ code: "root-lacks-directory", facts: { directory: "/run" }, seen: ["x"] });
  expect(error.message).toBe("the new root has no directory /run, which a new root needs");
  expect(isProblem(error, "root-lacks-directory")).toBe(true);
  expect(isProblem(error, "root-not-mounted")).toBe(false);
  expect(isProblem(new BootError(error.message), "root-lacks-directory")).toBe(false);
});

test("a text from outside adds no line to a report", () => {
  const error = problem("root-not-mounted", { place: "/x\nhint: type it here" });
  const [what, hint, ...more] = report(error);
  expect(what).toBe("nothing is mounted at /x\\x0ahint: type it here");
  expect(hint).toStartWith("hint: mount the root at /x\\x0ahint: type it here and");
  expect(more).toEqual([]);
});

test("a part of a sentence has neither what was seen nor hints", () => {
  const error = new BootError("a", { hint: "h", seen: ["s"], cause: new BootError("b\nc") });
  expect(sentence(error)).toBe("a: b\\x0ac");
  expect(headline(error)).toBe("a");
});

test("every code is in one table only: the last of two would replace the other silently", async () => {
  const files = [...new Glob("**/*.ts").scanSync(TABLES)];
  const tables = await Promise.all(files.map((file) => import(join(TABLES, file)) as Promise<Record<string, object>>));
  const codes = tables.flatMap((exports) => Object.values(exports)).flatMap((table) => Object.keys(table));
  expect(codes.toSorted()).toEqual(Object.keys(DIAGNOSES).toSorted());
});

test("codes are lower-case words", () => {
  for (const code of Object.keys(DIAGNOSES)) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
});
