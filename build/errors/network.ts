import type { DOWNLOADS } from "../../src/problems/diagnoses/network/downloads.ts";
import type { ISCSI_PROBLEMS } from "../../src/problems/diagnoses/network/iscsi.ts";
import type { LinkTrouble, NETWORK_PROBLEMS } from "../../src/problems/diagnoses/network/network.ts";
import type { NFS_PROBLEMS } from "../../src/problems/diagnoses/network/nfs.ts";
import type { NVME_PROBLEMS } from "../../src/problems/diagnoses/network/nvme.ts";
import type { NbdRefusal, REMOTE } from "../../src/problems/diagnoses/network/remote.ts";
import type { TREES } from "../../src/problems/diagnoses/network/trees.ts";
import type { Examples } from "./example.ts";

const URL = "https://boot.example/root.squashfs";
const NAME = "root.squashfs";
const KEY = "/etc/levain/boot.pub";
const NFS = "nfs:10.0.2.2:/srv/root";
const NBD = "nbd://10.0.2.2/root";
const TARGET = "iqn.2026-11.example:root at 10.0.2.2";
const SUBSYSTEMS = { listed: 1, read: 1 };

export const NETWORK_EXAMPLES: Examples<typeof NETWORK_PROBLEMS> = {
  "no-network-interface": [
    { wanted: [], seen: [], devices: ["8086:1533 (PCI 0000:01:00.0)"] },
    { wanted: ["eth1"], seen: ["enp1s0"], devices: [] },
  ],
  "network-not-up": (
    ["no-carrier", "no-answer", "refused", "no-router", "tentative", "duplicate", "unusable"] as const
  ).map((state: LinkTrouble) => {
    return { seconds: 30, interfaces: [{ name: "eth0", state, asked: 5, refusals: ["10.0.2.2"] }] };
  }),
  "interface-not-made": [{ name: "bond0", kind: "bond", module: "bonding" }],
  "bond-option-refused": [{ name: "bond0", option: "mode", value: "ring" }],
};

export const DOWNLOAD_EXAMPLES: Examples<typeof DOWNLOADS> = {
  "download-failed": [
    { kind: "connection", code: "ECONNREFUSED" } as const,
    { kind: "connection", code: "CERT_HAS_EXPIRED" } as const,
    { kind: "connection", code: "SELF_SIGNED_CERT_IN_CHAIN" } as const,
    { kind: "status", status: 404 } as const,
    { kind: "redirect", why: "insecure" } as const,
    { kind: "cut", doneBytes: 1 << 20, totalBytes: 700 << 20 } as const,
    { kind: "tftp", code: 1, text: "File not found" } as const,
    { kind: "slow", bytes: 1024, ms: 30_000 } as const,
    { kind: "too-large", limitBytes: 200 << 20, totalBytes: 700 << 20 } as const,
    { kind: "digest", algorithm: "sha256", hex: "5891b5b522d5df08…" } as const,
  ].map((fault) => ({ name: NAME, failures: [{ url: URL, fault }] })),
  "download-process-ended": [
    { name: NAME, status: null },
    { name: NAME, status: 137 },
  ],
  "config-malformed": [{ url: "https://boot.example/levain.toml", mistakes: ["line 3: expected a value"] }],
  "config-name-unknown": [{ url: "https://boot.example/%uuid%.toml", name: "uuid" }],
  "signature-key-unreadable": [{ url: URL, key: KEY }],
  "download-signature-wrong": [{ url: URL, key: KEY }],
  "signed-list-without-image": [{ name: NAME, url: "https://boot.example/SHA256SUMS", asked: null }],
  "download-without-room": [{ name: NAME, free: "295 MiB of 512 MiB are free" }],
};

export const NFS_EXAMPLES: Examples<typeof NFS_PROBLEMS> = {
  "nfs-not-mounted": [
    { source: NFS, seconds: 30, reasons: ["access denied by the server (EACCES)"], code: "EACCES" },
    { source: NFS, seconds: 30, reasons: ["the server does not answer (ETIMEDOUT)"], code: "ETIMEDOUT" },
    {
      source: NFS,
      seconds: 30,
      reasons: ["this kernel has no NFS, or its modules are not in the image"],
      code: "ENODEV",
    },
  ],
  "nfs-without-server": [{ path: "/srv/root" }],
  "nfs-process-ended": [{ source: NFS, status: 137 }],
  "no-root-path": [{ servers: [] }, { servers: ["10.0.2.2"] }],
  "root-path-unusable": [{ rootPath: "root", expected: "a URL" }],
};

export const REMOTE_EXAMPLES: Examples<typeof REMOTE> = {
  "nbd-refused": (["no-nbd", "too-old", "policy", "tls", "unknown-export", "block-size"] as const).map(
    (refusal: NbdRefusal) => ({ url: NBD, refusal, name: "root", words: "" }),
  ),
  "nbd-not-connected": [{ url: NBD, reason: "the connection was refused" }],
  "aoe-no-target": [
    { where: "eth0", asked: 3, refusal: null },
    { where: "eth0", asked: 0, refusal: "this kernel has no AoE, or its module is not in the image" },
  ],
};

export const NVME_EXAMPLES: Examples<typeof NVME_PROBLEMS> = {
  "nvme-not-connected": [
    { where: "10.0.2.2:4420", answer: { step: "reach", code: "ECONNREFUSED" }, hostNqn: null },
    { where: "10.0.2.2:4420", answer: { step: "discover", code: "ENOENT" }, hostNqn: null },
    {
      where: "10.0.2.2:4420",
      answer: { connected: [], refused: [], ...SUBSYSTEMS, listed: 0, read: 0 },
      hostNqn: "nqn.2014-08.org.nvmexpress:uuid:6b3f3c1e-2f0c-4f6e-9a43-7c9d1b2e8f10",
    },
  ],
};

export const ISCSI_EXAMPLES: Examples<typeof ISCSI_PROBLEMS> = {
  "iscsi-not-connected": [
    { where: TARGET, outcome: { kind: "failed", code: "ECONNREFUSED" } },
    { where: TARGET, outcome: { kind: "refused", status: 24, said: "" } },
    { where: TARGET, outcome: { kind: "without-program" } },
    { where: TARGET, outcome: { kind: "without-name" } },
  ],
};

export const TREE_EXAMPLES: Examples<typeof TREES> = {
  "tree-without-program": [{ source: "zfs:rpool/root", program: "mount.zfs" }],
  "tree-refused": [
    { source: "virtiofs:root", place: "/sysroot", reasons: ["this kernel does not know that filesystem"], kernel: [] },
  ],
};
