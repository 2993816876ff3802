import { describe, expect, test } from "bun:test";
import { ELF, fakeBoot, type Person, rootImage } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import type { FakeProgram } from "../support/fake-processes.ts";

const PROGRAM = { data: ELF, mode: 0o755 };

/** Boots with hooks, and returns the calls of the program "hook" and what it read. */
function boot(
  files: FakeTree,
  more: {
    cmdline?: string;
    person?: Person;
    does?: (call: Parameters<FakeProgram>[0], machine: FakeMachine) => ReturnType<FakeProgram>;
  } = {},
) {
  const calls: { at: string; read: Record<string, unknown> }[] = [];
  let machine: FakeMachine | null = null;
  const hook: FakeProgram = (call) => {
    const { LEVAIN_STEP, LEVAIN_MOMENT, LEVAIN_ROOT } = call.environment;
    calls.push({
      at: `${call.argv.join(" ")} ${LEVAIN_STEP} ${LEVAIN_MOMENT} ${LEVAIN_ROOT}`,
      read: JSON.parse(call.input ?? ""),
    });
    return machine === null ? {} : more.does?.(call, machine);
  };
  const paths = Object.keys(files).filter((path) => path.startsWith("/etc/levain/hooks/"));
  const result = fakeBoot({
    cmdline: more.cmdline ?? "root=LABEL=ROOT",
    files,
    ...(more.person === undefined ? {} : { person: more.person }),
    disks: [{ name: "vda", image: rootImage() }],
    before: (made) => {
      machine = made;
    },
    programs: Object.fromEntries(paths.map((path) => [path, hook])),
  });
  return { ...result, calls };
}

const HOOKS = "/etc/levain/hooks";

describe("hooks of the image", () => {
  test("run before and after their step, in the order of their names, and read what was done so far", () => {
    const files = {
      [`${HOOKS}/root.d/20-b`]: PROGRAM,
      [`${HOOKS}/root.d/10-a`]: PROGRAM,
      [`${HOOKS}/handover.d/z`]: PROGRAM,
      [`${HOOKS}/prepare.d/p`]: PROGRAM,
      [`${HOOKS}/failure.d/f`]: PROGRAM,
    };
    const { calls, end } = boot(files, { cmdline: "root=LABEL=ROOT rd.nbd.password=x" });
    expect(end).toMatchObject({ mode: "switch_root" });
    const at = (name: string, moment: string, step = name.split(".")[0]) =>
      `${HOOKS}/${name} ${moment} ${step} ${moment} /sysroot`;
    expect(calls.map((call) => call.at)).toEqual([
      at("prepare.d/p", "after"),
      at("root.d/10-a", "before"),
      at("root.d/20-b", "before"),
      at("root.d/10-a", "after"),
      at("root.d/20-b", "after"),
      at("handover.d/z", "before"),
    ]);
    expect(calls[4]?.read).toMatchObject({ version: 1, step: "root", moment: "after", root: "/sysroot", failure: [] });
    expect(JSON.stringify(calls[4]?.read)).toContain('"name":"root","startMs":1000,"endMs":1000,"outcome":"done"');
  });

  test.each([
    ["fails", { status: 3, output: "no such\x1b LED\n" }, "status 3: no such\\x1b LED"],
    ["does not end", { tookMs: 1e9 }, "did not end within 30 s, and was stopped"],
  ])("one that %s is a warning, and the boot goes on", (_, ends, says) => {
    const { console, end } = boot({ [`${HOOKS}/root.d/led`]: PROGRAM }, { does: () => ends });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console.replaceAll(/\n {12}/g, " ")).toContain(`  warning   hook root.d/led (before): ${says}`);
  });

  test("one that cannot be run is named", () => {
    const files: FakeTree = {
      [`${HOOKS}/root.d/a`]: { data: "#!/bin/sh\n", mode: 0o644 },
      [`${HOOKS}/root.d/b`]: { directory: true },
      [`${HOOKS}/root.d/c.toml`]: { data: 'after = "x"\n', mode: 0o644 },
      [`${HOOKS}/root.d/d.toml`]: { data: '[[before]]\nsay = "x"\ntext = "y"\n', mode: 0o644 },
      [`${HOOKS}/root.d/e.toml`]: { data: "[[[\n", mode: 0o644 },
      [`${HOOKS}/root.d/f.toml`]: { data: '[[before]]\nwrite = "/nowhere/x"\ntext = "y"\n', mode: 0o644 },
      [`${HOOKS}/root.d/g.toml`]: { data: '[[before]]\nwrite = "/etc"\ntext = "y"\n', mode: 0o644 },
      [`${HOOKS}/root.d/h.toml`]: { data: '[[after]]\nwrite = "/dev/vda"\ntext = "y"\n', mode: 0o644 },
      [`${HOOKS}/root.d/i.toml`]: { data: '[[before]]\nwrite = "/dev/console"\ntext = "y"\n', mode: 0o644 },
    };
    const text = boot(files).console.replaceAll(/\n {12}/g, " ");
    for (const words of [
      "root.d/a (before): is neither executable nor named NAME.toml",
      "root.d/b (before): is no file",
      "root.d/c.toml (before): after is no action: say; write and text; make-directory; link and to",
      "root.d/d.toml (before): before.0 is no action",
      "root.d/e.toml (before): is no TOML: ",
      "root.d/f.toml (before): ",
      "root.d/g.toml (before): /etc is a directory: only a program can write to it",
      "root.d/h.toml (after): /dev/vda is a block device: only a program can write to it",
      "root.d/i.toml (before): /dev/console is a character device: only a program can write to it",
    ]) {
      expect(text).toContain(words);
    }
  });

  test("actions are carried out without a program", () => {
    const actions = `[[before]]
say = "please\\u001b wait"
[[before]]
make-directory = "/run/gadget/strings"
[[before]]
write = "/run/gadget/strings/product"
text = "levain"
[[after]]
link = "/run/gadget/link"
to = "strings"
`;
    let seen = "";
    const { console } = boot(
      { [`${HOOKS}/modules.d/gadget.toml`]: { data: actions, mode: 0o644 }, [`${HOOKS}/root.d/look`]: PROGRAM },
      {
        cmdline: "quiet root=LABEL=ROOT",
        does: (_, machine) => {
          seen = Buffer.from(machine.readFile("/run/gadget/link/product")).toString();
          return {};
        },
      },
    );
    expect(console).toContain("please\\x1b wait\n");
    expect(seen).toBe("levain");
  });

  test("of a failure run before the shell, and know the report", () => {
    const { calls } = boot({ [`${HOOKS}/failure.d/tell`]: PROGRAM }, { cmdline: "root=LABEL=WRONG rd.timeout=1" });
    expect(calls.map(({ at }) => at)).toEqual([`${HOOKS}/failure.d/tell after failure after /sysroot`]);
    expect(calls[0]?.read["failure"]).toContain("could not find the root device");
  });

  test("of a failure: their daemons end when the boot goes on, and no others", () => {
    const seen: string[] = [];
    const { end } = boot(
      { [`${HOOKS}/failure.d/console`]: PROGRAM, [`${HOOKS}/prepare.d/led`]: PROGRAM },
      {
        cmdline: "root=LABEL=WRONG rd.timeout=1",
        person: [
          (machine) => {
            seen.push("shell");
            machine.writeFile("/run/levain/retry.json", '["root=LABEL=ROOT"]');
          },
        ],
        does: ({ argv }) => ({ onDaemonEnd: () => void seen.push(argv[0] ?? "") }),
      },
    );
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(seen).toEqual(["shell", `${HOOKS}/failure.d/console`]);
  });

  test("of a failure that take too long end with their daemons", () => {
    const ended: string[] = [];
    boot(
      { [`${HOOKS}/failure.d/console`]: PROGRAM },
      {
        cmdline: "root=LABEL=WRONG rd.timeout=1",
        does: ({ argv }) => ({ tookMs: 1e9, onDaemonEnd: () => void ended.push(argv[0] ?? "") }),
      },
    );
    expect(ended).toEqual([`${HOOKS}/failure.d/console`]);
  });

  test("do not run with rd.hooks=0, nor after a mistake in another parameter", () => {
    const files = { [`${HOOKS}/root.d/a`]: PROGRAM, [`${HOOKS}/failure.d/a`]: PROGRAM };
    expect(boot(files, { cmdline: "root=LABEL=ROOT rd.hooks=0" }).calls).toEqual([]);
    expect(boot(files, { cmdline: "root=LABEL=ROOT rd.hooks=0 rd.timeout=x" }).calls).toEqual([]);
  });
});
