import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type KeptPath, parsePersistenceConf } from "../../../src/formats/persistence-conf.ts";

// persistence.conf(5) of live-boot 20230131.

const kept = (text: string) =>
  parsePersistenceConf(text).kept.map(({ path, source, method }) => `${path} ${method} ${source || "."}`);

describe("persistence.conf", () => {
  test("of the manual: mounts by their paths, links at the end", () => {
    const text = `# a comment

/home/user1 link,source=config-files/user1
/home/user2 link,source=config-files/user2
/home
/usr union
`;
    expect(parsePersistenceConf(text).ignored).toEqual([]);
    expect(kept(text)).toEqual([
      "/home bind /home",
      "/usr union /usr",
      "/home/user1 link /config-files/user1",
      "/home/user2 link /config-files/user2",
    ]);
  });

  test.each([
    ["/ union", "/ union ."],
    ["/home source=.", "/home bind ."],
    ["  /home\tbind,source=a/b", "/home bind /a/b"],
    ["/home union,bind,link,union", "/home union /home"],
    ["//home///me/ union", "/home/me union /home/me"],
    ["/home union source=x", "/home union /x"],
    ["/library bind", "/library bind /library"],
    ["/home bind\r", "/home bind /home"],
  ])("%j", (line, expected) => {
    expect(kept(line)).toEqual([expected]);
  });

  test.each([
    ["home", "an absolute path"],
    ["/home/../etc", "an absolute path"],
    ["/./etc", "an absolute path"],
    ["/lib/modules", "an absolute path"],
    ["/run/live union", "an absolute path"],
    ["/proc", "an absolute path"],
    ["/home overlay", "one of the options"],
    ["/home source=/etc", "a source= without"],
    ["/home source=../etc", "a source= without"],
    ["/home source=a/../../etc", "a source= without"],
    ["/home source=", "a source= without"],
    ["/", "the option union"],
    ["/ link", "the option union"],
    ["/a:b union", "a path without"],
    ["/a union,source=b\\c", "a path without"],
    ["/etc union\n/home\0/x", "an absolute path"],
  ])("%j is ignored", (text, expected) => {
    const { ignored } = parsePersistenceConf(text);
    expect(ignored.map(({ line }) => line)).toEqual([text.split("\n").length]);
    expect(ignored[0]?.expected).toStartWith(expected);
  });

  test("of two lines for one directory, or with sources inside each other, the first counts", () => {
    expect(kept("/home union\n/home bind,source=x")).toEqual(["/home union /home"]);
    expect(kept("/a\n/a/b")).toEqual(["/a bind /a"]);
    expect(kept("/a/b\n/a")).toEqual(["/a/b bind /a/b"]);
    expect(kept("/a/b source=x\n/a")).toEqual(["/a bind /a", "/a/b bind /x"]);
    expect(kept("/ union\n/home")).toEqual(["/ union ."]);
  });

  test("has a limit of directories", () => {
    const text = Array.from({ length: 70 }, (_, index) => `/d${index}`).join("\n");
    expect(parsePersistenceConf(text).kept).toHaveLength(64);
    expect(parsePersistenceConf(text).ignored).toHaveLength(6);
  });

  test("of any content gives nothing that leads out of the root or the volume, or covers another", () => {
    const word = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(
        "/",
        "/home",
        "/home/a",
        "..",
        "/../x",
        "union",
        "link,",
        "bind",
        "source=",
        "source=../a",
        "source=.",
        "#",
        "/a/b",
      ),
    );
    const directory = fc.constantFrom("/", "/home", "/home/a", "/a/../b", "/run/x", "/srv");
    const option = fc.constantFrom("union", "bind", "link", "source=x", "source=y/z", "source=y", "source=../a");
    const line = fc.oneof(
      fc.array(word, { maxLength: 5 }).map((words) => words.join(" ")),
      fc.tuple(directory, fc.array(option, { maxLength: 2 })).map(([name, options]) => `${name} ${options.join(",")}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const { kept: all, ignored } = parsePersistenceConf(lines.join("\n"));
        for (const { path, source } of all) {
          expect(path).toMatch(/^\/(?!(?:dev|lib|proc|run|sys)(?:\/|$))/);
          for (const part of [...path.split("/"), ...source.split("/")]) expect(["..", "."]).not.toContain(part);
          expect(source === "" || source.startsWith("/")).toBe(true);
        }
        expect(new Set(all.map(({ path }) => path)).size).toBe(all.length);
        const mounts = all.filter(({ method }) => method !== "link");
        const covers = (one: KeptPath, other: KeptPath) => one.path !== "/" && other.path.startsWith(`${one.path}/`);
        for (const [index, one] of mounts.entries()) {
          expect(mounts.slice(0, index).filter((earlier) => covers(one, earlier))).toEqual([]);
        }
        expect(all.length + ignored.length).toBeLessThanOrEqual(lines.join("\n").split("\n").length);
      }),
      { numRuns: 500 },
    );
  });
});
