import { describe, expect, test } from "bun:test";
import { type GuestOptions, guestArguments } from "../../../../src/desk/qemu/guest-arguments.ts";

const GUEST: GuestOptions = {
  architecture: "x86_64",
  accelerator: "tcg",
  kernel: "/boot/vmlinuz",
  initrd: "/tmp/initrd",
  cmdline: "root=LABEL=ROOT",
  disks: [],
  memoryMib: 1024,
  cpus: 2,
  uefi: null,
  hasNetwork: false,
};
const disk = { file: "/a,b c\n.img", isDevice: false, bus: "virtio", keepsWrites: false } as const;

/** The values of an option, in order. */
function valuesOf(options: GuestOptions, name: string): readonly string[] {
  const args = guestArguments(options);
  return args.flatMap((word, index) => (args[index - 1] === name ? [word] : []));
}

describe("QEMU's arguments for a guest", () => {
  test("a disk is a view that keeps no changes and needs no lock; commas in its path are doubled", () => {
    expect(valuesOf({ ...GUEST, disks: [disk] }, "-drive")).toEqual([
      "if=none,id=disk0-drive,format=raw,file.driver=file,file.filename=/a,,b c\n.img,snapshot=on,file.locking=off",
    ]);
    expect(valuesOf({ ...GUEST, disks: [{ ...disk, keepsWrites: true, isDevice: true }] }, "-drive")).toEqual([
      "if=none,id=disk0-drive,format=raw,file.driver=host_device,file.filename=/a,,b c\n.img",
    ]);
  });

  test("only the name of a file says that it is qcow2, never its content", () => {
    const formatOf = (file: string, isDevice = false) =>
      /format=(\w+)/.exec(valuesOf({ ...GUEST, disks: [{ ...disk, file, isDevice }] }, "-drive")[0] ?? "")?.[1];
    expect([formatOf("/a.qcow2"), formatOf("/a.img"), formatOf("/dev/a.qcow2", true)]).toEqual(["qcow2", "raw", "raw"]);
  });

  test("the user's console= comes after the serial line; with KVM the kernel needs no help", () => {
    const own = { ...GUEST, cmdline: "ro console=tty0" };
    expect(valuesOf(own, "-append")).toEqual(["console=ttyS0 no_timer_check ro console=tty0"]);
    expect(valuesOf({ ...own, accelerator: "kvm" }, "-append")).toEqual(["console=ttyS0 ro console=tty0"]);
    expect(valuesOf({ ...GUEST, cmdline: null }, "-append")).toEqual([]);
  });

  test("an AArch64 guest has another board, another serial line, and the CPU of its emulator or of the host", () => {
    const arm: GuestOptions = { ...GUEST, architecture: "aarch64" };
    expect(valuesOf(arm, "-append")).toEqual(["console=ttyAMA0 root=LABEL=ROOT"]);
    expect([valuesOf(arm, "-machine"), valuesOf(arm, "-cpu")]).toEqual([["virt"], ["cortex-a72"]]);
    const host: GuestOptions = { ...arm, accelerator: "kvm" };
    expect([valuesOf(host, "-machine"), valuesOf(host, "-cpu")]).toEqual([["virt,gic-version=host"], ["max"]]);
  });

  test("the first disk is booted by the firmware, on the serial line", () => {
    const bare = { ...GUEST, kernel: null, initrd: null, cmdline: null, disks: [disk] };
    expect(valuesOf(bare, "-machine")).toEqual(["pc,graphics=off"]);
    const uefi = { code: "/code,1.fd", variables: "/tmp/variables.fd" };
    expect(valuesOf({ ...bare, uefi }, "-machine")).toEqual(["q35,graphics=off"]);
    expect(valuesOf({ ...bare, uefi }, "-drive").slice(0, 2)).toEqual([
      "if=pflash,format=raw,unit=0,file=/code,,1.fd,readonly=on",
      "if=pflash,format=raw,unit=1,file=/tmp/variables.fd",
    ]);
  });
});
