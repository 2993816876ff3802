import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import type { FakeWatchdog } from "../support/fake-watchdog.ts";

const WORDS = "root=LABEL=ROOT rd.watchdog=15";
const root = (arrivesAtMs: number) => ({ name: "sda", image: rootImage(), arrivesAtMs });

/** A machine with a watchdog; `end` is "reset" if it has reset the machine. */
function boot(cmdline: string, more: FakeBootOptions = {}, watchdog: FakeWatchdog = {}) {
  const result = fakeBoot({
    cmdline,
    ...more,
    watchdog,
    sys: { "/class/watchdog/watchdog0": { directory: true } },
    dev: { "/watchdog0": { node: "character", number: "248:0" } },
  });
  return { ...result, closed: watchdog.closed ?? null };
}

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
