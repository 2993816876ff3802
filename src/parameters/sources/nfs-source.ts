import { parser } from "../parse.ts";

/** A directory on an NFS server. */
export interface NfsSource {
  /** An address (of IPv6 without brackets) or a name; null: that of ip= or of DHCP. */
  readonly server: string | null;
  /** May contain "%s", which stands for the name of the machine; null: that of DHCP. */
  readonly path: string | null;
  /** nfs4:, so version 3 is not tried. */
  readonly isVersion4: boolean;
  /** Mount options, separated by commas. */
  readonly options: string;
}

const HOST = String.raw`\[[\da-f:.]+\]|[a-z\d][\w.-]*`;
const PLACE = new RegExp(String.raw`^(?:(${HOST}):)?(\/(?!\/)[^,:\s]*)?(?:[,:](\S*))?$`, "i");
/** dracut's and the URL of RFC 2224. */
const PREFIXED = /^(nfs4?):(.*)$/s;
const URL_PLACE = new RegExp(String.raw`^\/\/(${HOST})(\/.*)$`, "is");

/** Parses root=nfs:[SERVER:]PATH[:OPTIONS], also nfs4: and nfs://SERVER/PATH; null for any other text. */
export function parseNfsRoot(text: string): NfsSource | null {
  const [, scheme, place = ""] = PREFIXED.exec(text) ?? [];
  if (scheme === undefined) return null;
  return parsePlace(place.replace(URL_PLACE, "$1:$2"), scheme === "nfs4");
}

/** Parses [SERVER:]PATH[,OPTIONS], as the kernel's nfsroot= (Documentation/admin-guide/nfs/nfsroot.rst) and DHCP have it; null for any other text. */
export function parseNfsPlace(text: string): NfsSource | null {
  return parsePlace(text, false);
}

function parsePlace(text: string, isVersion4: boolean): NfsSource | null {
  const found = PLACE.exec(text);
  if (found === null) return null;
  const [, host, path, options = ""] = found;
  const server = host?.replace(/^\[(.*)\]$/, "$1") ?? null;
  // A server alone is more likely a mistake than a wish for the path of DHCP.
  return server !== null && path === undefined ? null : { server, path: path ?? null, isVersion4, options };
}

/** nfsroot=: "auto" of initramfs-tools leaves all to DHCP. */
export const nfsRoot = parser("[SERVER:]PATH[,OPTIONS], with an address of IPv6 in brackets", (text) =>
  parsePlace(text === "auto" ? "" : text, false),
);

/** Returns SERVER:PATH as mount(8) has it; what is not known before the network is up is in words. */
export function formatNfs({ server, path }: Pick<NfsSource, "server" | "path">): string {
  const host = server?.includes(":") ? `[${server}]` : server;
  return `${host ?? "the server of DHCP"}:${path ?? "the path of DHCP"}`;
}
