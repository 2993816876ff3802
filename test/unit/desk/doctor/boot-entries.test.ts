import { describe, expect, test } from "bun:test";
import type { BootEntry } from "../../../../src/desk/boot-entries/entry.ts";
import { findBootEntries } from "../../../../src/desk/boot-entries/find-entries.ts";
import type { FakeTree } from "../../../support/fake-files.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";

const MOUNTED = { "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs" };

function entriesOf(files: FakeTree, sys: FakeTree = {}, mountinfo = ""): readonly BootEntry[] {
  const machine = fakeMachine({ isBoot: false, mounted: MOUNTED, files, sys });
  const readFile = (path: string) => {
    const bytes = machine.readFile(path);
    return path === "/proc/self/mountinfo" ? Buffer.concat([bytes, Buffer.from(mountinfo)]) : bytes;
  };
  return findBootEntries({ ...machine, readFile }) ?? [];
}

const titles = (entries: readonly BootEntry[]) =>
  entries.map(({ title, isDefault }) => `${isDefault ? "*" : " "}${title}`);

// As grub-mkconfig of Debian 12 writes it, shortened.
const GRUB = `
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
else
   set default="DEFAULT"
fi
function gfxmode {
	set gfxpayload="\${1}"
}
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {
	load_video
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	search --no-floppy --fs-uuid --set=root 1
	echo	'Loading Linux 6.1.0-25-amd64 ...'
	linux	/vmlinuz-6.1.0-25-amd64 root=UUID=1 ro  quiet $vt_handoff
	initrd	/intel-ucode.img /initrd.img-6.1.0-25-amd64
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1' {
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-25-amd64' $menuentry_id_option 'gnulinux-6.1.0-25-amd64-advanced-1' {
		linux	/vmlinuz-6.1.0-25-amd64 root=UUID=1 ro
		initrd	/initrd.img-6.1.0-25-amd64
	}
	menuentry "Debian's old, with Linux 6.1.0-9-amd64" $menuentry_id_option 'gnulinux-6.1.0-9-amd64-advanced-1' {
		linux	/vmlinuz-6.1.0-9-amd64 root=UUID=1 ro
		initrd	/initrd.img-6.1.0-9-amd64
	}
}
menuentry 'UEFI Firmware Settings' { fwsetup
}
`;
const grub = (chosen: string, environment = "") => ({
  "/boot/grub/grub.cfg": GRUB.replace("DEFAULT", chosen),
  "/boot/grub/grubenv": `# GRUB Environment Block\n${environment}####`,
  "/boot/vmlinuz-6.1.0-25-amd64": "kernel",
  "/boot/initrd.img-6.1.0-25-amd64": "image",
  "/boot/intel-ucode.img": "microcode",
});

describe("boot entries", () => {
  test("GRUB: files of a /boot of its own, microcode, and a command line without GRUB's variables", () => {
    const [first] = entriesOf(grub("0"), {}, "99 1 8:2 / /boot rw - ext4 /dev/vda2 rw\n");
    expect(first).toEqual({
      loader: "GRUB",
      config: "/boot/grub/grub.cfg",
      title: "Debian GNU/Linux",
      kernel: "/boot/vmlinuz-6.1.0-25-amd64",
      initrds: ["/boot/intel-ucode.img", "/boot/initrd.img-6.1.0-25-amd64"],
      cmdline: "root=UUID=1 ro quiet",
      isDefault: true,
    });
  });

  test.each([
    ["1>1", "", "Debian's old, with Linux 6.1.0-9-amd64"],
    ["gnulinux-advanced-1>gnulinux-6.1.0-25-amd64-advanced-1", "", "Debian GNU/Linux, with Linux 6.1.0-25-amd64"],
    ["Debian GNU/Linux", "", "Debian GNU/Linux"],
    ["$saved_entry", "saved_entry=1>1\n", "Debian's old, with Linux 6.1.0-9-amd64"],
    ["$saved_entry", "", "Debian GNU/Linux"],
    ["0", "next_entry=1>0\n", "Debian GNU/Linux, with Linux 6.1.0-25-amd64"],
  ])("GRUB: the default is %s with %j", (chosen, environment, title) => {
    const found = entriesOf(grub(chosen, environment));
    expect(found.filter(({ isDefault }) => isDefault).map((entry) => entry.title)).toEqual([title]);
  });

  test("GRUB: a subvolume of btrfs is a directory for it", () => {
    const files = { "/boot/grub/grub.cfg": "menuentry a {\nlinux /@/boot/vmlinuz root=a\ninitrd /@/boot/initrd\n}\n" };
    const [entry] = entriesOf(files, {}, "99 1 0:30 /@ / rw - btrfs /dev/vda2 rw,subvol=/@\n");
    expect(entry?.initrds).toEqual(["/boot/initrd"]);
  });

  const SYSTEMD = {
    "/efi/loader/loader.conf": "timeout 3\ndefault debian-*\n",
    "/efi/loader/entries/debian-6.1.0-9.conf":
      "title Debian\nversion 6.1.0-9\nlinux /debian/6.1.0-9/linux\ninitrd /debian/6.1.0-9/initrd\noptions root=UUID=1\noptions ro\n",
    "/efi/loader/entries/debian-6.1.0-10.conf":
      "title Debian\nversion 6.1.0-10\nlinux /debian/6.1.0-10/linux\ninitrd /debian/6.1.0-10/initrd\noptions root=UUID=1 ro\n",
    "/efi/EFI/Linux/other.efi": "unified",
  };

  test("systemd-boot: the newest version that loader.conf names is the default; a unified image is kernel and initramfs", () => {
    const found = entriesOf(SYSTEMD);
    expect(found.find(({ isDefault }) => isDefault)).toMatchObject({
      config: "/efi/loader/entries/debian-6.1.0-10.conf",
      kernel: "/efi/debian/6.1.0-10/linux",
      initrds: ["/efi/debian/6.1.0-10/initrd"],
      cmdline: "root=UUID=1 ro",
    });
    expect(found.find(({ config }) => config.endsWith("9.conf"))?.cmdline).toBe("root=UUID=1 ro");
    expect(found.find(({ title }) => title === "other.efi")).toMatchObject({ initrds: ["/efi/EFI/Linux/other.efi"] });
  });

  test("Fedora's GRUB: the saved entry of the same files is the default; in /boot of a root filesystem, paths begin at its top", () => {
    const entry = (version: string) =>
      `title Fedora\nversion ${version}\nlinux /boot/vmlinuz-${version}\ninitrd /boot/initramfs-${version}.img\noptions root=UUID=1 ro $kernelopts\ngrub_users $grub_users\n`;
    const files = {
      "/boot/loader/entries/1f-6.11.4-301.fc41.x86_64.conf": entry("6.11.4-301.fc41.x86_64"),
      "/boot/loader/entries/1f-6.12.5-200.fc41.x86_64.conf": entry("6.12.5-200.fc41.x86_64"),
      "/boot/vmlinuz-6.11.4-301.fc41.x86_64": "kernel",
      "/boot/initramfs-6.11.4-301.fc41.x86_64.img": "image",
    };
    const defaultOf = (grubenv: string) =>
      entriesOf({ ...files, "/boot/grub2/grubenv": grubenv }).find(({ isDefault }) => isDefault);
    expect(defaultOf("saved_entry=1f-6.11.4-301.fc41.x86_64\nkernelopts=quiet\n")).toMatchObject({
      kernel: "/boot/vmlinuz-6.11.4-301.fc41.x86_64",
      initrds: ["/boot/initramfs-6.11.4-301.fc41.x86_64.img"],
      cmdline: "root=UUID=1 ro quiet",
    });
    expect(defaultOf("saved_entry=removed\n")?.kernel).toContain("6.12.5-200");
  });

  describe("the firmware of a Raspberry Pi", () => {
    const FILES = {
      ...{ "/boot/firmware/kernel8.img": "kernel", "/boot/firmware/initramfs8": "image" },
      ...{ "/boot/firmware/kernel_2712.img": "kernel", "/boot/firmware/initramfs_2712": "image" },
      "/boot/firmware/cmdline.txt": "console=tty1 root=PARTUUID=1-02 rootwait\n",
    };
    const onPi = (config: string, release: string, compatible = "raspberrypi,5-model-b\0brcm,bcm2712\0") => {
      const files = { ...FILES, "/boot/firmware/config.txt": config };
      const machine = fakeMachine({ isBoot: false, mounted: MOUNTED, files });
      const readFile = (path: string) =>
        path === "/proc/device-tree/compatible" ? Buffer.from(compatible) : machine.readFile(path);
      return findBootEntries({ ...machine, readFile, release: () => ({ ...machine.release(), release }) }) ?? [];
    };

    test("auto_initramfs: each kernel has its own image, and the flavour that runs is the default", () => {
      const found = onPi("dtparam=audio=on\nauto_initramfs=1\n", "6.12.25+rpt-rpi-2712");
      expect(titles(found)).toEqual([" kernel8.img", "*kernel_2712.img"]);
      expect(found[1]).toEqual({
        ...{
          loader: "Raspberry Pi firmware",
          config: "/boot/firmware/config.txt",
          title: "kernel_2712.img",
          isDefault: true,
        },
        ...{ kernel: "/boot/firmware/kernel_2712.img", initrds: ["/boot/firmware/initramfs_2712"] },
        cmdline: "console=tty1 root=PARTUUID=1-02 rootwait",
      });
      expect(titles(onPi("", "6.12.25+rpt-rpi-v8"))).toEqual(["*kernel8.img", " kernel_2712.img"]);
      expect(onPi("", "6.12.25+rpt-rpi-v8")[0]?.initrds).toEqual([]);
    });

    test("sections for other models, kernel=, initramfs, os_prefix", () => {
      const config =
        "[pi4]\nkernel=four.img\n[none]\ninitramfs none.img\n[pi5]\r\nkernel=five.img\r\n[all]\ninitramfs a.img,/b.img followkernel\nos_prefix=new/\n";
      expect(onPi(config, "6.12")).toMatchObject([
        {
          kernel: "/boot/firmware/new/five.img",
          initrds: ["/boot/firmware/new/a.img", "/boot/firmware/b.img"],
          isDefault: true,
        },
      ]);
      const models = {
        "raspberrypi,4-compute-module": "four.img",
        "raspberrypi,400": "four.img",
        "raspberrypi,500": "five.img",
      };
      for (const [model, kernel] of Object.entries(models))
        expect(onPi(config, "6.12", `${model}\0brcm,x\0`)[0]?.title).toBe(kernel);
      expect(onPi("[pi0]\nkernel=zero\n[pi3+]\nkernel=plus", "6.12", "raspberrypi,3-model-b-plus\0")[0]?.title).toBe(
        "plus",
      );
      expect(onPi("[pi0]\nkernel=zero\n[pi3]\nkernel=three", "6.12", "raspberrypi,model-zero-2-w\0")[0]?.title).toBe(
        "zero",
      );
    });
  });

  test("of two boot loaders, the one that the firmware started has the default", () => {
    const loaderInfo = { "/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f": "systemd-boot" };
    const defaultOf = (sys: FakeTree) =>
      entriesOf({ ...grub("0"), ...SYSTEMD }, sys).flatMap(({ loader, isDefault }) => (isDefault ? [loader] : []));
    expect(defaultOf({})).toEqual(["GRUB"]);
    expect(defaultOf(loaderInfo)).toEqual(["systemd-boot"]);
  });

  test("syslinux: keywords in any case, initrd= in APPEND, paths beside the configuration", () => {
    const config =
      "UI menu.c32\nDEFAULT two\nLABEL one\n  MENU LABEL ^First\n  LINUX ../vmlinuz\n  APPEND root=/dev/sda1 initrd=../initrd.img ro\nlabel two\n kernel /boot/vmlinuz\n initrd /boot/a.img,/boot/b.img\n append root=/dev/sda1\n";
    const found = entriesOf({ "/boot/extlinux/extlinux.conf": config });
    expect(titles(found)).toEqual([" First", "*two"]);
    expect(found[0]).toMatchObject({
      kernel: "/boot/extlinux/../vmlinuz",
      initrds: ["/boot/extlinux/../initrd.img"],
      cmdline: "root=/dev/sda1 ro",
    });
    expect(found[1]?.initrds).toEqual(["/boot/a.img", "/boot/b.img"]);
  });

  test("malformed configurations have no entries", () => {
    const texts = ["}}}}\nmenuentry {", "menuentry 'open\nlinux", "submenu a {\n", "\\", "\0"];
    for (const text of texts)
      expect(entriesOf({ "/boot/grub/grub.cfg": text, "/boot/extlinux.conf": text })).toEqual([]);
  });
});
