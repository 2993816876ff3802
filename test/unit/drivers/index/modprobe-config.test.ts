import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { judgeInstall, parseModprobeConfig } from "../../../../src/drivers/index/modprobe-config.ts";

describe("modprobe.d", () => {
  test("every command of modprobe.d(5)", () => {
    const text = `# a comment
alias wifi-card b43
options  snd-pcsp\tindex=-2   debug
blacklist pc-spkr
softdep ext4 pre: crypto-crc32c post: other
install usb-storage /bin/true
remove usb-storage /bin/true
weakdep a b
`;
    expect(parseModprobeConfig([{ name: "a.conf", text }])).toEqual({
      aliases: [{ pattern: "wifi_card", module: "b43" }],
      options: [{ name: "snd_pcsp", parameters: "index=-2 debug" }],
      blacklist: ["pc_spkr"],
      softDependencies: [{ pattern: "ext4", pre: ["crypto-crc32c"], post: ["other"] }],
      install: [{ pattern: "usb_storage", command: "/bin/true" }],
      problems: [],
    });
  });

  test("files are read in the order of their names, and the first of the same name is used", () => {
    const config = parseModprobeConfig([
      { name: "b.conf", text: "blacklist second" },
      { name: "a.conf", text: "blacklist first" },
      { name: "b.conf", text: "blacklist hidden" },
    ]);
    expect(config.blacklist).toEqual(["first", "second"]);
  });

  test("ignored lines are reported", () => {
    const { problems } = parseModprobeConfig([
      {
        name: "x.conf",
        text: "include other\nblacklist\nalias a\ninstall a /sbin/modprobe --ignore-install a\nremove b /sbin/rmmod b\nremove c\n",
      },
    ]);
    expect(problems).toHaveLength(6);
    expect(problems[4]).toContain('"remove b /sbin/rmmod b" is not run');
    expect(problems[0]).toContain('x.conf: "include other"');
    expect(problems[3]).toContain("/sbin/modprobe --ignore-install a");
  });
});

test.each([
  ["/bin/true", "done"],
  [" /usr/bin/true ", "done"],
  [":", "done"],
  ["/bin/false", "refused"],
  ["false", "refused"],
  ["/bin/true; reboot", null],
  ["/tmp/true", null],
  ["", null],
] as const)("install %j comes to %p", (command, verdict) => expect(judgeInstall(command)).toBe(verdict));

test("any text is read, and each line is either understood or reported", () => {
  const word = fc.constantFrom("alias", "options", "blacklist", "softdep", "install", "remove", "a", "b-c", "[", "\t");
  const line = fc.oneof(
    fc.string(),
    fc.array(word, { minLength: 1 }).map((words) => words.join(" ")),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const config = parseModprobeConfig([{ name: "a", text: lines.join("\n") }]);
      expect(config.problems.length).toBeLessThanOrEqual(lines.join("\n").split("\n").length);
      for (const name of config.blacklist) expect(name).not.toMatch(/[\s-]/);
    }),
  );
});
