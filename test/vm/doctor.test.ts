import { expect, test } from "bun:test";
import { rootImage } from "../support/filesystem-images.ts";
import { debianKernel } from "../support/kernels.ts";
import { levainImage } from "../support/levain-image.ts";
import { startsGuest } from "../support/starts-guest.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

const CMDLINE = "root=LABEL=RUN rd.quiet=no cryptomgr.notests mitigations=off nowatchdog";

test.concurrent(
  "levain run boots an image with a disk; the guest's poweroff is status 0, and the disk is not changed",
  async () => {
    const [image, disk, { vmlinux }] = await Promise.all([
      levainImage(),
      rootImage("ext4", { label: "RUN" }),
      debianKernel("cloud"),
    ]);
    const before = Bun.hash(await Bun.file(disk).bytes());
    const argv = ["run", image, "--disk", disk, "--kernel", vmlinux, "--cmdline", CMDLINE];
    const { status, stdout, stderr } = await startsGuest("levain run", argv, "small-root: ready", "poweroff -f\n");
    expect(stdout).toContain("handover");
    expect(stderr).toContain("Ctrl-A X ends it");
    expect({ status, panic: stderr.includes("panicked") }).toEqual({ status: 0, panic: false });
    expect(Bun.hash(await Bun.file(disk).bytes())).toBe(before);
  },
  QUEUE_TIMEOUT_MS,
);

test.concurrent(
  "levain doctor --boot reports how far an image comes with a disk",
  async () => {
    const [image, disk, { vmlinux }] = await Promise.all([
      levainImage(),
      rootImage("ext4", { label: "RUN" }),
      debianKernel("cloud"),
    ]);
    const argv = ["doctor", image, "--boot", "--json", "--disk", disk, "--kernel", vmlinux, "--cmdline", CMDLINE];
    const { status, stdout, stderr } = await startsGuest("levain doctor --boot", argv);
    expect(stderr).toBe("");
    const { verdict, trial, findings } = JSON.parse(stdout);
    expect({ verdict, findings, status }).toEqual({ verdict: "boots", findings: [], status: 0 });
    expect(trial).toMatchObject({ bus: "virtio", isHandedOver: true, isAsking: false, panic: null });
    expect(trial.lines.join("\n")).toMatch(/ {2}root +\/dev\/vda ext4 "RUN"/);
  },
  QUEUE_TIMEOUT_MS,
);
