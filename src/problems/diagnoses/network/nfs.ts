import { byHand, diagnosis, IF_MEMORY_RAN_OUT, inBootLoader, inBuilder, inShell } from "../../diagnosis.ts";

/** What stops the mount of a root on NFS, and root=dhcp. */
export const NFS_PROBLEMS = {
  "nfs-not-mounted": diagnosis<{ source: string; seconds: number; reasons: readonly string[]; code: string | null }>({
    text: ({ source, seconds }) => `could not mount ${source} within ${seconds} s`,
    reasons: ({ reasons }) => reasons,
    hints: ({ code }) => [
      ...(code === "ENODEV" ? [inBuilder("add the modules of NFS to the image: levain image --network")] : []),
      ...(code === "EACCES" || code === "EPERM" || code === "ENOENT"
        ? [byHand("export the directory to this machine: /etc/exports of the server, then exportfs -ra")]
        : [byHand("check that the NFS server runs, and that no firewall blocks port 2049")]),
      inBootLoader("correct the server, the path or the options in root= or nfsroot="),
      inBootLoader("wait longer for the server: rd.timeout=120"),
      inShell("try other parameters with `levain retry`"),
    ],
  }),
  "nfs-without-server": diagnosis<{ path: string | null }>({
    text: ({ path }) => `the server of the NFS root${path === null ? "" : ` ${path}`} is not known`,
    reasons: () => ["neither nfsroot= nor ip= nor DHCP names a server"],
    hints: () => [inBootLoader("name it: nfsroot=SERVER:PATH")],
  }),
  "nfs-process-ended": diagnosis<{ source: string; status: number }>({
    text: ({ source }) => `could not mount ${source}`,
    reasons: ({ status }) => [`the process that mounts it ended with status ${status}`],
    hints: () => [IF_MEMORY_RAN_OUT],
  }),
  "no-root-path": diagnosis<{ servers: readonly string[] }>({
    text: () => "root=dhcp, but DHCP has given no root path",
    reasons: ({ servers }) => [
      servers.length === 0
        ? "no interface has its address from DHCP"
        : `the DHCP server ${servers.join(" and ")} has sent none`,
    ],
    hints: () => [
      byHand("add a root path to the DHCP server: dhcp-option=17,nfs:SERVER:PATH in dnsmasq"),
      inBootLoader("name the root: root=nfs:SERVER:PATH"),
    ],
  }),
  "root-path-unusable": diagnosis<{ rootPath: string; expected: string }>({
    text: ({ rootPath }) => `the root path of DHCP cannot be used: "${rootPath}"`,
    reasons: ({ expected }) => [`expected ${expected}, or SERVER:PATH for NFS`],
    hints: () => [byHand("correct option 17 of the DHCP server"), inBootLoader("name the root: root=nfs:SERVER:PATH")],
  }),
};
