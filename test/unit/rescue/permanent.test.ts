import { expect, test } from "bun:test";
import { describePermanent, permanentOf } from "../../../src/rescue/permanent.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

const say = (files: Readonly<Record<string, string>>, ...words: readonly string[]) =>
  describePermanent(fakeMachine({ files }), "/sysroot", words);

test.each([
  ["/etc/default/grub", "add it to GRUB_CMDLINE_LINUX in /etc/default/grub and run update-grub or grub-mkconfig"],
  ["/boot/loader/entries/a.conf", "add it to the options of the entry in /boot/loader/entries"],
  ["/boot/firmware/cmdline.txt", "add it to /boot/firmware/cmdline.txt"],
  ["/etc/fstab", "add it to the kernel command line in the boot loader"],
])("a root with %s", (path, cure) => {
  expect(say({ [`/sysroot${path}`]: "x" }, "root=LABEL=ROOT")).toBe(
    `this boot needed root=LABEL=ROOT: to keep it, ${cure}`,
  );
});

test("a parameter with a space is in quotes, and a password is not shown", () => {
  expect(say({}, "root=LABEL=MY DISK", "rd.iscsi.password=hunter2")).toStartWith(
    'this boot needed "root=LABEL=MY DISK" rd.iscsi.password=…: ',
  );
});

test("a module may be loaded by the image itself", () => {
  expect(say({}, "rd.modules=nvme,sg")).toEndWith(', or modules = ["nvme","sg"] to levain.toml');
});

test("of a parameter that was given twice the last counts, and what is for one boot is left out", () => {
  const words = ["root=LABEL=A", "rd.break=mount", "rd.debug", "rd.resume.policy=discard", "root=LABEL=B", "quiet"];
  expect(permanentOf(words)).toEqual(["root=LABEL=B"]);
});
