/** A file on a TFTP server (RFC 3617). */
export interface TftpUrl {
  /** A name or an address; of IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** As the server has it: without the slash in front. */
  readonly path: string;
}

const TFTP_PORT = 69;
const SHAPE = /^tftp:\/\/([a-z\d][a-z\d_.-]*|\[[\da-f:.]+\])(?::(\d{1,5}))?\/([!-~]+)$/i;

/** Parses tftp://HOST/PATH; null for any other text. */
export function parseTftpUrl(text: string): TftpUrl | null {
  const [, host, port, path = ""] = SHAPE.exec(text) ?? [];
  const number = port === undefined ? TFTP_PORT : Number(port);
  if (host === undefined || number < 1 || number > 0xffff) return null;
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: number, path: path.replace(/;mode=octet$/i, "") };
}
