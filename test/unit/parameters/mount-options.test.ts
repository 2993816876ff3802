import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MOUNT_FLAGS } from "../../../src/machine/abi/constants.ts";
import { findForeignOption, splitMountOptions } from "../../../src/parameters/mount-options.ts";

describe("splitMountOptions", () => {
  for (const [text, flags, options] of [
    ["", [], ""],
    ["defaults,noatime,subvol=@,ro", ["noatime", "ro"], "subvol=@"],
    ["rw,auto,nofail,_netdev", [], ""],
    ["rw,suid,dev,exec,auto,nouser,async", [], ""], // what mount(8) says that "defaults" stands for
    ["noatime,x-systemd.device-timeout=0,X-mount.mkdir,comment=a", ["noatime"], ""],
    ["lazytime,nodiratime,commit=5,sync", ["lazytime", "nodiratime", "sync"], "commit=5"],
    ["data=journal,errors=remount-ro", [], "data=journal,errors=remount-ro"],
    ["user", ["noexec", "nosuid", "nodev"], ""],
    ["user,exec,dev", ["nosuid"], ""],
    ["exec,users", ["noexec", "nosuid", "nodev"], ""],
    ["user=alice", [], ""],
    ["owner", ["nosuid", "nodev"], ""],
    ["group,suid", ["nodev"], ""],
    ["noatime,atime,nostrictatime,norelatime", [], ""],
    ["mand,silent,iversion,nosymfollow", ["mand", "silent", "iversion", "nosymfollow"], ""],
    ["nomand,loud,noiversion,symfollow", [], ""],
    ["ro,rw", [], ""],
    ["loop,loop=/dev/loop0,helper=x,uhelper=udisks2,rshared,private", [], ""],
    ['context="system_u:object_r:tmp_t:s0:c1,ro,c2",ro', ["ro"], 'context="system_u:object_r:tmp_t:s0:c1,ro,c2"'],
    ["xattr,userxattr,autodefrag,group_quota", [], "xattr,userxattr,autodefrag,group_quota"],
    ['a="b,c', [], 'a="b,c'],
    ["constructor,__proto__", [], "constructor,__proto__"],
  ] as const) {
    test(`"${text}"`, () => {
      expect(splitMountOptions(text)).toEqual({ flags: [...flags], options });
    });
  }

  test("has flags of mount(2) only, and never throws", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...Object.keys(MOUNT_FLAGS), "user", "owner", "x-a"), fc.string())),
        (words) => {
          const { flags } = splitMountOptions(words.join(","));
          expect(flags.every((flag) => Object.hasOwn(MOUNT_FLAGS, flag))).toBeTrue();
        },
      ),
    );
  });
});

test("findForeignOption finds what would be another mount", () => {
  expect(findForeignOption("ro,verity.roothash=ab")).toBe("verity.roothash=ab");
  expect(findForeignOption("offset=512,ro")).toBe("offset=512");
  expect(findForeignOption("remount,ro")).toBe("remount");
  expect(findForeignOption("ro,X-mount.subdir=os/a")).toBe("X-mount.subdir=os/a");
  expect(findForeignOption("X-mount.idmap=u:0:1000:1")).toBe("X-mount.idmap=u:0:1000:1");
  expect(findForeignOption("X-mount.mkdir=0755,X-mount.owner=root")).toBeNull();
  expect(findForeignOption("ro,subvol=@,errors=remount-ro,x-a=bind")).toBeNull();
});
