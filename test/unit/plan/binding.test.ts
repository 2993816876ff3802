import { expect, test } from "bun:test";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { warnOfUnboundRoot } from "../../../src/plan/warnings.ts";

const UUID = "7a0b1c2d-0000-4000-8000-000000000001";

function warningsFor(cmdline: string): readonly string[] {
  const hasFile = (path: string) => path === "/etc/root.key";
  const { plan } = makePlan({ cmdline, manifest: null, machine: "x86_64", hasFile, crypttab: null });
  return warnOfUnboundRoot(plan);
}

test.each([
  `rd.luks.uuid=${UUID} rd.luks.key=/etc/root.key root=LABEL=ROOT`,
  `rd.luks.uuid=${UUID} rd.luks.key=/root.key:LABEL=KEYS root=UUID=${UUID}`,
  "rd.auto rd.luks.key=/etc/root.key",
  "rd.auto rd.luks.key=/etc/root.key root=PARTUUID=0a1b2c3d-01",
])("%s: any disk can have the name of the root", (cmdline) => {
  expect(warningsFor(cmdline)).toHaveLength(1);
  expect(warningsFor(cmdline)[0]).toContain("rd.luks.name=UUID=NAME root=/dev/mapper/NAME");
});

test.each([
  `rd.luks.name=${UUID}=root rd.luks.key=/etc/root.key root=/dev/mapper/root`,
  `rd.luks.uuid=${UUID} root=LABEL=ROOT`,
  "rd.luks=0 rd.luks.key=/etc/root.key root=LABEL=ROOT",
])("%s: the root is bound, or a passphrase is typed", (cmdline) => {
  expect(warningsFor(cmdline)).toEqual([]);
});
