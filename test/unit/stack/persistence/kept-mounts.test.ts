import { expect, test } from "bun:test";
import { parsePersistenceConf } from "../../../../src/formats/persistence-conf.ts";
import { joinKept, type KeptVolume } from "../../../../src/stack/persistence/kept-mounts.ts";

const volume = (name: string | null, text: string, conf: string): KeptVolume => ({
  name,
  text,
  kept: parsePersistenceConf(conf).kept,
});

test("mounts of all volumes are ordered by their paths, links come last", () => {
  const one = volume("a", "/dev/sda2", "/home/me link\n/home/me/work source=work\n/etc union");
  const other = volume("b", "/dev/sda3", "/home\n/var link");
  const { mounts, rivalries } = joinKept([one, other]);
  expect(mounts.map(({ path, volume: index }) => `${path} ${index}`)).toEqual([
    "/etc 0",
    "/home 1",
    "/home/me/work 0",
    "/home/me 0",
    "/var 1",
  ]);
  expect(rivalries).toEqual([]);
});

test("of two volumes that keep one directory the first counts, and two of one name are undecided", () => {
  const [first, second, third] = [
    volume("a", "x", "/ union"),
    volume("b", "y", "/ union"),
    volume("a", "z", "/ union"),
  ];
  const { mounts, rivalries } = joinKept([first, second, third]);
  expect(mounts).toHaveLength(1);
  expect(rivalries.map(({ used, other, isUndecided }) => [used.text, other.text, isUndecided])).toEqual([
    ["x", "y", false],
    ["x", "z", true],
  ]);
});
