import { describe, expect, test } from "bun:test";
import { createRecord } from "../../../src/log/boot-record.ts";
import { createConsole } from "../../../src/log/console.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

function makeConsole(printk = "4\t4\t1\t7\n") {
  const fake = fakeMachine();
  const levels: string[] = [];
  const readFile = (path: string) => (path === "/proc/sys/kernel/printk" ? Buffer.from(printk) : fake.readFile(path));
  const writeKernelLog = (level: number, text: string) => void levels.push(`<${level}>${text}`);
  const record = createRecord("0");
  const console = createConsole({ ...fake, readFile, writeKernelLog }, record);
  return { console, record, shown: () => fake.console.join(""), logged: () => levels };
}

function sayEverything({ console }: ReturnType<typeof makeConsole>): void {
  console.say("hello");
  console.warn("careful");
  console.debug("in detail");
  console.progress("half");
  console.trouble(["broken"]);
}

const WARN = "  warning   careful\n";
const DEBUG = "  debug     in detail\n";

describe("what is shown", () => {
  for (const [level, shown] of [
    ["normal", `hello\n${WARN}  ...       half\n\nbroken\n`],
    ["debug", `hello\n${WARN}${DEBUG}  ...       half\n\nbroken\n`],
    ["quiet", `${WARN}\nbroken\n`],
  ] as const) {
    test(`${level}`, () => {
      const made = makeConsole("1\t4\t1\t7\n");
      made.console.obey({ level, log: "all" });
      sayEverything(made);
      expect(made.shown()).toBe(shown);
    });
  }

  test("a step has its name, its text and its time in columns", () => {
    const made = makeConsole();
    made.console.step({ name: "root", text: "/dev/vda", startMs: 10, endMs: 1244.6, outcome: "done" });
    expect(made.shown()).toBe(`  root      /dev/vda${" ".repeat(48)}  1235 ms\n`);
  });
});

test("a line that is too long for a terminal is wrapped; the log has it in one piece", () => {
  const made = makeConsole("1\t4\t1\t7\n");
  const root = `/dev/mapper/luks-${"0".repeat(36)} ext4 "ROOT" in /dev/vda crypto_LUKS`;
  made.console.step({ name: "root", text: root, startMs: 0, endMs: 7, outcome: "done" });
  made.console.warn("word ".repeat(20).trimEnd());
  expect(made.shown()).toBe(
    [
      `  root      /dev/mapper/luks-${"0".repeat(36)}`,
      `            ext4 "ROOT" in /dev/vda crypto_LUKS${" ".repeat(21)}     7 ms`,
      `  warning   ${"word ".repeat(13).trimEnd()}`,
      `            ${"word ".repeat(7).trimEnd()}`,
      "",
    ].join("\n"),
  );
  expect(made.logged()).toEqual([`<6>  root      ${root} 7 ms`, `<4>  warning   ${"word ".repeat(20).trimEnd()}`]);
});

describe("what is logged", () => {
  test("everything except debug messages, each with its level, independent of the console", () => {
    const made = makeConsole();
    made.console.obey({ level: "quiet", log: "all" });
    sayEverything(made);
    expect(made.logged()).toEqual(["<6>hello", "<4>  warning   careful", "<6>  ...       half", "<3>broken"]);
    expect(made.record.messages.map(({ level }) => level)).toEqual([6, 4, 6, 3]);
  });

  test("rd.log=kmsg keeps all but errors off the console, rd.log=console off the log", () => {
    const kmsg = makeConsole("1\t4\t1\t7\n");
    kmsg.console.obey({ level: "normal", log: "kmsg" });
    sayEverything(kmsg);
    expect(kmsg.shown()).toBe("\nbroken\n");
    const plain = makeConsole();
    plain.console.obey({ level: "normal", log: "console" });
    sayEverything(plain);
    expect(plain.logged()).toEqual([]);
  });

  test("what the kernel prints itself is not printed twice", () => {
    const made = makeConsole("5\t4\t1\t7\n");
    sayEverything(made);
    expect(made.shown()).toBe("hello\n  ...       half\n");
    expect(made.logged()).toContain("<3>broken");
  });
});

test("several lines are several records, and none of them moves the cursor", () => {
  const made = makeConsole();
  made.console.warn("one\ntwo \x1b[2J");
  expect(made.shown()).toBe("  warning   one\ntwo \\x1b[2J\n");
  expect(made.record.messages.map(({ text }) => text)).toEqual(["  warning   one", "two \\x1b[2J"]);
});

test("the record keeps the newest lines", () => {
  const made = makeConsole();
  for (let index = 0; index < 2500; index++) made.console.say(`line ${index}`);
  expect(made.record.messages).toHaveLength(2000);
  expect(made.record.messages.at(-1)?.text).toBe("line 2499");
});
