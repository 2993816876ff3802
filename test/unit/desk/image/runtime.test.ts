import { describe, expect, test } from "bun:test";
import { chooseRuntime, parseRuntime } from "../../../../src/desk/image/runtime.ts";

const BOTH = ["paged", "plain"] as const;
const says = (answer: boolean | null) => (option: string) => (option === "USERFAULTFD" ? answer : null);

describe("the runtime of /init", () => {
  test.each([
    ["the kernel can page", says(true), "paged"],
    ["nothing is known of the kernel", says(null), "paged"],
    ["the image is for any kernel", null, "paged"],
  ] as const)("is paged: %s", (_why, config, kind) => {
    expect(chooseRuntime(null, BOTH, config)).toEqual({ kind, reason: null, warning: null });
    // A program with one kind has no choice.
    expect(chooseRuntime(null, ["plain"], config).kind).toBe("plain");
  });

  test("is plain for a kernel without userfaultfd, and says why", () => {
    expect(chooseRuntime(null, BOTH, says(false))).toEqual({
      kind: "plain",
      reason: "the kernel is configured without CONFIG_USERFAULTFD",
      warning: null,
    });
    expect(chooseRuntime(null, ["plain"], says(false)).reason).toBeNull();
  });

  test("is the one that was asked for, with a warning if each boot has to unpack it", () => {
    expect(chooseRuntime("plain", BOTH, says(true))).toEqual({ kind: "plain", reason: null, warning: null });
    expect(chooseRuntime("paged", BOTH, says(true)).warning).toBeNull();
    const { kind, warning } = chooseRuntime("paged", BOTH, says(false));
    expect(kind).toBe("paged");
    expect(warning).toContain("configured without CONFIG_USERFAULTFD: each boot unpacks the whole runtime first");
    // The /init of an image has no plain program.
    expect(chooseRuntime(null, ["paged"], says(false))).toMatchObject({ kind: "paged", reason: null });
  });

  test("has two kinds", () => {
    expect(parseRuntime("paged")).toBe("paged");
    expect(() => parseRuntime("lazy")).toThrow('expected paged or plain as runtime but received "lazy"');
  });
});
