import { describe, expect, test } from "bun:test";
import { retryBoot } from "../../src/rescue/commands/retry.ts";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";

const withRoot = (cmdline: string, more: FakeBootOptions = {}): FakeBootOptions => ({
  cmdline,
  disks: [{ name: "vda", image: rootImage() }],
  ...more,
});

/** The console without its line breaks. */
const unwrapped = (options: FakeBootOptions) => fakeBoot(options).console.replaceAll(/\n +/g, " ");

test.each([
  ["root=/dev/mapper/ubuntu--vg-ubuntu--lv", "LVM"],
  ["root=/dev/md0 quiet", "Linux RAID (md)"],
])("a root that levain does not set up yet is named at boot: %s", (cmdline, layer) => {
  const [spec] = cmdline.slice("root=".length).split(" ");
  expect(unwrapped(withRoot(`${cmdline} rd.timeout=1`))).toContain(
    `warning   ${spec} is a name of ${layer}: ${layer} is not supported yet`,
  );
});

test("ostree= is refused by name", () => {
  expect(unwrapped(withRoot("root=LABEL=ROOT ostree=/ostree/boot.1/x"))).toContain(
    "ostree=: OSTree is not supported yet, so another root would be booted",
  );
});

describe("a misspelled parameter is warned about", () => {
  test("on the command line, even with quiet", () => {
    const console = unwrapped(withRoot("root=LABEL=ROOT quiet rd.overlaay=1 rd.lvm=0 nvme.io_timeout=5"));
    expect(console).toContain(
      "rd.overlaay on the kernel command line is not a parameter of levain, ignoring it: did you mean rd.overlay?",
    );
    expect(console).not.toContain("nvme");
    expect(console).not.toContain("rd.lvm");
  });

  test("in the image", () => {
    const manifest = JSON.stringify({ version: 1, kernel: null, parameters: ["rootdeley=60"] });
    expect(unwrapped(withRoot("root=LABEL=ROOT", { files: { "/etc/levain.json": manifest } }))).toContain(
      "rootdeley in levain.toml is not a parameter of levain, ignoring it: did you mean rootdelay=?",
    );
  });

  test("in levain retry, which refuses it", () => {
    const refusals: string[] = [];
    fakeBoot(
      withRoot("root=LABEL=NONE rd.timeout=1", {
        person: [
          (machine) => {
            try {
              retryBoot(machine, ["rootfsflags=noatime"]);
            } catch (error) {
              refusals.push(String(error));
            }
          },
        ],
      }),
    );
    expect(refusals.join()).toContain("unknown parameter rootfsflags in levain retry (did you mean rootflags=?)");
  });
});
