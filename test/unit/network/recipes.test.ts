// The recipes for servers in docs/network.md, as they are there but for paths and ports. Those of vblade and /etc/exports are in
// test/vm, and the line of dnsmasq is in real-network.test.ts.
import { expect, test } from "bun:test";
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseSums } from "../../../src/formats/checks/sums-file.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { runScript } from "../../support/command.ts";
import { freePort } from "../../support/network/free-port.ts";
import { askNbd } from "../../support/network/nbd-client.ts";
import { recipe } from "../../support/network/recipes.ts";
import { TEST_PROGRAMS } from "../../support/test-programs.ts";

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
