// Recipes of docs/network.md, as they are there but for paths and ports; which test runs which, the page says in comments.
import { expect, test } from "bun:test";
import { createHash, createPublicKey, verify } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSums } from "../../../src/formats/checks/sums-file.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { runScript } from "../../support/command.ts";
import { desk } from "../../support/desk-in-process.ts";
import { freePort } from "../../support/network/free-port.ts";
import { askNbd } from "../../support/network/nbd-client.ts";
import { networkRecipes, recipe } from "../../support/network/recipes.ts";
import { readCpio } from "../../support/read-cpio.ts";
import { TEST_PROGRAMS } from "../../support/test-programs.ts";
import { BUSYBOX } from "../../support/unpacked-programs.ts";
import { moduleElf } from "../desk/module-elf.ts";

test("a configuration signed with openssl has the signature that levain checks", async () => {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "site.toml"), 'parameters = ["rw"]\n');
  await runScript(`cd "$1"\n${recipe("openssl genpkey -algorithm ed25519 -out config.key")}`, [directory]);
  const read = (name: string) => readFileSync(join(directory, name));
  const key = createPublicKey(read("config.pub"));
  expect(key.asymmetricKeyType).toBe("ed25519");
  expect(verify(null, read("site.toml"), key, read("site.toml.sig"))).toBe(true);
});

test("a list of checksums signed with openssl has the signature that levain checks", async () => {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "root.sfs"), "an image");
  await runScript(`cd "$1"\n${recipe("openssl genpkey -algorithm ed25519 -out image.key")}`, [directory]);
  const read = (name: string) => readFileSync(join(directory, name));
  const list = read("root.sfs.sha256");
  expect(verify(null, list, createPublicKey(read("image.pub")), read("root.sfs.sha256.sig"))).toBe(true);
  const hex = createHash("sha256").update("an image").digest("hex");
  expect(parseSums(list, 64)).toEqual([{ hex, path: "root.sfs" }]);
});

test("nginx accepts its lines", () => {
  const directory = scratchDirectory();
  const make = "openssl req -x509 -newkey ed25519 -nodes -subj /CN=boot -keyout boot.key -out boot.crt";
  const lines = recipe("sendfile").replaceAll("/etc/nginx/", `${directory}/`);
  const http = lines.replace("listen 443", `listen 127.0.0.1:${freePort()}`);
  writeFileSync(join(directory, "nginx.conf"), `events {}\nhttp {\naccess_log off;\n${http}}\n`);
  const script = `cd "$1" && ${make} && "$2" -t -p "$1" -e stderr -c nginx.conf`;
  const command = ["sh", "-c", script, "sh", directory, join(TEST_PROGRAMS, "bin/nginx")];
  // Its exit status is about directories of this machine too.
  expect(Bun.spawnSync(command).stderr.toString()).toContain("syntax is ok");
});

test("nbd-server serves the export of its lines read-only", async () => {
  const directory = scratchDirectory();
  const disk = join(directory, "disk.img");
  writeFileSync(disk, new Uint8Array(8192));
  const port = freePort();
  const lines = recipe("[generic]").replace("/srv/disk.img", disk);
  const config = join(directory, "config");
  writeFileSync(config, lines.replace("[generic]", `[generic]\nlistenaddr = 127.0.0.1\nport = ${port}`));
  const server = Bun.spawn(
    ["setpriv", "--pdeathsig", "KILL", join(TEST_PROGRAMS, "bin/nbd-server"), "--dont-fork", "--config-file", config],
    { stdout: "ignore", stderr: "ignore" },
  );
  try {
    const found = await askNbd(port, "disk");
    // NBD_FLAG_READ_ONLY is 2.
    expect(found).toMatchObject({ kind: "export", sizeBytes: 8192 });
    expect(found.kind === "export" && found.flags & 2).toBe(2);
  } finally {
    server.kill("SIGKILL");
    await server.exited;
  }
});

/** A lib/modules/6.1 with these modules, without content. */
function kernelWith(modules: readonly string[]): string {
  const directory = join(scratchDirectory(), "lib/modules/6.1");
  mkdirSync(join(directory, "kernel"), { recursive: true });
  writeFileSync(join(directory, "modules.dep"), modules.map((name) => `kernel/${name}.ko:\n`).join(""));
  writeFileSync(join(directory, "modules.builtin.modinfo"), "kernel.license=GPL\0");
  for (const list of ["alias", "softdep", "order", "builtin"]) writeFileSync(join(directory, `modules.${list}`), "#\n");
  for (const name of modules) writeFileSync(join(directory, `kernel/${name}.ko`), moduleElf(`name=${name}`));
  return directory;
}

const IMAGE_LINES = [recipe("levain image --network --program"), recipe("levain image --module zfs")].flatMap((text) =>
  text.trim().split("\n"),
);

test.each(IMAGE_LINES)("%s", async (line) => {
  const words = line.split(" ").slice(2);
  const after = (option: string) => words.filter((_, index) => words[index - 1] === option);
  const root = scratchDirectory();
  const programs = after("--program");
  for (const path of programs) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(BUSYBOX, join(root, path));
  }
  const output = join(root, "image");
  const given = words.map((word) => (programs.includes(word) ? join(root, word) : word));
  // Any static program can be its init here.
  const more = [
    "--modules-dir",
    kernelWith(["mine", ...after("--module")]),
    "--init",
    BUSYBOX,
    "--modprobe-dir",
    "none",
  ];
  const { status, stderr } = await desk("image", "--output", output, "--compress", "none", ...more, ...given);
  expect([stderr, status]).toEqual([expect.any(String), 0]);
  const names = readCpio(readFileSync(output)).members.map(({ name }) => `/${name}`);
  for (const path of programs) expect(names).toContain(join(root, path));
  for (const module of after("--module")) expect(names.join()).toContain(`/${module}.ko`);
});

test("an authority that is added is in the image", async () => {
  const root = scratchDirectory();
  writeFileSync(join(root, "our-authority.pem"), "-----BEGIN CERTIFICATE-----\n");
  writeFileSync(join(root, "levain.toml"), recipe("add = ["));
  const output = join(root, "image");
  const words = ["--config", join(root, "levain.toml"), "--output", output, "--compress", "none", "--init", BUSYBOX];
  expect((await desk("image", "--kernel", "none", ...words)).status).toBe(0);
  const names = readCpio(readFileSync(output)).members.map(({ name }) => name);
  expect(names).toContain("etc/levain/authorities/our-authority.pem");
});

const ROOT = join(import.meta.dir, "../../..");
const recipes = networkRecipes();
const used = [...new Bun.Glob("test/**/*.ts").scanSync(ROOT)].flatMap((path) =>
  [...readFileSync(join(ROOT, path), "utf8").matchAll(/\brecipe\("([^"]+)"\)/g)].map(([, start = ""]) => start),
);

test.each(recipes.map((one) => [one.name, one] as const))(
  "the page names a test of: %s",
  (_, { kind, code, tests }) => {
    expect(tests).not.toEqual([]);
    for (const { file, name } of tests) {
      expect([file, existsSync(join(ROOT, file))]).toEqual([file, true]);
      expect(readFileSync(join(ROOT, file), "utf8")).toContain(name);
    }
    if (kind === "block") expect(used.some((start) => code[0]?.startsWith(start))).toBeTrue();
  },
);
