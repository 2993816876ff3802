import { describe, expect, test } from "bun:test";
import { ELF, type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import { hibernatedSwap } from "../support/fake-hibernation.ts";
import type { FakeWatchdog } from "../support/fake-watchdog.ts";

const WORDS = "root=LABEL=ROOT rd.watchdog=15";
const root = (arrivesAtMs: number) => ({ name: "sda", image: rootImage(), arrivesAtMs });

/** A machine with a watchdog; `end` is "reset" if it has reset the machine. */
function boot(cmdline: string, more: FakeBootOptions = {}, watchdog: FakeWatchdog = {}) {
  const result = fakeBoot({
    cmdline,
    ...more,
    watchdog,
    sys: { "/class/watchdog/watchdog0": { directory: true }, ...more.sys },
    dev: { "/watchdog0": { node: "character", number: "248:0" } },
  });
  return { ...result, closed: watchdog.closed ?? null };
}

const NOWAYOUT = { "/class/watchdog/watchdog0/nowayout": "1\n" };
const HANDED_OVER = { mode: "switch_root" };

describe("the watchdog", () => {
  test("does not reset a boot that is slow but good, and is left armed", () => {
    const { end, endMs, closed } = boot(`${WORDS} rd.timeout=400`, { disks: [root(390_000)] });
    expect(end).toMatchObject(HANDED_OVER);
    expect(endMs).toBeGreaterThan(380_000);
    expect(closed).toBe("armed");
  });

  test("resets a boot that waits without limit and sees nothing happen", () => {
    const { end, machine } = boot(`${WORDS} rootwait`, { disks: [root(3_600_000)] });
    expect(end).toBe("reset");
    expect(machine.console.join("")).not.toContain("small-root");
  });

  test("does not interrupt a checker, or the mount of a device, however long they take", () => {
    const disks = [{ ...root(0), replaysForMs: 1_500_000 }];
    const checked = boot(WORDS, {
      disks,
      files: { "/sbin/fsck.ext4": { data: ELF, mode: 0o755 } },
      programs: { "/sbin/fsck.ext4": () => ({ tookMs: 20_000_000 }) },
    });
    expect(checked.end).toMatchObject(HANDED_OVER);
    expect(checked.endMs).toBeGreaterThan(21_500_000);
    // A mount that never ends is a hang.
    expect(boot(WORDS, { disks: [{ ...root(0), replaysForMs: 8_000_000 }] }).end).toBe("reset");
  });

  test("is stopped while a hibernated system is resumed, and armed again if that fails", () => {
    const uuid = "c0ffee00-0000-4000-8000-000000000001";
    const disks = [root(0), { name: "sdb", image: hibernatedSwap(uuid) }];
    const words = `${WORDS} resume=UUID=${uuid} rd.resume.policy=discard`;
    const resumed = boot(words, { disks, hibernation: { tookMs: 300_000 } });
    expect([resumed.end, resumed.closed]).toEqual(["resume", "stopped"]);
    const refused = boot(words, { disks, hibernation: { tookMs: 300_000, refusal: ["PM: Image mismatch: version"] } });
    expect(refused.end).toMatchObject(HANDED_OVER);
    expect(refused.closed).toBe("armed");
  });

  test("is stopped before the shell of an initramfs that is the final system", () => {
    const applets = { "/sbin/init": { link: "../bin/busybox" }, "/bin/sh": { link: "busybox" } } as const;
    const { end, closed } = boot("rd.watchdog=15", { files: applets });
    expect(end).toMatchObject({ mode: "stay" });
    expect(closed).toBe("stopped");
  });

  test("that can never be stopped is left alone where the initramfs is the final system", () => {
    const applets = { "/sbin/init": { link: "../bin/busybox" }, "/bin/sh": { link: "busybox" } } as const;
    const { end, closed, console } = boot("rd.watchdog=15", { files: applets, sys: NOWAYOUT });
    expect(end).toMatchObject({ mode: "stay" });
    expect(closed).toBeNull();
    expect(console.replaceAll(/\s+/g, " ")).toContain(
      "rd.watchdog=: /dev/watchdog0 can never be stopped (nowayout), and nothing feeds it",
    );
    const resumes = boot(`${WORDS} resume=LABEL=SWAP rd.resume.timeout=1`, { disks: [root(0)], sys: NOWAYOUT });
    expect([resumes.end, resumes.closed]).toEqual([expect.objectContaining(HANDED_OVER), "armed"]);
    expect(resumes.console.replaceAll(/\s+/g, " ")).toContain("it resets a resume that takes longer than 15 s");
    const booted = boot(WORDS, { disks: [root(0)], sys: NOWAYOUT });
    expect(booted.closed).toBe("armed");
    expect(booted.console).not.toContain("nowayout");
  });

  test("resets a boot that makes no call any more", () => {
    const before: FakeBootOptions["before"] = (machine) => {
      const { stat, sleepMs } = machine;
      machine.stat = (path) => {
        if (path.startsWith("/sysroot/sbin")) sleepMs(20_000); // a call that the kernel does not return from
        return stat(path);
      };
    };
    expect(boot(WORDS, { disks: [root(0)], before }).end).toBe("reset");
  });

  test("is fed while a shell is open and while a countdown runs, and stopped before a halt", () => {
    const person: FakeBootOptions["person"] = [(machine) => machine.sleepMs(0)];
    expect(boot("root=LABEL=X rd.timeout=1 rd.watchdog=15", { person }).end).toBe("poweroff");
    const counted = boot("root=LABEL=X rd.timeout=1 rd.watchdog=15 rd.emergency=halt rd.emergency.after=900");
    expect([counted.end, counted.closed]).toEqual(["halt", "stopped"]);
    const rebooted = boot("root=LABEL=X rd.timeout=1 rd.watchdog=15 rd.emergency=reboot panic=300");
    expect([rebooted.end, rebooted.closed]).toEqual(["reboot", "armed"]);
  });

  test.each<[why: string, more: FakeWatchdog, says: string]>([
    ["knows one time only", { seconds: 30 }, "waits 30 s instead of 15 s"],
    ["stops when it is closed", { staysArmed: false }, "stops at the handover"],
  ])("that %s is warned of", (_, more, says) => {
    const { end, console } = boot(WORDS, { disks: [root(0)] }, more);
    expect(end).toMatchObject(HANDED_OVER);
    expect(console).toContain(says);
  });

  test("that is missing or busy is warned of, and the machine boots", () => {
    const missing = fakeBoot({ cmdline: WORDS, disks: [root(0)] });
    expect(missing.console.replaceAll(/\s+/g, " ")).toContain(
      "this machine has no watchdog, or the image has no driver",
    );
    const before: FakeBootOptions["before"] = (machine) => machine.refuse("openWatchdog", "", "EBUSY");
    const busy = boot(WORDS, { disks: [root(0)], before });
    expect(busy.console).toContain("/dev/watchdog0 cannot be used");
    for (const { end } of [missing, busy]) expect(end).toMatchObject(HANDED_OVER);
  });

  test("is loaded from the image: its controller, and then itself", () => {
    const modules = "/lib/modules/6.1.0-fake";
    const [chip, timer] = ["kernel/drivers/mfd/lpc_ich.ko", "kernel/drivers/watchdog/iTCO_wdt.ko"];
    const { journal } = fakeBoot({
      cmdline: WORDS,
      disks: [root(0)],
      watchdog: {},
      sys: { "/bus/pci/devices/0000:00:1f.0/modalias": "pci:v8086d2918\n" },
      files: {
        [`${modules}/modules.dep`]: `${chip}:\n${timer}:\n`,
        [`${modules}/modules.alias`]: "alias pci:v8086d2918 lpc_ich\nalias platform:iTCO_wdt iTCO_wdt\n",
        [`${modules}/${chip}`]: "module",
        [`${modules}/${timer}`]: "module",
      },
      modules: {
        lpc_ich: { sys: { "/bus/platform/devices/iTCO_wdt/modalias": "platform:iTCO_wdt\n" } },
        iTCO_wdt: {
          sys: { "/class/watchdog/watchdog0": { directory: true } },
          nodes: { "/watchdog0": { node: "character", number: "248:0" } },
        },
      },
    });
    expect(journal.filter((line) => line.startsWith("load "))).toEqual([
      `load ${modules}/${chip}`,
      `load ${modules}/${timer}`,
    ]);
  });
});
