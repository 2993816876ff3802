import { beforeEach, describe, expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { hookText } from "../../../../src/desk/install/hook-texts.ts";
import { printable } from "../../../../src/problems/report.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run, runScript } from "../../../support/command.ts";
import { desk } from "../../../support/desk-in-process.ts";
import { efiKernel } from "../../../support/efi-kernel.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";
import { createScene, QUICK } from "./scene.ts";

let { root, write, read, exists, addKernel, makeDebian } = createScene();

/** Every file of the tree with its content and mode, directories and links, but for the program. */
function look(): Promise<string> {
  const list = `cd "$1"; find . \\( -path ./usr/local -o -name diversions-old \\) -prune -o -printf '%p %y %m %l ' -a \\( -type f -exec sha256sum {} \\; -o -printf '\\n' \\) | sort`;
  return runScript(list, [root]);
}

const install = (...words: readonly string[]) => desk("install", "--root", root, "--program", BUSYBOX, ...words);
const uninstall = (...words: readonly string[]) => desk("uninstall", "--root", root, ...words);

beforeEach(() => {
  ({ root, write, read, exists, addKernel, makeDebian } = createScene());
});

describe("Debian", () => {
  const IMAGE = "/boot/initrd.img-6.1";

  beforeEach(() => makeDebian("6.1"));

  test("gets hooks and images, and is as before afterwards", async () => {
    const before = await look();
    const dry = JSON.parse((await install("--dry-run", "--json")).stdout);
    expect(await look()).toBe(before);
    const { status, stdout, stderr } = await install();
    expect([status, stderr]).toEqual([0, ""]);
    const described = dry.changes.map(({ path, does }: Record<string, string>) => `${printable(path ?? "")}  ${does}`);
    const lines = stdout.trim().split("\n");
    expect([`${dry.distribution} (found ${dry.found})`, ...described]).toEqual(
      lines.map((line) => line.replace(/[\d.]+ MiB in [\d.]+ s$/, "the image of kernel 6.1")),
    );
    expect(stdout).toContain("Debian (found /var/lib/dpkg/status)");
    expect(stdout).toContain("zz-levain  builds the image of each kernel that is installed");
    expect(read("/usr/sbin/update-initramfs")).toContain("levain in place of initramfs-tools");
    expect(read("/usr/sbin/update-initramfs.distrib")).toBe("#!/bin/sh\n");
    expect(read(`${IMAGE}.before-levain`)).toBe("made by initramfs-tools");
    expect(read(IMAGE)).not.toBe("made by initramfs-tools");
    const record = read("/var/lib/levain/install.json");
    expect((await uninstall()).status).toBe(0);
    expect(await look()).toBe(before);
    // An uninstallation that is ended before its last step can be done again.
    write("/var/lib/levain/install.json", record);
    expect(await uninstall()).toMatchObject({ status: 0, stderr: "" });
    expect(await look()).toBe(before);
  });

  test("gets an image for a new kernel, and keeps the others", async () => {
    await install();
    const old = read(IMAGE);
    addKernel("6.2");
    const { status, stdout } = await install("--kernel", "6.2", "--json");
    const image = {
      path: join(root, "/boot/initrd.img-6.2"),
      kernel: "6.2",
      bytes: fs.statSync(join(root, "/boot/initrd.img-6.2")).size,
    };
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ isDryRun: false, problems: [], changes: [expect.objectContaining(image)] }),
    ]);
    expect(read(IMAGE)).toBe(old);
    expect(exists("/boot/initrd.img-6.2.before-levain")).toBeFalse();
    expect((await uninstall("--kernel", "6.2")).status).toBe(0);
    expect(exists("/boot/initrd.img-6.2")).toBeFalse();
    expect(read(IMAGE)).toBe(old);
  });

  test("keeps the last good image if a build fails, and says so", async () => {
    await install();
    const good = read(IMAGE);
    write("/etc/levain.toml", 'busybox = "/etc/passwd"\n');
    const { status, stdout, stderr } = await install("--kernel", "6.1", "--json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ changes: [], problems: [stderr.trim()] });
    expect(stderr).toContain("kernel 6.1 has no new image: ");
    expect(stderr).toContain("/boot/initrd.img-6.1 is still the one from before\n");
    expect(stderr).toContain("/etc/passwd cannot be the image's BusyBox");
    expect(stderr).toContain('each option is a key of /etc/levain.toml: busybox = "none" is --busybox none');
    expect(read(IMAGE)).toBe(good);
    write("/etc/levain.toml", `${QUICK}parameters = ["rd.timeout=7"]\n`);
    expect((await install("--kernel", "all")).status).toBe(0);
    expect(read(IMAGE)).not.toBe(good);
  });

  test("keeps what was changed since, and says so", async () => {
    await install();
    write("/etc/kernel/postinst.d/zz-levain", "mine");
    write(IMAGE, "made by another program");
    const { status, stderr } = await uninstall();
    expect(status).toBe(1);
    expect(stderr).toContain("zz-levain: it was changed since levain install, so it stays");
    expect(stderr).toContain("initrd.img-6.1: levain did not write it, so it stays");
    expect(read("/etc/kernel/postinst.d/zz-levain")).toBe("mine");
    expect(read(IMAGE)).toBe("made by another program");
    expect(read("/usr/sbin/update-initramfs")).toBe("#!/bin/sh\n");
  });

  test("gets the image from before only for the kernel that it was made for", async () => {
    await install();
    write("/boot/vmlinuz-6.1", "another build");
    const { status, stderr } = await uninstall();
    expect([status, stderr]).toEqual([1, expect.stringContaining("run in that system: update-initramfs -c -k 6.1")]);
  });

  test("is the same after two installations, also of another version", async () => {
    await install();
    const once = await look();
    expect((await install()).status).toBe(0);
    expect(await look()).toBe(once);
    const other = join(scratchDirectory(), "levain");
    fs.writeFileSync(other, Buffer.concat([fs.readFileSync(BUSYBOX), Buffer.from("newer")]), { mode: 0o755 });
    expect((await desk("install", "--root", root, "--program", other)).status).toBe(0);
    write("/usr/bin/levain", fs.readFileSync(BUSYBOX), 0o755);
    expect((await desk("install", "--root", root, "--program", join(root, "usr/bin/levain"))).status).toBe(0);
    expect(exists("/usr/local/bin/levain")).toBeFalse();
    expect(read("/etc/kernel/postinst.d/zz-levain")).toContain("exec /usr/bin/levain install");
    expect((await uninstall()).status).toBe(0);
    expect(exists("/usr/bin/levain")).toBeTrue();
    expect(read(IMAGE)).toBe("made by initramfs-tools");
  });

  test.each(["usr/local", "var/lib/levain"])("is not changed if %s cannot be written", async (path) => {
    fs.symlinkSync("/proc/self/nowhere", join(root, path));
    const before = read(IMAGE);
    const { status, stderr } = await install();
    expect([status, stderr]).toEqual([1, expect.stringContaining("hint: run the command as root")]);
    expect(stderr).toContain("cannot write");
    expect(read(IMAGE)).toBe(before);
    expect(exists("/etc/kernel/postinst.d/zz-levain")).toBeFalse();
  });
});

describe("the hooks of Debian, as run-parts and packages run them", () => {
  const calls = () => (exists("/calls") ? read("/calls").trim().split("\n") : []);
  let program = "";

  beforeEach(() => {
    program = join(scratchDirectory(), "levain");
    fs.writeFileSync(program, `#!/bin/sh\necho "$*" >> "${root}/calls"\n`, { mode: 0o755 });
    write("/postinst.d/zz-levain", hookText("postinst", program), 0o755);
    write("/postrm.d/zz-levain", hookText("postrm", program), 0o755);
    write("/update-initramfs", hookText("updateInitramfs", program), 0o755);
  });

  const parts = (name: string, params: string) =>
    run(["run-parts", "--arg=6.1", "--arg=/boot/vmlinuz-6.1", join(root, name)], {
      environment: { DEB_MAINT_PARAMS: params },
    });
  const update = (params: string, ...words: readonly string[]) =>
    run([join(root, "update-initramfs"), ...words], { environment: { DEB_MAINT_PARAMS: params } });

  test("act when a kernel is configured or removed", async () => {
    await parts("postinst.d", "'configure' '6.0'");
    await parts("postinst.d", "");
    await parts("postrm.d", "'remove'");
    await parts("postinst.d", "'abort-upgrade' '6.0'");
    await parts("postrm.d", "'upgrade' '6.2'");
    expect(calls()).toEqual(["install --kernel 6.1", "install --kernel 6.1", "uninstall --kernel 6.1"]);
  });

  test("act once where initramfs-tools has hooks too", async () => {
    await update("'configure' '6.0'", "-c", "-k", "6.1", "-b", "/boot");
    await update("", "-u");
    await update("", "-u", "-k", "all");
    await update("", "-c", "-k6.1", "-v");
    await update("", "-d", "-k", "6.1");
    expect(calls()).toEqual([
      "install --kernel all",
      "install --kernel all",
      "install --kernel 6.1",
      "uninstall --kernel 6.1",
    ]);
    await expect(update("", "-k", "6.1")).rejects.toThrow("Usage: update-initramfs");
  });

  test("leave it to the trigger of initramfs-tools if another package asks for new images", async () => {
    write("/update-initramfs", hookText("updateInitramfs", program).replace("/var/lib/dpkg", `"${root}"/dpkg`), 0o755);
    write("/bin/dpkg-trigger", `#!/bin/sh\necho "trigger $*" >> "${root}/calls"\n`, 0o755);
    const environment = { PATH: `${join(root, "bin")}:${process.env["PATH"]}`, DPKG_MAINTSCRIPT_PACKAGE: "udev" };
    const ask = (...words: readonly string[]) => run([join(root, "update-initramfs"), ...words], { environment });
    await ask("-u");
    write("/dpkg/info/initramfs-tools.triggers", "");
    await ask("-u");
    await ask("-u", "-k", "6.1");
    expect(calls()).toEqual(["install --kernel all", "trigger --no-await update-initramfs", "install --kernel 6.1"]);
  });

  test("fail if levain fails, so that the package of the kernel is not configured", async () => {
    fs.writeFileSync(program, "#!/bin/sh\nexit 1\n");
    await expect(parts("postinst.d", "'configure'")).rejects.toThrow();
  });
});

describe("kernel-install", () => {
  const PLUGIN = "/etc/kernel/install.d/50-levain.install";
  const CONF = "/etc/kernel/install.conf";
  const IMAGE = "/boot/initramfs-6.1.img";

  beforeEach(() => {
    write("/usr/bin/kernel-install", "");
    write("/usr/lib/kernel/install.conf", "layout=bls\ninitrd_generator=dracut\n");
    write(IMAGE, "made by dracut");
    addKernel("6.1");
  });

  test("gets a plugin and names it as the generator, and is as before afterwards", async () => {
    const before = await look();
    expect((await install()).status).toBe(0);
    expect(read(CONF)).toBe("layout=bls\ninitrd_generator=levain\n");
    expect(read(PLUGIN)).toContain("/usr/local/bin/levain install --kernel");
    expect(read(IMAGE)).not.toBe("made by dracut");
    expect((await uninstall()).status).toBe(0);
    expect(await look()).toBe(before);
  });

  test("has its own generator again, also if install.conf was changed since", async () => {
    write(CONF, "initrd_generator=dracut\nlayout=other");
    await install();
    expect(read(CONF)).toBe("initrd_generator=levain\nlayout=other");
    write(CONF, "# mine\ninitrd_generator=levain\nuki_generator=levain\n");
    expect((await uninstall()).status).toBe(0);
    expect(read(CONF)).toBe("# mine\ninitrd_generator=dracut\n");
  });

  test("gets the image where its layout has it", async () => {
    const program = join(scratchDirectory(), "levain");
    fs.writeFileSync(program, '#!/bin/sh\necho "$*"\n', { mode: 0o755 });
    write("/plugin", hookText("kernelInstall", program), 0o755);
    const plugin = (layout: string, environment: Readonly<Record<string, string>>, ...words: readonly string[]) =>
      run([join(root, "plugin"), ...words], {
        environment: {
          KERNEL_INSTALL_INITRD_GENERATOR: "levain",
          KERNEL_INSTALL_STAGING_AREA: "/staging",
          KERNEL_INSTALL_LAYOUT: layout,
          ...environment,
        },
      });
    const add = ["add", "6.1", "/nowhere", "/vmlinuz"];
    expect(await plugin("other", {}, ...add)).toBe("install --kernel 6.1\n");
    expect(await plugin("bls", {}, "add", "6.1", "/", "/vmlinuz")).toBe(
      "install --kernel 6.1 --output /staging/initrd\n",
    );
    expect(await plugin("uki", {}, ...add)).toBe("install --kernel 6.1 --output /staging/initrd\n");
    expect(await plugin("uki", { KERNEL_INSTALL_UKI_GENERATOR: "levain" }, ...add)).toStartWith(
      "install --kernel 6.1 --output /staging/uki.efi --uki --linux /vmlinuz",
    );
    expect(await plugin("bls", {}, "remove", "6.1", "/")).toBe("uninstall --kernel 6.1\n");
    expect(await plugin("bls", { KERNEL_INSTALL_INITRD_GENERATOR: "dracut" }, ...add)).toBe("");
    expect(await plugin("bls", { KERNEL_INSTALL_IMAGE_TYPE: "uki" }, ...add)).toBe("");
    expect(await plugin("bls", {}, ...add, "/given.img")).toBe("");
  });
});

describe("Arch Linux", () => {
  const MASK = "/etc/pacman.d/hooks/90-mkinitcpio-install.hook";

  beforeEach(() => {
    write("/usr/share/libalpm/hooks/90-mkinitcpio-install.hook", "[Trigger]\n");
    write("/usr/bin/kernel-install", "");
    addKernel("6.1-arch1", "/usr/lib/modules/6.1-arch1/vmlinuz");
    write("/usr/lib/modules/6.1-arch1/pkgbase", "linux\n");
  });

  test("gets hooks of pacman in place of those of mkinitcpio, and is as before afterwards", async () => {
    write("/boot/initramfs-linux.img", "made by mkinitcpio");
    write("/boot/vmlinuz-linux", "kernel 6.1-arch1");
    const before = await look();
    const { status, stderr } = await install();
    expect([status, stderr]).toEqual([0, ""]);
    expect(fs.readlinkSync(join(root, MASK))).toBe("/dev/null");
    expect(read("/etc/pacman.d/hooks/90-levain-install.hook")).toContain(
      "Exec = /usr/local/bin/levain install --kernel -\n",
    );
    expect(read("/boot/initramfs-linux.img")).not.toBe("made by mkinitcpio");
    expect((await uninstall()).status).toBe(0);
    expect(await look()).toBe(before);
  });

  test("gets the image where the preset says, and the kernel beside it", async () => {
    const preset = (text: string) => write("/etc/mkinitcpio.d/linux.preset", text);
    preset(`ALL_kver="/efi/vmlinuz-linux"\ndefault_image="/efi/initramfs-linux.img"\n`);
    fs.mkdirSync(join(root, "efi"));
    expect((await install()).status).toBe(0);
    expect(exists("/efi/initramfs-linux.img")).toBeTrue();
    expect(read("/efi/vmlinuz-linux")).toBe("kernel 6.1-arch1");
    await uninstall();
    for (const name of fs.readdirSync(join(root, "efi"))) fs.rmSync(join(root, "efi", name));
    // A file of the kernel's package, which stays what it is; the first of the presets, not the one that is called default.
    preset("PRESETS=('mine' 'default')\nALL_kver=/usr/lib/modules/6.1-arch1/vmlinuz\nmine_image=/efi/mine.img\n");
    expect((await install()).status).toBe(0);
    expect(fs.readdirSync(join(root, "efi"))).toEqual(["mine.img"]);
    write("/usr/lib/modules/6.1-arch1/vmlinuz", efiKernel("6.1-arch1"));
    write("/etc/kernel/cmdline", "root=LABEL=ROOT\n");
    write("/etc/cmdline.d/more.conf", "# no parameter\nquiet\n");
    preset("ALL_uki=/efi/linux.efi\n");
    expect(await install()).toMatchObject({ status: 0, stderr: "" });
    const inspected = await desk("inspect", "--json", join(root, "efi/linux.efi"));
    expect(JSON.parse(inspected.stdout).uki.cmdline).toBe("root=LABEL=ROOT quiet");
  });
});

describe("a system with files of another package manager", () => {
  test("is what os-release(5) says: Arch's package of dpkg has an empty status file", async () => {
    write("/var/lib/dpkg/status", "");
    write("/usr/share/libalpm/hooks/90-mkinitcpio-install.hook", "[Trigger]\n");
    expect((await install("--dry-run")).stdout).toContain("Debian (found /var/lib/dpkg/status)");
    write("/usr/lib/os-release", 'NAME="EndeavourOS"\nID=endeavouros\nID_LIKE="arch"\n');
    fs.symlinkSync("/usr/lib/os-release", join(root, "etc/os-release"));
    expect((await install("--dry-run")).stdout).toContain("Arch Linux (found /usr/share/libalpm/hooks)");
  });

  test("openSUSE is left alone: its kernel packages run dracut whatever kernel-install says", async () => {
    write("/usr/bin/kernel-install", "");
    write("/usr/lib/module-init-tools/regenerate-initrd-posttrans", "#!/bin/sh\n", 0o755);
    write("/etc/os-release", 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n');
    addKernel("6.1-default");
    const { status, stderr } = await install();
    expect([status, exists("/etc/kernel/install.d"), exists("/usr/local")]).toEqual([1, false, false]);
    expect(stderr).toContain("/usr/lib/module-init-tools/regenerate-initrd-posttrans runs dracut");
    expect(stderr).toContain("levain image --kernel VERSION -o /boot/levain-VERSION.img");
  });
});

test("only levain's own directory is private in a system that has no /var yet", async () => {
  fs.rmSync(join(root, "var"), { recursive: true });
  write("/usr/share/libalpm/hooks/90-mkinitcpio-install.hook", "[Trigger]\n");
  expect((await install()).status).toBe(0);
  const modeOf = (path: string) => (fs.statSync(join(root, path)).mode & 0o777).toString(8);
  expect(["var", "var/lib", "var/lib/levain"].map(modeOf)).toEqual(["755", "755", "700"]);
});

test("a system that is unknown is left alone, and what levain knows is said", async () => {
  const { status, stderr } = await install();
  expect([status, exists("/usr/local")]).toEqual([1, false]);
  expect(stderr).toContain("cannot find out how this system installs kernels");
  expect(stderr).toContain("levain image --kernel VERSION");
});

test("a system without levain has nothing to take back, and no hooks to build for", async () => {
  write("/var/lib/dpkg/status", "");
  expect(await uninstall()).toMatchObject({ status: 1, stderr: "levain install has changed nothing in this system\n" });
  expect(await uninstall("--kernel", "6.1")).toMatchObject({ status: 0, stderr: "" });
  expect((await install("--kernel", "6.1")).stderr).toContain("run levain install without --kernel first");
  for (const wrong of ["../6.1", "6.1/..", "-x", "a b", "a\nb"]) {
    expect(await install(`--kernel=${wrong}`)).toMatchObject({ status: 2 });
  }
});
