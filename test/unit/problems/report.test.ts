import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BootError, SyscallError } from "../../../src/problems/errors.ts";
import { describeRefusal, printable, report, wrapLines } from "../../../src/problems/report.ts";

describe("report", () => {
  test("says what, why, what was seen and what to try, in this order", () => {
    const cause = new BootError("no such device", { seen: ["/dev/sda", "/dev/sdb"], hint: "look behind the desk" });
    expect(report(new BootError("no root", { cause, hint: "correct root=" }))).toEqual([
      "no root",
      "  no such device",
      "seen: /dev/sda · /dev/sdb",
      "hint: correct root=",
      "hint: look behind the desk",
    ]);
  });

  test("a long list of what was seen gets a line for each item", () => {
    const seen = Array.from({ length: 8 }, (_, index) => `/dev/sd${index} some filesystem`);
    expect(report(new BootError("x", { seen }))).toEqual(["x", "seen:", ...seen.map((item) => `  ${item}`)]);
  });

  test("the kernel's refusal is in words, for the call where they differ", () => {
    expect(report(new SyscallError("mount", "EINVAL", "/sysroot"))).toEqual([
      "/sysroot: it is not that type of filesystem, its superblock is damaged, or an option is wrong (EINVAL)",
    ]);
    expect(describeRefusal(new SyscallError("open", "EIO", "/x"))).toEndWith("(EIO)");
    expect(describeRefusal(new SyscallError("frob", "EXYZ", "/x"))).toBe("frob failed with EXYZ");
  });

  test("an unexpected error is called a bug, with its place", () => {
    const [first, second] = report(new TypeError("x is not a function"));
    expect(first).toBe("TypeError: x is not a function");
    expect(second).toMatch(/^ {2}this is a bug in levain, at .*report\.test\.ts/);
    expect(report("a string")).toEqual(["a string"]);
    expect(report(null)).toEqual(["an unknown error occurred"]);
  });

  test("an endless chain of causes is cut", () => {
    const error = new BootError("round");
    error.cause = error;
    expect(report(error)).toHaveLength(8);
  });

  test("no line of it can move the cursor or change the writing direction", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const line of report(new BootError(`x${text}`, { seen: [text], hint: text })))
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe("printable", () => {
  test("shows invisible characters, and leaves the rest", () => {
    expect(printable("Müller-\x1b[31m\u202e\u{e0041}\x7f\n")).toBe("Müller-\\x1b[31m\\u{202e}\\u{e0041}\\x7f\\x0a");
  });

  test("twice is the same as once", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => printable(printable(text)) === printable(text)));
  });
});

describe("wrapLines", () => {
  test("cuts between words and indents continuation lines", () => {
    const words = (count: number) => Array.from({ length: count }, () => "word").join(" ");
    expect(wrapLines([`hint: ${words(16)}`, `  ${words(16)}`, words(16), "short"])).toEqual([
      `hint: ${words(14)}`,
      `      ${words(2)}`,
      `  ${words(15)}`,
      "    word",
      words(15),
      "word",
      "short",
    ]);
  });

  test("keeps commands together that a person may type", () => {
    const hint = (end: string) => `hint: the module is missing from this image, as many are: ${end}`;
    for (const command of ["levain image --module squashfs --add x", "`levain retry root=LABEL=ROOT`"])
      expect(wrapLines([hint(command)])).toEqual([hint("").trimEnd(), `      ${command}`]);
  });

  test("keeps a number and its unit together", () => {
    const line = `  ...       waiting for ${"x".repeat(46)}, 1 of 4 s · seen: nothing`;
    expect(wrapLines([line])).toEqual([line.slice(0, line.indexOf(" 1 of")), "    1 of 4 s · seen: nothing"]);
  });

  test("loses no word, keeps the width if possible, and ends", () => {
    const text = fc.array(fc.stringMatching(/^[a-z/"·]{1,100}$/), { maxLength: 40 });
    fc.assert(
      fc.property(text, fc.constantFrom("", "  ", "hint: ", "  kernel: "), (words, label) => {
        const wrapped = wrapLines([label + words.join(" ")]);
        expect(
          wrapped
            .join(" ")
            .split(/ +/)
            .filter((word) => word !== ""),
        ).toEqual((label + words.join(" ")).split(/ +/).filter((word) => word !== ""));
        for (const line of wrapped)
          expect(
            line.length <= 78 ||
              !line
                .trim()
                .slice(label.trim().length + 1)
                .includes(" "),
          ).toBeTrue();
      }),
    );
  });
});
