import type { SearchCause } from "../../src/problems/causes/search.ts";
import type { ARRAYS } from "../../src/problems/diagnoses/storage/arrays.ts";
import type { RESUME_PROBLEMS } from "../../src/problems/diagnoses/storage/resume.ts";
import type { STORAGE, VainSearch } from "../../src/problems/diagnoses/storage.ts";
import type { Examples } from "./example.ts";

const ROOT = { noun: 'device with label "ROOT"', spec: "LABEL=ROOT", incomplete: null, strangers: [] };
const VAIN: VainSearch = {
  wanted: "root",
  name: "",
  withinSeconds: 30,
  devices: [ROOT],
  isVerified: false,
  troubles: [],
  known: [],
  isAnyDevicePresent: true,
  moduleGap: null,
  isAnyUnasked: false,
  causes: [],
};
const CAUSES: readonly Omit<SearchCause, "parameter">[] = [
  { kind: "other-label", subject: '/dev/sda1 ext4 "Root"', detail: ["LABEL=Root"] },
  { kind: "other-label", subject: '/dev/sda1 vfat "MY LIVE STI"', detail: ["LABEL=MY LIVE STI", "11"] },
  { kind: "other-tag", subject: "/dev/sda1 ext4", detail: ["PARTUUID=3e4e63f8-02"] },
  { kind: "other-uuid", subject: "/dev/sda2 ext4", detail: ["UUID=6b3f3c1e-2f0c-4f6e-9a43-7c9d1b2e8f10"] },
  { kind: "driver-absent", subject: "SAS controller 0000:01:00.0", detail: ["mpt3sas"] },
  { kind: "firmware-absent", subject: "qla2xxx 0000:05:00.0", detail: ["ql2500_fw.bin"] },
  { kind: "modules-untrusted", subject: "", detail: [] },
  { kind: "moved", subject: "/dev/nvme0n1p2 ext4", detail: ["/dev/sda2", "UUID=6b3f3c1e-2f0c-4f6e-9a43-7c9d1b2e8f10"] },
  { kind: "blacklist", subject: "virtio_blk", detail: ["modprobe.blacklist=virtio_blk", "command line"] },
  { kind: "ambivalent", subject: "/dev/sda1", detail: ["ext4"] },
  { kind: "layer", subject: "/dev/sda1", detail: ["ZFS"] },
  { kind: "incomplete", subject: 'the array "root" (RAID 5) has 1 of 3 members', detail: [] },
  { kind: "refused", subject: 'the array "root" (RAID 1) is not started: its members disagree', detail: [] },
  { kind: "unreadable", subject: "/dev/sdb", detail: [] },
  { kind: "unsearched", subject: "/dev/sdb1 ntfs", detail: ["this kernel has no driver for ntfs", "ntfs3"] },
];

export const STORAGE_EXAMPLES: Examples<typeof STORAGE> = {
  "device-not-found": [
    VAIN,
    { ...VAIN, isAnyDevicePresent: false },
    { ...VAIN, isAnyDevicePresent: false, moduleGap: { release: "6.1.0-57-amd64", kernels: ["6.1.0-56-amd64"] } },
    { ...VAIN, isAnyUnasked: true },
    ...CAUSES.map((cause) => ({ ...VAIN, causes: [{ ...cause, parameter: "root=" }] })),
    { ...VAIN, devices: [{ ...ROOT, incomplete: "1 of 2 devices of the btrfs are there" }] },
    { ...VAIN, isVerified: true },
    { ...VAIN, wanted: "layer", name: "LABEL=EXTRA" },
    { ...VAIN, wanted: "store", name: "LABEL=DATA" },
    { ...VAIN, wanted: "submount", name: "/usr" },
    { ...VAIN, wanted: "image", name: "/live/root.img" },
  ],
  "ambiguous-device": [{ spec: "LABEL=ROOT", nodes: ["/dev/mapper/luks-1", "/dev/mapper/luks-2"] }],
  "volumes-in-use": [{ why: "a part of the root is not encrypted", names: ["/dev/mapper/root"] }],
  "partly-encrypted": [{ outside: ["the layer /live/extra.squashfs"] }],
};

export const ARRAY_EXAMPLES: Examples<typeof ARRAYS> = {
  "array-refused": [{ array: 'the array "root" (RAID 5)', why: "the kernel refused it: invalid argument (EINVAL)" }],
  "no-mdadm": [{ node: "/dev/sda", raid: "an array of Intel's firmware (IMSM)" }],
  "no-multipath": [{}],
  "firmware-raid-refused": [
    { node: "/dev/sda", raid: "an array of Intel's firmware (IMSM)", why: "mdadm ended with status 1" },
  ],
};

const SWAP = { node: "/dev/sda3" };

export const RESUME_EXAMPLES: Examples<typeof RESUME_PROBLEMS> = {
  "not-resumed": [
    { ...SWAP, causes: [{ kind: "other-kernel", detail: "6.1.0-56-amd64" }], kernel: [] },
    ...(["memory-map", "damaged", "unfrozen", "out-of-memory", "no-support", "disabled"] as const).map((kind) => ({
      ...SWAP,
      causes: [{ kind, detail: "" }],
      kernel: [],
    })),
    { ...SWAP, causes: [{ kind: "maker", detail: "uswsusp" }], kernel: [] },
  ],
  "hibernated-beside": [{ ...SWAP, mounted: "/dev/sda2", name: "UUID=6b3f3c1e-2f0c-4f6e-9a43-7c9d1b2e8f10" }],
  "resume-ambiguous": [{ spec: "LABEL=SWAP", nodes: ["/dev/sda3", "/dev/sdb3"] }],
  "image-not-discarded": [{ ...SWAP, isKept: false }],
};
