import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { DeviceSpec } from "../../../src/parameters/device-spec.ts";
import { PARAMETER_ROWS } from "../../../src/parameters/parameters.ts";
import type { StepName } from "../../../src/parameters/values.ts";
import { NO_CRYPT } from "../../../src/plan/crypt/crypt.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import type { Manifest } from "../../../src/plan/manifest.ts";
import type { BootPlan, ImagePlan } from "../../../src/plan/plan.ts";
import { rootDevices } from "../../../src/plan/root.ts";
import { BootError } from "../../../src/problems/errors.ts";

const INHERITED = { argv: [], environment: ["HOME=/", "TERM=linux"] };
const manifest = (...parameters: string[]): Manifest => ({ version: 1, kernel: null, parameters });
const make = (cmdline: string, ...parameters: string[]) =>
  makePlan({ cmdline, manifest: manifest(...parameters), inherited: INHERITED });
const plan = (cmdline: string, ...parameters: string[]) => make(cmdline, ...parameters).plan;
const label = (value: string): DeviceSpec => ({ by: "label", value });

/** The error for a command line. */
function mistakesOf(run: () => unknown): BootError {
  try {
    run();
  } catch (error) {
    if (error instanceof BootError) return error;
    throw error;
  }
  throw new Error("there was no mistake");
}

test("a command line that asks for nothing", () => {
  const expected: BootPlan = {
    root: { kind: "none", isAsked: false },
    slots: null,
    watchdogSeconds: null,
    rootTypes: [],
    rootOptions: "",
    rootCheck: "auto",
    rootRepair: "preen",
    rootWritable: false,
    image: null,
    layers: [],
    overlay: null,
    persistence: null,
    volatile: null,
    submounts: { usr: null, fstab: false, extra: [], tmpfs: [], unions: [] },
    crypt: NO_CRYPT,
    arrays: { isOff: false, uuids: [], names: [] },
    resume: {
      isOff: false,
      device: null,
      offset: 0,
      asksFirmware: true,
      kernel: null,
      timeoutMs: 10_000,
      policy: "ask",
    },
    remote: { aoe: null, nbd: [], nvme: null, iscsi: [] },
    integrity: [],
    multipath: { isOff: false },
    lvm: { isOff: false, groups: [], volumes: [], isPartial: false },
    network: {
      isNeeded: false,
      isOptional: true,
      carriesRoot: false,
      interfaces: [{ name: null, method: "any", addresses: [], gateways: [], mtu: null, mac: null }],
      bootMac: null,
      names: [],
      made: [],
      routes: [],
      nameservers: [],
      ignoresPeerDns: false,
      timeServers: [],
      hostname: null,
      timeoutMs: 60_000,
    },
    verity: { root: null, usr: null, images: null },
    checks: { iso: false, sums: [], digest: null, signedList: null, signature: false },
    config: null,
    keymap: null,
    rootTimeoutMs: 30_000,
    modules: { load: [], parameters: {}, blacklist: [] },
    handover: {
      mode: "stay",
      putOld: null,
      exitProgram: "auto",
      keepCommand: false,
      drivers: "auto",
      init: null,
      arguments: [],
      environment: ["HOME=/", "TERM=linux"],
    },
    rescue: {
      shell: true,
      breaks: [],
      onFailure: "shell",
      panicSeconds: null,
      afterSeconds: null,
      log: null,
      hasHooks: true,
      helpUrl: null,
    },
    talk: { level: "normal", log: "all" },
  };
  expect(makePlan({ cmdline: "", manifest: null })).toEqual({ plan: expected, warnings: [] });
});

describe("the root", () => {
  test.each([
    ["root=/dev/sda1", [{ by: "path", path: "/dev/sda1" }]],
    ['root="LABEL=My Disk"', [label("My Disk")]],
    ["root=0801", [{ by: "number", major: 8, minor: 1 }]],
    ["root=LABEL=A root=LABEL=B", [label("B")]],
    ["root=LABEL=A rootfallback=LABEL=B rootfallback=LABEL=C", [label("A"), label("B"), label("C")]],
    ["rootfallback=LABEL=B", [label("B")]],
    ["root=block:LABEL=A", [label("A")]],
    ["root=/dev/ram0 rootfallback=LABEL=B", []],
    ["root=/dev/ram", []],
    ["root=LABEL=A rd.handover=stay", []],
  ] satisfies readonly (readonly [string, readonly DeviceSpec[]])[])("%s", (cmdline, roots) => {
    expect(rootDevices(plan(cmdline).root)).toEqual(roots);
    expect(plan(cmdline).handover.mode).toBe(roots.length === 0 ? "stay" : "auto");
  });

  test.each([
    ["", 30_000],
    ["rd.timeout=5", 5000],
    ["rd.timeout=1.5", 1500],
    ["rd.timeout=0", null],
    ["rootwait", null],
    ["rootwait=10", 10_000],
    ["rootwait rootdelay=5", null],
    ["rootdelay=5 rootwait", null],
    ["rootdelay=0", 30_000],
    ["rootdelay=5", 30_000],
    ["rootdelay=60", 60_000],
    ["rootdelay=60 rd.timeout=7", 7000],
  ])("waits with %p for %p ms", (words, timeoutMs) => {
    expect(plan(`root=LABEL=A ${words}`).rootTimeoutMs).toBe(timeoutMs);
  });

  test.each([
    ["", false],
    ["rw", true],
    ["rw ro", false],
    ["ro rw", true],
    ["rw rd.overlay", false],
    ["rw rd.image=/x rd.overlay=0", false],
  ])("with %p is writable: %p", (words, writable) => {
    expect(plan(`root=LABEL=A ${words}`).rootWritable).toBe(writable);
  });

  test("has types and options", () => {
    const { rootTypes, rootOptions } = plan("root=LABEL=A rootfstype=ext4,auto,xfs rootflags=subvol=@,noatime");
    expect(rootTypes).toEqual(["ext4", "xfs"]);
    expect(rootOptions).toBe("subvol=@,noatime");
  });
});

describe("image and overlay", () => {
  const tmpfs = (size: string | null) => ({ kind: "tmpfs" as const, size });
  const image = (path: string, copyToRam = false): ImagePlan => ({
    iso: null,
    stacked: [],
    paths: [path],
    directory: null,
    inner: [],
    copyToRam,
    maker: null,
  });
  const live = (directory: string, name: string): ImagePlan => ({
    ...image(""),
    paths: [name, "/rootfs.img", "/ext3fs.img"].map((file) => `${directory}${file}`),
    inner: ["/LiveOS/rootfs.img", "/LiveOS/ext3fs.img"],
    maker: "dracut",
  });
  test.each([
    ["root=LABEL=A", null, null],
    ["root=LABEL=A rd.overlay", null, tmpfs(null)],
    ["root=LABEL=A rd.overlay=yes", null, tmpfs(null)],
    ["root=LABEL=A rd.overlay=tmpfs:size=100M", null, tmpfs("100M")],
    ["root=LABEL=A rd.overlay=tmpfs:size=50% rd.overlay.size=1G", null, tmpfs("50%")],
    ["root=LABEL=A rd.overlay.size=1G", null, null],
    ["root=LABEL=A rd.image=/newroot.sfs", image("/newroot.sfs"), tmpfs(null)],
    ["root=LABEL=A rd.image=images//./a.sfs rd.overlay.size=1G", image("/images/a.sfs"), tmpfs("1G")],
    ["root=LABEL=A rd.image=/newroot.sfs rd.overlay=0", image("/newroot.sfs"), null],
    ["root=LABEL=A rd.image=/newroot.sfs toram", image("/newroot.sfs", true), tmpfs(null)],
    ["root=LABEL=A rd.image=/newroot.sfs toram rd.live.ram=0", image("/newroot.sfs"), tmpfs(null)],
    ["root=LABEL=A rd.image=/newroot.sfs copytoram toram=no", image("/newroot.sfs"), tmpfs(null)],
    ["root=live:LABEL=A", live("/LiveOS", "/squashfs.img"), tmpfs(null)],
    ["root=live:CDLABEL=A", live("/LiveOS", "/squashfs.img"), tmpfs(null)],
    ["root=LABEL=A rd.live.image", live("/LiveOS", "/squashfs.img"), tmpfs(null)],
    ["root=live:LABEL=A rd.live.dir=/x/ rd.live.squashimg=y", live("/x", "/y"), tmpfs(null)],
    ["root=live:LABEL=A rd.image=/z", { ...image("/z"), maker: "dracut" as const }, tmpfs(null)],
    ["root=/dev/ram0 rd.image=/z rd.overlay", null, null],
    ["root=LABEL=A rd.image=/z rd.layer=/y toram rd.image=no", null, null],
  ])("%s", (cmdline, wantedImage, wantedOverlay) => {
    expect(plan(cmdline).image).toEqual(wantedImage);
    expect(plan(cmdline).overlay).toEqual(wantedOverlay);
    expect(rootDevices(plan(cmdline).root)).toEqual(cmdline.includes("ram0") ? [] : [label("A")]);
  });
});

describe("modules", () => {
  test("are joined from all parameters, each once", () => {
    const { load, blacklist } = plan("rd.modules=a,b modules=b,c-d, module_blacklist=x-y,z blacklist=z").modules;
    expect(load).toEqual(["a", "b", "c-d"]);
    expect(blacklist).toEqual(["x_y", "z"]);
  });

  test("have parameters", () => {
    const words =
      'snd-hda.index=1 snd_hda.model="a b" usbcore.nousb dyndbg.x.y=z rd.unknown=1 systemd.unit=x .x=1 x.=1 a/b.c=1';
    expect(plan(words, "loop.max_loop=8").modules.parameters).toEqual({
      loop: "max_loop=8",
      snd_hda: 'index=1 model="a b"',
      usbcore: "nousb",
      dyndbg: "x.y=z",
    });
  });

  test("may have any name", () => {
    expect(Object.entries(plan("__proto__.a=1 constructor.b=2").modules.parameters)).toEqual([
      ["__proto__", "a=1"],
      ["constructor", "b=2"],
    ]);
  });
});

describe("rescue", () => {
  test.each([
    ["", { shell: true, onFailure: "shell", panicSeconds: null }],
    ["rdshell=0", { shell: false, onFailure: "halt", panicSeconds: null }],
    ["rdshell=0 rdshell", { shell: false, onFailure: "halt", panicSeconds: null }],
    ["single rdshell=0", { shell: false, onFailure: "halt", panicSeconds: null }],
    ["rdshell=0 single", { shell: false, onFailure: "halt", panicSeconds: null }],
    ["rdshell=1 single", { shell: true, onFailure: "shell", panicSeconds: null }],
    ["panic=5", { shell: true, onFailure: "reboot", panicSeconds: 5 }],
    ["panic=0", { shell: true, onFailure: "shell", panicSeconds: null }],
    ["panic=-1", { shell: true, onFailure: "reboot", panicSeconds: 0 }],
    ["panic=5 rd.emergency=shell", { shell: true, onFailure: "shell", panicSeconds: 5 }],
    ["rd.emergency=poweroff rdshell=0", { shell: false, onFailure: "poweroff", panicSeconds: null }],
    ["panic=5 rdshell=0", { shell: false, onFailure: "reboot", panicSeconds: 5 }],
    ["panic=5 rd.emergency=shell rdshell=0", { shell: false, onFailure: "reboot", panicSeconds: 5 }],
    ["rd.emergency=shell rdshell=0", { shell: false, onFailure: "halt", panicSeconds: null }],
    ["rd.emergency.after=60", { shell: true, onFailure: "reboot", panicSeconds: null, afterSeconds: 60 }],
    [
      "rd.emergency.after=60 rd.emergency=halt",
      { shell: true, onFailure: "halt", panicSeconds: null, afterSeconds: 60 },
    ],
    ["rd.emergency=menu panic=5", { shell: true, onFailure: "menu", panicSeconds: 5 }],
    ["rd.emergency=menu rdshell=0", { shell: false, onFailure: "menu", panicSeconds: null }],
    [
      "rd.emergency=menu rd.emergency.after=60",
      { shell: true, onFailure: "menu", panicSeconds: null, afterSeconds: 60 },
    ],
    ["rd.emergency.after=60 rdshell=0", { shell: false, onFailure: "reboot", panicSeconds: null, afterSeconds: 60 }],
    ["rd.emergency.after=60 rd.emergency=shell", { shell: true, onFailure: "shell", panicSeconds: null }],
  ] as const)("%s", (words, policy) => {
    expect(plan(words).rescue).toEqual({
      afterSeconds: null,
      ...policy,
      breaks: [],
      log: null,
      hasHooks: true,
      helpUrl: null,
    });
  });

  test.each([
    ["rd.break", ["handover"]],
    ["rd.break=mount,init rd.break=mount", ["mount", "init"]],
    ["break", ["root"]],
    ["break=top,premount,bottom", ["prepare", "root", "init"]],
    ["rd.break=cmdline rd.break=pre-udev rd.break=pre-trigger", ["prepare", "modules"]],
    ["rd.break=initqueue,pre-mount,pre-pivot,cleanup", ["root", "mount", "handover"]],
    ["rd.break rdshell=0", []],
  ])("%s", (words, breaks) => {
    expect(plan(words).rescue.breaks).toEqual(breaks as readonly StepName[]);
  });
});

test.each([
  ["quiet", "quiet"],
  ["quiet rd.debug", "debug"],
  ["rd.debug quiet", "debug"],
  ["rd.debug=0 quiet", "quiet"],
  ["booster.log=warning", "quiet"],
  ["booster.log=info", "normal"],
])("%s: the level of messages is %s", (words, level) => {
  expect(plan(words).talk.level).toBe(level as BootPlan["talk"]["level"]);
});

describe("where parameters come from", () => {
  test("the command line overrides levain.toml, levain retry overrides both", () => {
    const input = {
      cmdline: "root=LABEL=B",
      manifest: manifest("root=LABEL=My Disk", "rootfstype=xfs"),
      inherited: INHERITED,
    };
    expect(rootDevices(makePlan(input).plan.root)).toEqual([label("B")]);
    expect(makePlan(input).plan.rootTypes).toEqual(["xfs"]);
    expect(rootDevices(makePlan({ ...input, cmdline: "" }).plan.root)).toEqual([label("My Disk")]);
    expect(rootDevices(makePlan({ ...input, added: ["root=LABEL=C D"] }).plan.root)).toEqual([label("C D")]);
  });

  test("a stronger source corrects the mistake of a weaker one, but not its own", () => {
    expect(plan("rd.timeout=5", "rd.timeout=abc").rootTimeoutMs).toBe(5000);
    expect(rootDevices(makePlan({ cmdline: "root=x", manifest: null, added: ["root=LABEL=A"] }).plan.root)).toEqual([
      label("A"),
    ]);
    expect(mistakesOf(() => plan("rd.timeout=abc", "rd.timeout=5")).seen.length).toBe(1);
    expect(mistakesOf(() => plan("rd.timeout=abc rd.timeout=5")).seen.length).toBe(1);
  });
});

describe("mistakes", () => {
  test("are reported together, with what was expected and received", () => {
    const error = mistakesOf(() =>
      plan('rd.timeout=abc root=sda1 rd.image rd.emergency=explode "rootfallback=a b" rdshell=perhaps'),
    );
    expect(error.message).toBe("6 mistakes on the kernel command line");
    expect(error.hints[0]?.text).toContain("boot loader");
    expect(error.seen).toEqual([
      'rd.timeout=abc: Expected a number of seconds but received "abc"',
      'root=sda1: Expected a device (/dev/…, LABEL=, UUID=, PARTUUID=, PARTLABEL=, SIBLING=n:DEVICE or major:minor), live:DEVICE, nbd:SERVER:EXPORT, aoe:eSHELF.SLOT, 9p:TAG, virtiofs:TAG, nfs:SERVER:PATH, http://…, zfs:POOL/DATASET, cifs://HOST/SHARE, dhcp, tmpfs, gpt-auto or /dev/ram0 but received "sda1"',
      "rd.image: Expected a value (rd.image=PATH|no) but received no value",
      'rd.emergency=explode: Expected shell, menu, reboot, poweroff or halt but received "explode"',
      'rootfallback=a b: Expected a device (/dev/…, LABEL=, UUID=, PARTUUID=, PARTLABEL=, SIBLING=n:DEVICE or major:minor) but received "a b"',
      'rdshell=perhaps: Expected yes, no, ask or keep but received "perhaps"',
    ]);
  });

  test("have their origin if there are several", () => {
    const one = mistakesOf(() => plan("", "rd.timeout=abc"));
    expect(one.message).toBe("a mistake in levain.toml");
    expect(one.hints[0]?.text).toContain("rebuild the image");
    const both = mistakesOf(() => plan("panic=x", "rd.timeout=abc"));
    expect(both.message).toBe("2 mistakes in levain.toml and on the kernel command line");
    expect(both.seen.map((line) => line.replace(/:.*\(/, " ("))).toEqual([
      "rd.timeout=abc (levain.toml)",
      "panic=x (the kernel command line)",
    ]);
  });

  test("are safe to print", () => {
    const { seen } = mistakesOf(() => plan("rd.timeout=\u001b[2J"));
    expect(seen[0]).toStartWith("rd.timeout=\\x1b[2J: Expected");
  });

  test.each([
    "root=",
    "root=nfs:server",
    "root=live:",
    "rootfallback=live:LABEL=X",
    "rd.timeout=-1",
    "rd.timeout=9999999999",
    "rd.timeout=",
    "rootfstype=ext4;x",
    "rw=perhaps",
    "rd.image=/a/../../b",
    "rd.image=/",
    "rd.overlay=64",
    "rd.overlay=LABEL=X:/a/../b",
    "rd.overlay=/dev/sdb1:",
    "overlayroot=device:dir=/x",
    "rd.overlay=tmpfs:size=",
    "rd.overlay=tmpfs:size=1,mode=7777",
    "cow_spacesize=big",
    "rd.live.overlay.size=1,mode=7777",
    "rd.modules=../../evil",
    "module_blacklist=a,b/c",
    "init=bin/sh",
    "init",
    "rd.handover=jump",
    "rd.putold=..",
    "rd.putold=/run/initramfs",
    "rd.putold=//./sys",
    "rd.break=sometime",
    "rd.break=toString",
    "rd.break=",
    "panic=soon",
    "quiet=perhaps",
    "rd.log=printer",
  ])("%s", (words) => {
    expect(mistakesOf(() => plan(words)).message).toBe("a mistake on the kernel command line");
  });

  test("in the spelling of a parameter are warned about, wherever it is", () => {
    expect(make("rd.overlaay=x rdhsell=0 rd.unknown=x", "rootdeley=5").warnings).toEqual([
      "rootdeley in levain.toml is not a parameter of levain, ignoring it: did you mean rootdelay=?",
      "rd.overlaay on the kernel command line is not a parameter of levain, ignoring it: did you mean rd.overlay?",
      "rd.unknown on the kernel command line is not a parameter of levain, ignoring it",
    ]);
    const passedOn = { argv: ["rdhsell"], environment: ["HOME=/", "rootfsflags=noatime"] };
    const { warnings } = makePlan({ cmdline: "rdhsell rootfsflags=noatime", manifest: null, inherited: passedOn });
    expect(warnings).toEqual([
      "rdhsell on the kernel command line is not a parameter of levain, ignoring it: did you mean rdshell?",
      "rootfsflags on the kernel command line is not a parameter of levain, ignoring it: did you mean rootflags=?",
    ]);
  });

  test.each([
    ["rd.emergency=rebot", "reboot"],
    ["rd.break=moutn", "mount"],
    ["rd.handover=switchroot", "switch_root"],
    ["fsck.mode=forc", "force"],
    ["rd.log=consol", "console"],
    ["root=LABLE=ROOT", "LABEL="],
    ["root=UIID=abcd", "UUID="],
    ["root=live:CDLABLE=x", null],
    ["root=live:LABLE=x", "live:LABEL="],
    ["root=gptauto", "gpt-auto"],
    ["rootfallback=PARTUIID=x", "PARTUUID="],
    ["boot=live live-media=removeable", "removable"],
    ["root=/dev/../x", null],
  ])("of values that are near another are reported with it: %s", (cmdline, meant) => {
    const { seen } = mistakesOf(() => plan(cmdline));
    expect(seen).toHaveLength(1);
    expect(/; did you mean (.*)\?$/.exec(seen[0] ?? "")?.[1] ?? null).toBe(meant);
  });

  test("are not in parameters of other programs", () => {
    expect(
      make("rd.udev.debug=x console=ttyS0 foo=bar rd.live.image splash nomodeset rd.luks=0 roots=x").warnings,
    ).toEqual([]);
  });

  test("are none yet in a part of the parameters: the others may complete it", () => {
    const hash = "ab".repeat(32);
    const added = [`rd.image.digest=sha256:${hash}`, "rd.image.cms", `rd.verity.image=a:${hash}`];
    expect(() => makePlan({ cmdline: "", manifest: null, added })).toThrow();
    expect(makePlan({ cmdline: "", manifest: null, added, isPart: true }).plan.root.kind).toBe("none");
  });

  test("are parameters of dm-verity that cannot be obeyed", () => {
    expect(mistakesOf(() => plan("root=LABEL=R roothash=abcd rd.verity.data=x")).seen).toEqual([
      'roothash=abcd: Expected a root hash: 32 to 128 hexadecimal digits but received "abcd"',
      expect.stringContaining("rd.verity.data=x: Expected a device"),
    ]);
  });
});

describe("warnings", () => {
  test.each([
    ["rd.dm.uuid=secret", "rd.dm.uuid= is not supported yet, ignoring it: no device of firmware RAID is set up"],
    ["root=LABEL=A rd.handover=stay", "root= is not used: rd.handover=stay keeps the initramfs"],
    ["rd.handover=pivot_root", "rd.handover=pivot_root needs root="],
    ["rd.image=/x", "rd.image= needs root=, the device with the image"],
    ["rd.overlay", "rd.overlay needs root="],
    ["root=LABEL=A rd.overlay rd.overlay.reset", "rd.overlay.reset needs a device in rd.overlay="],
    ["root=LABEL=A rd.overlay.policy=ask", "rd.overlay.policy= needs a device in rd.overlay= or rd.union="],
    [
      "root=LABEL=A rd.overlay=LABEL=B rd.overlay.reset rd.overlay.readonly",
      "rd.overlay.reset is not used: rd.overlay.readonly writes nothing to the device",
    ],
    ["root=LABEL=A toram", "rd.live.ram needs an image: rd.image= or root=live:"],
    ["root=LABEL=A rd.overlay.size=1M", "rd.overlay.size= needs rd.overlay"],
    [
      "root=LABEL=A persistence",
      "persistence is not used: it needs boot=live or boot=casper, and a tmpfs as the overlay; see rd.overlay=DEVICE",
    ],
    ["rd.putold=/x", "rd.putold= needs root="],
    ["rd.emergency=shell rdshell=0", "rd.emergency=shell is not used: rdshell=0 forbids a shell"],
    ["rd.break rdshell=0", "rd.break is not used: rdshell=0 forbids a shell"],
    ["rdshell=0 single", "single is not used: rdshell=0 forbids a shell"],
    ["rd.shell=yes rdshell=0", "rd.shell=yes is not used: rdshell=0 forbids a shell"],
  ])("%s", (words, warning) => {
    expect(make(words).warnings).toEqual([warning]);
  });

  test("are about unknown parameters in levain.toml", () => {
    const { warnings } = make("", "rd.timeot=5", "FOO=bar", "loop.max_loop=8", "rd.dm.uuid=x");
    expect(warnings).toEqual([
      "rd.dm.uuid= is not supported yet, ignoring it: no device of firmware RAID is set up",
      "rd.timeot in levain.toml is not a parameter of levain, ignoring it: did you mean rd.timeout=?",
      "FOO in levain.toml is not a parameter of levain, ignoring it",
    ]);
  });

  test("are not about other values of boot=", () => {
    expect(make("boot=local root=LABEL=A").warnings).toEqual([]);
  });
});

describe("properties", () => {
  const names = PARAMETER_ROWS.flatMap(([, row]) => [row.name, ...row.aliases.map(({ name }) => name)]);
  const word = fc.oneof(
    fc.tuple(fc.constantFrom(...names), fc.string({ maxLength: 12 })).map(([name, value]) => `${name}=${value}`),
    fc.constantFrom(...names, ...PARAMETER_ROWS.map(([, row]) => row.example)),
    fc.string(),
  );
  const line = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((words) => new TextEncoder().encode(words.join(" "))),
    fc.uint8Array({ maxLength: 200 }),
  );

  test("any input results in a plan or one BootError, always the same", () => {
    const outcome = (cmdline: Uint8Array, parameters: string[]) => {
      try {
        return makePlan({ cmdline, manifest: manifest(...parameters) });
      } catch (error) {
        expect(error).toBeInstanceOf(BootError);
        return { message: (error as BootError).message, seen: (error as BootError).seen };
      }
    };
    const check = (cmdline: Uint8Array, parameters: string[]) => {
      const first = outcome(cmdline, parameters);
      expect(outcome(cmdline, parameters)).toEqual(first);
      expect(structuredClone(first)).toEqual(first);
      expect(JSON.parse(JSON.stringify(first))).toEqual(first);
    };
    fc.assert(fc.property(line, fc.array(word, { maxLength: 4 }), check), { numRuns: 1000 });
  });
});
