import { beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parseCompression } from "../../../../src/desk/archive/compress.ts";
import { buildImage } from "../../../../src/desk/image/image.ts";
import type { ImageOptions } from "../../../../src/desk/image/options.ts";
import { chooseShellPassword } from "../../../../src/desk/image/shell-password.ts";
import { readSegments } from "../../../../src/desk/inspect/segments.ts";
import { pack } from "../../../../src/desk/modules/packed-modules.ts";
import { writeTrailer } from "../../../../src/desk/program/trailer.ts";
import { deriveKey } from "../../../../src/keys/kdf.ts";
import { parsePasswordHash } from "../../../../src/keys/shell-password.ts";
import { IMAGE_KEY_LIST } from "../../../../src/plan/key-list.ts";
import { parseManifest } from "../../../../src/plan/manifest.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { readCpio } from "../../../support/read-cpio.ts";
import { laterRefusalOf } from "../../../support/refusal.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";
import { listenToVoice } from "../heard-voice.ts";
import { NO_OPTIONS } from "./no-options.ts";

// Any static program will do here; that dist/levain boots is for the tests in QEMU.
const OPTIONS: ImageOptions = { ...NO_OPTIONS, kernel: "none", init: BUSYBOX };

function readImage(path: string): ReadonlyMap<string, string> {
  return new Map(
    readCpio(readFileSync(path)).members.map(({ name, data }) => [name, Buffer.from(data).toString("latin1")]),
  );
}

function modeOf(path: string, name: string): number {
  return (readCpio(readFileSync(path)).members.find((member) => member.name === name)?.mode ?? 0) & 0o7777;
}

async function complaint(options: Partial<ImageOptions>): Promise<string> {
  return (await laterRefusalOf(() => buildImage({ ...OPTIONS, ...options }, listenToVoice()))).join("\n");
}

/** What every kernel of a distribution has, and gzip as the only compression. */
const CONFIG =
  "BLK_DEV_INITRD RD_GZIP BINFMT_ELF BINFMT_SCRIPT PROC_FS SYSFS TMPFS TMPFS_XATTR FUTEX EPOLL EVENTFD NET DEVTMPFS".split(
    " ",
  );

/** A lib/modules/6.1 with one module, in a root with a boot/config-6.1. */
function fakeKernel(): string {
  const root = scratchDirectory();
  const modulesDir = join(root, "lib/modules/6.1");
  mkdirSync(join(modulesDir, "kernel/fs"), { recursive: true });
  mkdirSync(join(root, "boot"));
  writeFileSync(join(root, "boot/config-6.1"), CONFIG.map((option) => `CONFIG_${option}=y\n`).join(""));
  writeFileSync(join(modulesDir, "modules.dep"), "kernel/fs/mine.ko:\n");
  writeFileSync(join(modulesDir, "modules.builtin.modinfo"), "kernel.license=GPL\0");
  for (const name of ["alias", "softdep", "order", "builtin"])
    writeFileSync(join(modulesDir, `modules.${name}`), "#\n");
  // Any ELF file can stand for a module: what is in it is not looked at here.
  writeFileSync(join(modulesDir, "kernel/fs/mine.ko"), readFileSync("/bin/true"));
  return modulesDir;
}

describe("an image", () => {
  const directory = scratchDirectory();
  const output = join(directory, "image");
  let modulesDir = "";
  let options = OPTIONS;

  beforeAll(() => {
    modulesDir = fakeKernel();
    writeFileSync(join(directory, "hook"), "#!/bin/sh\n");
    options = {
      ...OPTIONS,
      output,
      kernel: null,
      modulesDir,
      modules: ["mine"],
      additions: [{ source: join(directory, "hook"), destination: "/etc/hook" }],
      parameters: ["rd.timeout=5"],
    };
  });

  test("holds the program, BusyBox, the modules, the manifest and what was added", async () => {
    const { moduleCount, entryCount, unpackedBytes, imageBytes } = await buildImage(options, listenToVoice());
    const image = readImage(output);
    expect(image.get("init")).toBe(readFileSync(BUSYBOX, "latin1"));
    expect(image.get("bin/busybox")).toBe(readFileSync(BUSYBOX, "latin1"));
    expect(image.get("bin/levain")).toBe("/init");
    expect(image.get("lib/modules/6.1/kernel/fs/mine.ko.gz")).toBe(
      Buffer.from(pack(readFileSync("/bin/true"))).toString("latin1"),
    );
    expect(image.get("etc/hook")).toBe("#!/bin/sh\n");
    expect(image.get("etc/mtab")).toBe("../proc/mounts");
    expect(image.get("etc/passwd")).toStartWith("root:");
    expect(JSON.parse(image.get("etc/levain.json") ?? "")).toEqual({
      version: 1,
      kernel: "6.1",
      parameters: ["rd.timeout=5"],
    });
    expect({ moduleCount, entryCount, unpackedBytes, imageBytes }).toEqual({
      moduleCount: 1,
      entryCount: image.size,
      unpackedBytes: readFileSync(output).length,
      imageBytes: readFileSync(output).length,
    });
  });

  test("has the directories and nodes that a boot begins with", async () => {
    await buildImage(options, listenToVoice());
    const { members } = readCpio(readFileSync(output));
    const show = (wanted: string) => {
      const member = members.find(({ name }) => name === wanted);
      return `${member?.mode.toString(8)} ${member?.major}:${member?.minor}`;
    };
    expect(["tmp", "root", "proc", "sysroot"].map(show)).toEqual(["41777 0:0", "40700 0:0", "40755 0:0", "40755 0:0"]);
    expect(["dev/console", "dev/null", "dev/kmsg"].map(show)).toEqual(["20600 5:1", "20666 1:3", "20644 1:11"]);
    expect(["etc/passwd", "init"].map(show)).toEqual(["100644 0:0", "100755 0:0"]);
  });

  test("has a manifest that the boot accepts", async () => {
    await buildImage(options, listenToVoice());
    const text = readImage(output).get("etc/levain.json") ?? "";
    expect(parseManifest(Buffer.from(text)).parameters).toEqual(["rd.timeout=5"]);
  });

  test("begins with /init and its policy, and has nothing that the kernel would start in its place", async () => {
    const { fallbacks } = await buildImage(options, listenToVoice());
    const { members } = readCpio(readFileSync(output));
    const names = members.map(({ name }) => name);
    expect(names.slice(0, 4)).toEqual(["init", "etc", "etc/levain.cmdline", "etc/levain.json"]);
    expect(names).not.toContainAnyValues(["bin/sh", "sbin/init", "etc/init", "bin/init"]);
    expect(fallbacks).toEqual([]);
  });

  test("stores a program that is compressed already before all else, and says which runtime it has", async () => {
    const program = readFileSync(BUSYBOX);
    const both = join(directory, "both");
    const [plainSize, pagedOffset] = [program.length, program.length];
    const trailer = writeTrailer({ plainSize, pagedOffset, pagedSize: program.length });
    writeFileSync(both, Buffer.concat([program, program, trailer]));
    const asked = { ...options, init: both, compression: parseCompression("zstd:1") };
    const archivesOf = async (changes: Partial<ImageOptions>) => {
      const { runtime } = await buildImage({ ...asked, ...changes }, listenToVoice());
      const { segments } = readSegments(readFileSync(output));
      const first = segments[0]?.archives[0]?.members ?? [];
      expect(Buffer.compare(first[0]?.data ?? Buffer.of(), program)).toBe(0);
      const files = first.filter(({ mode }) => (mode & 0o170000) !== 0o040000);
      return [runtime.kind, ...segments.map(({ compression }) => compression), files.length < 10];
    };
    const config = join(modulesDir, "config");
    writeFileSync(config, "CONFIG_RD_ZSTD=y\nCONFIG_USERFAULTFD=y\n");
    expect(await archivesOf({})).toEqual(["paged", "none", "zstd", true]);
    expect(await archivesOf({ runtime: "plain" })).toEqual(["plain", "zstd", false]);
    writeFileSync(config, "CONFIG_RD_ZSTD=y\n# CONFIG_USERFAULTFD is not set\n");
    expect(await archivesOf({})).toEqual(["plain", "zstd", false]);
    expect(await archivesOf({ runtime: "paged" })).toEqual(["paged", "none", "zstd", true]);
    rmSync(config);
  });

  test("says what it has of that where it was asked for it, and warns where its own parameters forbid a shell", async () => {
    const tree = scratchDirectory();
    mkdirSync(join(tree, "bin"));
    symlinkSync("busybox", join(tree, "bin/init"));
    const additions = [{ source: join(tree, "bin"), destination: "/bin" }];
    const listen = listenToVoice();
    const asked = { ...options, additions, busybox: BUSYBOX };
    const { fallbacks } = await buildImage(asked, listen);
    expect(fallbacks).toEqual(["/bin/init"]);
    expect(listen.warnings).toEqual([]);
    await buildImage({ ...asked, parameters: ["rdshell=0"] }, listen);
    expect(listen.warnings).toEqual([
      "if the kernel cannot start /init, it starts /bin/init, regardless of rdshell=: leave it out of the image",
    ]);
    // Nor would the kernel start it by rdinit=.
    expect(modeOf(output, "bin/busybox")).toBe(0o644);
  });

  test("has no BusyBox where its own parameters forbid a shell", async () => {
    const listen = listenToVoice();
    const { hasBusybox } = await buildImage({ ...options, parameters: ["rd.shell=no"] }, listen);
    expect(hasBusybox).toBe(false);
    expect(readImage(output).has("bin/busybox")).toBe(false);
    expect(listen.warnings).toEqual([]);
  });

  test("with a shell password asks for it, also where stage0 decides, and keeps the hash from other users and from its list of keys", async () => {
    const line = {
      one: (name: string) => (name === "shell-password-file" ? join(directory, "secret") : null),
      has: () => false,
      all: () => [],
      words: [],
    };
    writeFileSync(join(directory, "secret"), "geheim\n");
    const { shellPassword = null } = (await chooseShellPassword(line, fakeMachine())) ?? {};
    const { asksPassword } = await buildImage({ ...options, busybox: BUSYBOX, shellPassword }, listenToVoice());
    expect(asksPassword).toBe(true);
    const image = readImage(output);
    expect(image.get("etc/levain.cmdline")).toBe("rdshell=ask\n");
    expect(parseManifest(Buffer.from(image.get("etc/levain.json") ?? "")).parameters).toEqual([
      "rdshell=ask",
      "rd.timeout=5",
    ]);
    expect(image.has(IMAGE_KEY_LIST.slice(1))).toBe(false);
    expect(["etc/levain.password", "bin/busybox"].map((name) => modeOf(output, name))).toEqual([0o600, 0o644]);
    expect(statSync(output).mode & 0o777).toBe(0o600);
    const { kdf, digest } = parsePasswordHash(image.get("etc/levain.password") ?? "") ?? expect.unreachable();
    expect(Buffer.from(deriveKey(kdf, Buffer.from("geheim"), digest.length))).toEqual(Buffer.from(digest));
  });

  test("writes the failure policy for stage0, and no other parameter", async () => {
    const strange = ['rd.strange="open', "--", "root=LABEL=\u{e0}rdshell", 'init_args="-a -b"', 'single="'];
    for (const policy of [["rdshell=0"], ["panic=+5", "rd.shell=NO"], ["rd.emergency=halt", "rescueshell"]]) {
      await buildImage({ ...options, parameters: [...strange, ...policy] }, listenToVoice());
      expect(readImage(output).get("etc/levain.cmdline")).toBe(`${policy.join(" ")}\n`);
    }
  });

  test.each(["none", "zstd:3", "gzip", "lz4:1", "xz:0"])("is the same each time, %s", async (method) => {
    const bytes: Buffer[] = [];
    for (const name of ["one", "two"]) {
      const summary = await buildImage(
        { ...options, output: join(directory, name), compression: parseCompression(method) },
        listenToVoice(),
      );
      bytes.push(readFileSync(summary.output));
    }
    expect(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0))).toBe(true);
  });

  test("that the kernel cannot unpack is warned of", async () => {
    const voice = listenToVoice();
    await buildImage({ ...options, compression: parseCompression("zstd:1") }, voice);
    expect(voice.warnings).toEqual([
      "kernel 6.1 is configured without support for an initramfs compressed with zstd: it cannot boot this image",
    ]);
    const content = listenToVoice();
    await buildImage({ ...options, compression: parseCompression("gzip") }, content);
    expect(content.warnings).toEqual([]);
  });

  test("gets the lines of modprobe.d that a boot obeys, and is warned of the others", async () => {
    const modprobe = join(directory, "modprobe.d");
    mkdirSync(modprobe, { recursive: true });
    writeFileSync(join(modprobe, "a.conf"), "options mine a=1\ninstall mine /bin/sh -c x\n");
    const voice = listenToVoice();
    await buildImage({ ...options, modprobeDirs: [modprobe] }, voice);
    expect(readImage(output).get("etc/modprobe.d/a.conf")).toEndWith("\noptions mine a=1\n");
    expect(voice.warnings).toEqual([expect.stringContaining('"install mine /bin/sh -c x"')]);
    rmSync(modprobe, { recursive: true });
    expect(await complaint({ ...options, modprobeDirs: [modprobe] })).toContain(`no directory ${modprobe}`);
  });

  test("has no keys where files of modprobe.d are closed to other users on this host", async () => {
    const modprobe = scratchDirectory();
    writeFileSync(join(modprobe, "a.conf"), "blacklist nouveau\n", { mode: 0o600 });
    const voice = listenToVoice();
    await buildImage({ ...options, modprobeDirs: [modprobe] }, voice);
    const file = readCpio(readFileSync(output)).members.find(({ name }) => name === "etc/modprobe.d/a.conf");
    expect(file?.mode).toBe(0o100644);
    expect(readImage(output).has(IMAGE_KEY_LIST.slice(1))).toBe(false);
    expect(voice.warnings).toEqual([]);
  });

  test("that will not load one of its filesystems is warned of", async () => {
    const modprobe = scratchDirectory();
    writeFileSync(join(modprobe, "a.conf"), "install mine /bin/false\n");
    const voice = listenToVoice();
    await buildImage({ ...options, modprobeDirs: [modprobe] }, voice);
    expect(voice.warnings).toEqual([expect.stringContaining(`mine will not be loaded: ${modprobe}/a.conf has`)]);
  });

  test("contains what its own parameters load, and soft dependencies of modprobe.d", async () => {
    const modules = options.modulesDir ?? "";
    const dep = readFileSync(join(modules, "modules.dep"), "utf8");
    writeFileSync(join(modules, "modules.dep"), `${dep}kernel/misc/extra.ko:\nkernel/misc/vfio.ko:\n`);
    mkdirSync(join(modules, "kernel/misc"));
    for (const name of ["extra", "vfio"])
      writeFileSync(join(modules, `kernel/misc/${name}.ko`), readFileSync("/bin/true"));
    const modprobe = scratchDirectory();
    writeFileSync(join(modprobe, "a.conf"), "softdep mine pre: vfio\n");
    const asked = { ...options, modprobeDirs: [modprobe], parameters: ["rd.modules=extra"] };
    expect(await buildImage(asked, listenToVoice())).toMatchObject({ moduleCount: 3 });
    expect([...readImage(output).keys()]).toContain("lib/modules/6.1/kernel/misc/vfio.ko.gz");
    rmSync(join(modules, "kernel/misc"), { recursive: true });
    writeFileSync(join(modules, "modules.dep"), dep);
  });

  test("an addition can replace a default file", async () => {
    writeFileSync(join(directory, "profile"), "mine");
    const additions = [{ source: join(directory, "profile"), destination: "/etc/profile" }];
    await buildImage({ ...options, additions }, listenToVoice());
    expect(readImage(output).get("etc/profile")).toBe("mine");
  });

  test("reports its progress", async () => {
    const voice = listenToVoice();
    await buildImage(options, voice);
    expect(voice.progressed.at(-1)).toBe("packing: 100 %");
  });
});

describe("a mistake leaves no file behind, and says what it is", () => {
  const directory = scratchDirectory();
  const output = join(directory, "image");
  const check = async (options: Partial<ImageOptions>, ...parts: readonly string[]) => {
    const said = await complaint({ output, ...options });
    for (const part of parts) expect(said).toContain(part);
    expect(readdirSync(directory)).toEqual([]);
  };

  test("a module that the kernel does not have", () =>
    check({ kernel: null, modulesDir: fakeKernel(), modules: ["min"] }, "min", "mine"));

  test("a module whose file is missing", async () => {
    const modulesDir = fakeKernel();
    rmSync(join(modulesDir, "kernel/fs/mine.ko"));
    await check({ kernel: null, modulesDir, modules: ["mine"] }, "kernel/fs/mine.ko", "no such file");
  });

  test("a directory without modules", async () => {
    await check({ kernel: null, modulesDir: scratchDirectory() }, "no kernel modules in", "--kernel none");
  });

  test("a kernel without a list that only its build can write", async () => {
    const modulesDir = fakeKernel();
    rmSync(join(modulesDir, "modules.builtin"));
    await check({ kernel: null, modulesDir }, "modules.builtin is missing, empty or cut off", "reinstall the kernel");
  });

  test("a checker that is a link to nothing", async () => {
    const tree = scratchDirectory();
    symlinkSync("e2fsck", join(tree, "fsck.ext4"));
    const additions = [{ source: join(tree, "fsck.ext4"), destination: "/sbin/fsck.ext4" }];
    await check({ additions }, "/sbin/fsck.ext4 cannot be started", "--program /sbin/fsck.ext4");
  });

  test("a parameter that the boot would refuse", () =>
    check({ parameters: ["rd.timeout=soon"] }, "rd.timeout=soon", "levain.toml"));

  test("something to add that is not there", () =>
    check({ additions: [{ source: "/no/such", destination: "/x" }] }, "cannot add /no/such to the image"));

  test("a file that vanishes while the image is written", async () => {
    const file = join(scratchDirectory(), "file");
    writeFileSync(file, "x");
    chmodSync(file, 0o644);
    const voice = listenToVoice();
    // The first piece is on its way when the file goes.
    const vanishing = {
      ...voice,
      progress: (text: string) => void (text.startsWith("packing") && rmSync(file, { force: true })),
    };
    const options = { ...OPTIONS, output, additions: [{ source: file, destination: "/zzz" }] };
    await expect(buildImage(options, vanishing)).rejects.toThrow(BootError);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a place that cannot be written to, before any work", async () => {
    const voice = listenToVoice();
    const options = { ...OPTIONS, kernel: null, modulesDir: fakeKernel(), output: join(directory, "no/image") };
    await expect(buildImage(options, voice)).rejects.toThrow("cannot write");
    expect(voice.progressed).toEqual([]);
  });
});

describe("keymaps", () => {
  const build = async (options: Partial<ImageOptions>) => {
    const output = join(scratchDirectory(), "image");
    await buildImage({ ...OPTIONS, ...options, output }, listenToVoice());
    const files = readImage(output);
    return {
      keymaps: [...files.keys()].filter((name) => name.startsWith("etc/levain/keymaps/")).sort(),
      parameters: JSON.parse(files.get("etc/levain.json") ?? "").parameters,
      files,
    };
  };

  test("come in converted, and the first is the one that is used", async () => {
    const { keymaps, parameters, files } = await build({ keymaps: ["de-latin1", "fr"], parameters: ["quiet"] });
    expect(keymaps).toEqual(["etc/levain/keymaps/de-latin1.bmap", "etc/levain/keymaps/fr.bmap"]);
    expect(parameters).toEqual(["rd.vconsole.keymap=de-latin1", "quiet"]);
    expect(files.get("etc/levain/keymaps/de-latin1.bmap")).toStartWith("bkeymap");
  });

  test("the one in the image's own parameters is added, and overrides the others", async () => {
    const { keymaps, parameters } = await build({ keymaps: ["fr"], parameters: ["rd.vconsole.keymap=de-latin1"] });
    expect(keymaps).toEqual(["etc/levain/keymaps/de-latin1.bmap", "etc/levain/keymaps/fr.bmap"]);
    expect(parameters).toEqual(["rd.vconsole.keymap=fr", "rd.vconsole.keymap=de-latin1"]);
  });

  test("an image has none by default", async () => {
    expect(await build({})).toMatchObject({ keymaps: [], parameters: [] });
  });

  test("one that this host does not have is refused before anything is written", async () => {
    const output = join(scratchDirectory(), "image");
    expect(await complaint({ keymaps: ["de-latin"], output })).toStartWith(
      'this host has no keymap "de-latin"\nseen:\n  de-latin1\n',
    );
    expect(existsSync(output)).toBe(false);
  });
});

test("parameters of single machines count for the keys and keymaps of the image, and are checked", async () => {
  const output = join(scratchDirectory(), "image");
  const key = join(scratchDirectory(), "data");
  writeFileSync(key, "secret", { mode: 0o644 });
  const voice = listenToVoice();
  const machines = {
    one: ["rd.luks.uuid=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c", "rd.luks.key=/keys/one"],
    two: ["rd.luks.kye=/keys/two"],
  };
  const additions = [{ source: key, destination: "/keys/one" }];
  await buildImage({ ...OPTIONS, output, machines, additions }, voice);
  expect(readImage(output).get("etc/levain.keys")).toBe("/keys/one\0");
  expect(voice.warnings.join("\n")).toContain("rd.luks.kye");
  const twice = [
    "rd.luks.name=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c=a",
    "rd.luks.name=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5d=a",
  ];
  expect(await complaint({ output, machines: { one: twice } })).toContain('two encrypted devices use the name "a"');
});
