import { expect, test } from "bun:test";
import { refuseContradictions } from "../../../../src/desk/image/contradictions.ts";
import type { ImageOptions } from "../../../../src/desk/image/options.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";
import { report } from "../../../../src/problems/report.ts";
import { NO_OPTIONS } from "./no-options.ts";

function check(changes: Partial<ImageOptions>, files: readonly string[] = []): void {
  const options = { ...NO_OPTIONS, ...changes };
  const manifest = { version: 1 as const, kernel: null, parameters: options.parameters };
  const { plan } = makePlan({ cmdline: "", manifest, crypttab: null, hasFile: () => false });
  refuseContradictions({ options, plan, hasFile: (path) => files.includes(path) });
}

test.each<[Partial<ImageOptions>, string]>([
  [{ kernel: "none", modules: ["aoe", "nbd"] }, "--kernel none contradicts --module aoe, --module nbd: an image"],
  [{ kernel: "none", network: true }, "--kernel none contradicts --network: "],
  [{ kernel: "none", modulesDir: "/m" }, "--kernel none contradicts --modules-dir: "],
  [{ kernel: "none", modprobeDirs: ["/d"] }, "--kernel none contradicts --modprobe-dir /d: "],
  [{ kernel: "none", parameters: ["rd.modules=aoe"] }, "--kernel none contradicts rd.modules=aoe: "],
  [{ busybox: "none", parameters: ["rd.break=mount"] }, "--busybox none contradicts rd.break=mount: the image has no"],
  [{ busybox: "none", shellPassword: "$argon2id$…" }, "--busybox none contradicts --shell-password: the image has no"],
])("%j", (changes, message) => {
  let said = "";
  try {
    check(changes);
  } catch (error) {
    said = report(error).join("\n");
  }
  expect(said).toStartWith(message);
  expect(said).toContain("hint: leave one of them out");
});

test("rdshell=ask needs a password", () => {
  expect(() => check({ parameters: ["rdshell=ask"] })).toThrow(
    "rdshell=ask in the image's parameters needs a password",
  );
  check({ parameters: ["rdshell=ask"], shellPassword: "$argon2id$…" });
  check({ parameters: ["rdshell=ask", "rdshell=0"] });
});

test.each<[Partial<ImageOptions>, readonly string[]]>([
  [{ kernel: "none", modprobeDirs: [] }, []],
  [{ kernel: "6.1", modules: ["aoe"], modprobeDirs: ["/d"], parameters: ["rd.modules=aoe"] }, []],
  [{ busybox: "none" }, []],
  [{ busybox: "none", parameters: ["rd.break=mount"] }, ["/bin/sh"]],
])("%j is no contradiction", (changes, files) => {
  expect(() => check(changes, files)).not.toThrow();
});
