import { describe, expect, test } from "bun:test";
import { createStepRunner } from "../../../src/boot/step-runner.ts";
import { createRecord } from "../../../src/log/boot-record.ts";
import { STEP_NAMES } from "../../../src/parameters/values.ts";
import { BootError, SyscallError } from "../../../src/problems/errors.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

const say = (value: unknown) => String(value);

function runner() {
  const told: string[] = [];
  const machine = fakeMachine();
  const record = createRecord("0");
  const hooks = {
    before: (name: string) => void told.push(`before ${name}`),
    after: ({ name, text }: { name: string; text: string }) => void told.push(`after ${name}: ${text}`),
  };
  return { machine, record, told, ...createStepRunner(machine, record, hooks) };
}

const refuse = () => {
  throw new SyscallError("mount", "EIO", "/sysroot");
};

describe("a step", () => {
  test("runs once, and its value is kept", () => {
    const { run, told, record } = runner();
    expect(run("root", () => "vda", say)).toBe("vda");
    expect(run("root", () => "vdb", say)).toBe("vda");
    expect(run("mount", () => undefined, say)).toBeUndefined();
    expect(told).toEqual(["before root", "after root: vda", "before mount", "after mount: undefined"]);
    expect(record.steps.filter(({ outcome }) => outcome === "done").map(({ name }) => name)).toEqual(["root", "mount"]);
  });

  test("that fails reverts what it did, the last first, and nothing of the others", () => {
    const { run, record } = runner();
    const undone: string[] = [];
    run("root", (undo) => undo(() => void undone.push("root")), say);
    expect(() =>
      run(
        "mount",
        (undo) => {
          undo(() => void undone.push("first"));
          undo(refuse);
          undo(() => void undone.push("last"));
          throw new BootError("no");
        },
        say,
      ),
    ).toThrow("no");
    expect(undone).toEqual(["last", "first"]);
    expect(record.steps.find(({ name }) => name === "mount")).toMatchObject({ outcome: "failed", text: "no" });
    expect(run("mount", () => 1, say)).toBe(1);
  });

  test("is named if it fails by a refusal of the kernel that has no words of its own", () => {
    const { run } = runner();
    expect(() => run("layers", refuse, say)).toThrow('the step "layers" failed');
  });

  test("a bug in an undo is not hidden", () => {
    const { run } = runner();
    const act = (undo: (takeBack: () => void) => void) => {
      undo(() => {
        throw new TypeError("a bug");
      });
      throw new BootError("no");
    };
    expect(() => run("root", act, say)).toThrow("a bug");
  });

  test("is timed by the machine's clock", () => {
    const { run, record, machine } = runner();
    run("root", () => machine.sleepMs(250), say);
    const step = record.steps.find(({ name }) => name === "root");
    expect((step?.endMs ?? 0) - (step?.startMs ?? 0)).toBe(250);
  });
});

describe("going back", () => {
  test("to a step forgets it and all steps after it", () => {
    const { run, rewind, record } = runner();
    const undone: string[] = [];
    for (const name of ["prepare", "root", "mount", "init"] as const)
      run(name, (undo) => undo(() => void undone.push(name)), say);
    rewind("root");
    expect(undone).toEqual(["init", "mount", "root"]);
    expect(record.steps.map(({ outcome }) => outcome)).toEqual([
      "done",
      ...new Array(STEP_NAMES.length - 1).fill("waiting"),
    ]);
    rewind("prepare");
    expect(undone).toEqual(["init", "mount", "root", "prepare"]);
  });

  test("after a failed mount searches for the device again, after others only reads the modules", () => {
    const { run, rewindFailed } = runner();
    const ran: string[] = [];
    const note = (name: "modules" | "root" | "mount") => run(name, () => void ran.push(name), say);
    note("modules");
    note("root");
    expect(() => run("mount", refuse, say)).toThrow();
    rewindFailed(false);
    for (const name of ["modules", "root", "mount"] as const) note(name);
    expect(() => run("init", refuse, say)).toThrow();
    rewindFailed(false);
    for (const name of ["modules", "root", "mount"] as const) note(name);
    expect(ran).toEqual(["modules", "root", "modules", "root", "mount", "modules"]);
  });
});
