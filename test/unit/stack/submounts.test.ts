import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseFstab } from "../../../src/filesystems/fstab.ts";
import { formatPlan } from "../../../src/plan/format-plan.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { planSubmounts } from "../../../src/stack/submounts/submount.ts";

const planOf = (words: string) => makePlan({ cmdline: `root=LABEL=ROOT ${words}`, manifest: null }).plan;
const listOf = (words: string, fstab = "") =>
  planSubmounts(planOf(words), parseFstab(fstab)).map(({ kind, path }) => `${kind} ${path}`);

test("parents come first, and a union after what is mounted there", () => {
  const fstab = `LABEL=LOG /var/log/journal ext4 x-initrd.mount
LABEL=VAR /var//. ext4 x-initrd.mount
LABEL=OTHER /var ext4 x-initrd.mount
LABEL=USR /usr ext4`;
  const words = "rd.union=/var/log rd.union=/var rd.tmpfs=/tmp";
  expect(listOf(words, fstab)).toEqual([
    "device /var",
    "device /usr",
    "tmpfs /tmp",
    "union /var",
    "union /var/log",
    "device /var/log/journal",
  ]);
});

test.each([
  [
    "mount.usrflags=noatime",
    "LABEL=USR /usr ext4 ro 0 2",
    { device: { by: "label" }, options: "noatime", types: ["ext4"] },
  ],
  ["mount.usrfstype=xfs", "LABEL=USR /usr ext4 ro", { options: "ro", types: ["xfs"] }],
  ["mount.usrflags=subvol=usr", "", { device: null, options: "subvol=usr", isChecked: true }],
  ["mount.usr=LABEL=U rw", "LABEL=USR /usr ext4", { device: { value: "U" }, options: "" }],
  ["mount.usr=LABEL=U usrflags=noatime", "", { options: "ro,noatime", subdirectory: null, access: "writable" }],
  ["systemd.volatile=yes", "LABEL=USR /usr ext4 defaults 0 1", { access: "untouched", isChecked: false }],
])("/usr by %p and %p", (words, fstab, expected) => {
  const [usr] = planSubmounts(planOf(words), parseFstab(fstab));
  expect(usr).toMatchObject(expected as object);
});

test("the options of /usr alone mount nothing if there is no other /usr", () => {
  expect(listOf("usrflags=noatime")).toEqual([]);
});

test("any fstab becomes mounts at absolute paths without dots, or reports", () => {
  const word = fc.constantFrom(
    ..."/usr / /a /a/../b /.. . .. //x /run/x none bind rbind ro,bind X-mount.subdir=/.. x-initrd.mount nofail LABEL= LABEL=x".split(
      " ",
    ),
    ..."tmpfs overlay ext4 auto,xfs host:/x /dev/sda1 /dev/../x /img 801 \\040 \\056\\056 remount,x-initrd.mount 0 2".split(
      " ",
    ),
  );
  const line = fc
    .array(word, { minLength: 2, maxLength: 6 })
    .map((fields) => fields.map((one, index) => (index === 3 ? `${one},x-initrd.mount` : one)).join(" "));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      const all = planSubmounts(planOf(""), parseFstab(lines.join("\n")));
      for (const { kind, path } of all) {
        if (kind !== "unsupported") expect(path).toMatch(/^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/);
      }
      expect(new Set(all.map(({ path }) => path)).size).toBe(all.length);
    }),
    { numRuns: 500 },
  );
});

test("levain plan prints all of it", () => {
  const unions = "rd.union=/etc rd.union=/var:size=9M:LABEL=D rd.union=/srv:LABEL=D:/x rd.overlay.policy=fallback";
  const words = `mount.usr=LABEL=U rd.fstab=no rd.tmpfs=/tmp:size=9M ${unions} systemd.volatile=yes`;
  expect(formatPlan(planOf(words)).filter((text) => /^(?:volatile|\/usr|fstab|tmpfs|union)/.test(text))).toEqual([
    "volatile    the root is a tmpfs, with the /usr of the root device",
    "/usr        LABEL=U, as the type in its superblock, options ro",
    "fstab       not read",
    "tmpfs       /tmp, a tmpfs of 9M",
    "union       /etc, below a tmpfs",
    "union       /var, below LABEL=D:/var (if it can be used) and a tmpfs of 9M",
    "union       /srv, below LABEL=D:/x (if it can be used) and a tmpfs",
  ]);
});
