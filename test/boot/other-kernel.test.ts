import { describe, expect, test } from "bun:test";
import { describeStatus } from "../../src/rescue/commands/status.ts";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";

// The initramfs of fake-boot.ts has modules for 6.1.0-fake.
const OTHER: FakeBootOptions = {
  release: { release: "6.2.0", machine: "x86_64" },
  sys: { "/bus/pci/devices/0000:00:04.0/modalias": "pci:v00008086d00002922sv0sd0bc01sc06i01\n" },
};

const GAP = "this image contains no modules for 6.2.0; it has those of 6.1.0-fake";

/** Boots, asks for the status in the first shell, and returns both texts without their line breaks. */
function bootAndAsk(options: FakeBootOptions): { readonly said: string; readonly status: string } {
  const texts: string[] = [];
  const boot = fakeBoot({
    ...OTHER,
    ...options,
    person: [(machine) => void texts.push((describeStatus(machine) ?? []).join("\n"))],
  });
  const [said = "", status = ""] = [boot.console, ...texts].map((text) => text.replaceAll(/\s+/g, " "));
  return { said, status };
}

describe("an image with another kernel's modules", () => {
  test("is the cause in the report and in levain status, not single drivers", () => {
    const { said, status } = bootAndAsk({ cmdline: "root=LABEL=ROOT rd.timeout=1" });
    expect(said).toContain(`the disk is missing, or its driver is: ${GAP} `);
    expect(said).toContain("build an image for this kernel: levain image --kernel 6.2.0");
    expect(said).not.toContain("--module NAME");
    expect(status).toContain(`${GAP} (build one with levain image --kernel 6.2.0)`);
    expect(status).toContain("pci 0000:00:04.0 SATA controller");
  });

  test("is named beside a disk that a built-in driver found, in status also before a step", () => {
    const disks = [{ name: "vda", image: rootImage() }];
    const { said } = bootAndAsk({ cmdline: "root=LABEL=OTHER rd.timeout=1", disks });
    expect(said).toContain(`no device with label "OTHER" appeared within 1 s ${GAP} `);
    expect(bootAndAsk({ cmdline: "root=LABEL=ROOT rd.break=mount", disks }).status).toContain(GAP);
  });
});

test("an image with the kernel's modules is not named", () => {
  const { said, status } = bootAndAsk({
    release: { release: "6.1.0-fake", machine: "x86_64" },
    cmdline: "root=LABEL=ROOT rd.timeout=1",
  });
  expect(said).toContain("the disk is missing, or its driver is seen:");
  expect(said).toContain("--module NAME");
  expect(`${said}${status}`).not.toContain("contains no modules");
});
