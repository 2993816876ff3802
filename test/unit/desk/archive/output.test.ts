import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { checkWritable, writeWhole } from "../../../../src/desk/archive/output.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { unprivileged } from "../../../support/command.ts";
import { laterRefusalOf } from "../../../support/refusal.ts";

const OUTPUT = join(import.meta.dir, "../../../../src/desk/archive/output.ts");

const refusal = async (action: () => Promise<unknown>) => (await laterRefusalOf(action)).join("\n");

test("the file is there whole, with nothing beside it", async () => {
  const directory = scratchDirectory();
  const path = join(directory, "image");
  expect(await writeWhole(path, [Buffer.from("ab"), Buffer.from(""), Buffer.from("cde")])).toBe(5);
  expect(readFileSync(path, "utf8")).toBe("abcde");
  expect(readdirSync(directory)).toEqual(["image"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("what fails half-way leaves the old file, and nothing beside it", async () => {
  const directory = scratchDirectory();
  const path = join(directory, "image");
  writeFileSync(path, "old");
  function* failing(): Generator<Uint8Array> {
    yield Buffer.from("new");
    throw new BootError("a module is missing");
  }
  expect(await refusal(() => writeWhole(path, failing()))).toBe("a module is missing");
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(directory)).toEqual(["image"]);
});

test("a disk that refuses half-way leaves nothing, and says why", async () => {
  const directory = scratchDirectory();
  const script = `
    import { writeWhole } from "${OUTPUT}";
    import { report } from "${join(import.meta.dir, "../../../../src/problems/report.ts")}";
    function* pieces() { for (let i = 0; i < 64; i += 1) yield new Uint8Array(65536); }
    try { await writeWhole("${directory}/image", pieces()); } catch (error) { console.log(report(error).join("\\n")); }`;
  // A limit of 512 KiB for each file stands for a full disk (EFBIG for ENOSPC), and needs no mount.
  const child = Bun.spawn(["sh", "-c", 'ulimit -f 1024; exec "$0" -e "$1"', process.execPath, script], {
    stdout: "pipe",
  });
  const said = await child.stdout.text();
  expect(said).toStartWith(`cannot write ${directory}/image\n`);
  expect(said).toContain("EFBIG");
  expect(readdirSync(directory)).toEqual([]);
});

test("an interrupted command leaves nothing", async () => {
  const directory = scratchDirectory();
  const script = `
    import { writeWhole } from "${OUTPUT}";
    async function* pieces() { yield new Uint8Array(10); console.log("writing"); await Bun.sleep(20000); }
    await writeWhole("${directory}/image", pieces());`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  for await (const text of child.stdout) if (Buffer.from(text).includes("writing")) break;
  expect(readdirSync(directory).length).toBe(1);
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  expect(readdirSync(directory)).toEqual([]);
});

test("a symlink stays one: the file behind it is replaced", async () => {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "boot"));
  writeFileSync(join(directory, "boot/image"), "old");
  symlinkSync("boot/image", join(directory, "link"));
  await writeWhole(join(directory, "link"), [Buffer.from("new")]);
  expect(readlinkSync(join(directory, "link"))).toBe("boot/image");
  expect(readFileSync(join(directory, "boot/image"), "utf8")).toBe("new");
});

describe("refuses beforehand, in words, and leaves everything as it is", () => {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "file"), "");
  mkdirSync(join(directory, "closed"), { mode: 0o500 });
  symlinkSync("nowhere/image", join(directory, "dangling"));
  afterAll(() => chmodSync(join(directory, "closed"), 0o700));

  test.each([
    [join(directory, "missing/image"), "no such file or directory"],
    [join(directory, "file/image"), "part of the path is not a directory"],
    [directory, "it exists and is not a file"],
    ["/dev/null", "it exists and is not a file"],
    [join(directory, "dangling"), "no such file or directory"],
  ])("%s", async (path, why) => {
    for (const action of [async () => checkWritable(path), () => writeWhole(path, [])]) {
      const said = await refusal(action);
      expect(said).toContain(`${path}`);
      expect(said).toContain(why);
      expect(said).toContain("hint: choose another file with --output FILE");
    }
    expect(readdirSync(directory).sort()).toEqual(["closed", "dangling", "file"]);
  });

  test("a directory that is not ours", () => {
    const script = `
      import { checkWritable } from "${OUTPUT}";
      try { checkWritable("${directory}/closed/image"); } catch (error) { console.log(error.message, error.cause?.code); }`;
    const { stdout } = Bun.spawnSync(unprivileged([process.execPath, "-e", script]), { cwd: "/" });
    expect(stdout.toString()).toBe(`cannot write ${directory}/closed/image EACCES\n`);
  });

  test("and where it can be written, leaves nothing behind", () => {
    checkWritable(join(directory, "new"));
    expect(readdirSync(directory).sort()).toEqual(["closed", "dangling", "file"]);
  });
});
