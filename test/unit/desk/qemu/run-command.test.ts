import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../../../support/cache.ts";
import { rawCpio } from "../../../support/crafted-cpio.ts";
import { desk } from "../../../support/desk-in-process.ts";
import { packedChild } from "../../../support/packed-program.ts";

const MAIN = join(import.meta.dir, "../../../../src/main.ts");
const directory = scratchDirectory();
const image = join(directory, "image");
writeFileSync(image, rawCpio([{ name: "readme", data: "nothing" }]));
/** One with levain as its init, at a path that a shell would divide. */
const levainImage = join(directory, "of levain,\nby hand");
writeFileSync(levainImage, rawCpio([{ name: "init", data: readFileSync(await packedChild()), mode: 0o100755 }]));
const disk = join(directory, "disk");
writeFileSync(disk, new Uint8Array(1 << 20));

test.each<[argv: readonly string[], status: number, says: string]>([
  [[], 2, "Name an image, or a disk with --disk"],
  [["--disk", disk, "--cmdline", "ro"], 2, "--kernel and --cmdline need an image"],
  [
    ["--disk", disk, "--bus", "scsy"],
    2,
    'expected one of virtio, scsi, nvme, ahci, ide, usb, ehci, cdrom, sd but received "scsy"',
  ],
  [["--disk", disk, "--memory", "1G"], 2, 'expected a number of MiB but received "1G"'],
  [["--disk", "/dev/null"], 1, "it is neither a file nor a block device"],
  [[disk], 1, "is not an initramfs"],
  [[image], 1, "cannot find a kernel for the image: the image has no modules that say which one it is for"],
])("levain run %j", async (argv, status, says) => {
  const answer = await desk("run", ...argv);
  expect(answer.stderr).toContain(says);
  expect({ status: answer.status, stdout: answer.stdout }).toEqual({ status, stdout: "" });
});

/** A program in place of QEMU: it changes the terminal and dies without restoring it. */
function fakeQemu(script: string): string {
  const programs = mkdtempSync(join(directory, "programs-"));
  const path = join(programs, "qemu-system-x86_64");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return programs;
}

/** Runs `levain run` on a terminal of its own, between two looks at the terminal's settings. */
async function runOnTerminal(script: string): Promise<string> {
  const temporary = mkdtempSync(join(directory, "tmp-"));
  const levain = `'${process.execPath}' '${MAIN}' run '${image}' --kernel '${disk}'`;
  const child = Bun.spawn(["script", "-qec", `stty -g; ${levain}; echo "status $?"; stty -g`, "/dev/null"], {
    env: { ...process.env, PATH: `${fakeQemu(script)}:${process.env["PATH"]}`, TMPDIR: temporary, NO_COLOR: "1" },
    stdin: "ignore",
    stdout: Bun.file(join(temporary, "..", "said")),
  });
  await child.exited;
  expect(readdirSync(temporary)).toEqual([]);
  return Bun.file(join(temporary, "..", "said")).text();
}

test("the terminal is as it was when QEMU dies", async () => {
  const said = await runOnTerminal("stty raw -echo; kill -9 $$");
  const [before, ...rest] = said.trim().split("\r\n");
  expect(rest.at(-1)).toBe(before ?? "");
  // A terminal that is raw does not add the carriage return.
  expect(said).toContain("QEMU failed with status 137\r\n");
  expect(said).toContain("status 1\r\n");
});

const trial = ["doctor", levainImage, "--boot", "--disk", disk, "--kernel", disk, "--cmdline", "root=LABEL=A"];

test.each([
  ["SIGTERM", 15, ["run", image, "--kernel", disk]],
  ["SIGINT", 2, trial],
] as const)(
  "%s ends QEMU, and no temporary file is left",
  async (signal, number, argv) => {
    const temporary = mkdtempSync(join(directory, "tmp-"));
    const note = join(temporary, "..", `pid ${number}`);
    const child = Bun.spawn([process.execPath, MAIN, ...argv], {
      env: {
        ...process.env,
        PATH: `${fakeQemu(`echo $$ > '${note}'; exec sleep 600`)}:/usr/bin:/bin`,
        TMPDIR: temporary,
      },
      stdio: ["ignore", "ignore", "ignore"],
    });
    const noted = () =>
      Bun.file(note)
        .text()
        .catch(() => "");
    while (!(await noted()).endsWith("\n")) await Bun.sleep(20);
    const pid = Number(await noted());
    child.kill(signal);
    expect(await child.exited).toBe(128 + number);
    expect(readdirSync(temporary)).toEqual([]);
    // What is killed may wait for its parent to be told.
    const state = () =>
      Bun.file(`/proc/${pid}/stat`)
        .text()
        .then(
          (text) => /\) (\S)/.exec(text)?.[1] ?? "gone",
          () => "gone",
        );
    while (!["Z", "X", "gone"].includes(await state())) await Bun.sleep(20);
  },
  60_000,
);

test("a guest that finds no space for its changes is ended, not left waiting", async () => {
  const monitor = join(directory, "monitor.ts");
  const full = '{"QMP":{}}\n{"event":"BLOCK_IO_ERROR","data":{"action":"stop","nospace":true}}\n';
  writeFileSync(
    monitor,
    `setInterval(() => 0, 1000);
Bun.connect({ unix: process.argv[2], socket: { data() {}, open: (socket) => void socket.write(${JSON.stringify(full)}) } });`,
  );
  const path = "$(printf '%s\\n' \"$@\" | sed -n 's/^socket,id=qmp,path=//p')";
  const programs = fakeQemu(`exec '${process.execPath}' '${monitor}' "${path}"`);
  const child = Bun.spawn([process.execPath, MAIN, ...trial], {
    env: { ...process.env, PATH: `${programs}:/usr/bin:/bin` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  expect(await child.stderr.text()).toStartWith(
    "there is no space left for what the guest writes to its disks\nhint: ",
  );
  expect(await child.exited).toBe(1);
}, 60_000);

test("a panic ends the guest, however fast its last words follow each other", async () => {
  const script = `
log=$(printf '%s\\n' "$@" | sed -n 's/.*logfile=//p')
{
  seq 3000
  printf 'Kernel panic - not syncing: no init\\n---[ end Kernel panic'
} | dd bs=8 of="$log" oflag=append conv=notrunc status=none
exec sleep 600`;
  const PATH = `${fakeQemu(script)}:/usr/bin:/bin`;
  const runs = Array.from({ length: 2 }, async () => {
    const child = Bun.spawn([process.execPath, MAIN, "run", image, "--kernel", disk], {
      env: { ...process.env, PATH },
      stdio: ["ignore", "ignore", "pipe"],
    });
    return { said: await child.stderr.text(), status: await child.exited };
  });
  for (const { said, status } of await Promise.all(runs)) {
    expect(said).toContain("the guest's kernel panicked: no init");
    expect(status).toBe(1);
  }
}, 60_000);
