import { expect, test } from "bun:test";
import { filesystemOption, moduleOption } from "../../../src/problems/kernel-options.ts";

// As fs/Kconfig, drivers/block/Kconfig and drivers/md/Kconfig of Linux 6.1 name them.
test.each([
  ["ext3", "CONFIG_EXT4_FS"],
  ["squashfs", "CONFIG_SQUASHFS"],
  ["iso9660", "CONFIG_ISO9660_FS"],
  ["ntfs", "CONFIG_NTFS3_FS"],
  ["overlay", "CONFIG_OVERLAY_FS"],
  ["virtiofs", "CONFIG_VIRTIO_FS"],
  ["unheard", null],
  ["constructor", null],
])("%s is mounted by %s", (type, option) => expect(filesystemOption(type)).toBe(option));

test.each([
  ["dm-crypt", "CONFIG_DM_CRYPT"],
  ["dm_mod", "CONFIG_BLK_DEV_DM"],
  ["dm-thin-pool", "CONFIG_DM_THIN_PROVISIONING"],
  ["loop", "CONFIG_BLK_DEV_LOOP"],
  ["raid456", "CONFIG_MD_RAID456"],
  ["unheard", null],
])("the module %s is %s", (module, option) => expect(moduleOption(module)).toBe(option));
