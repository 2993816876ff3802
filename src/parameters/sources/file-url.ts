import { formatHttpUrl, fileNameOf as httpFileName, parseHttpUrl } from "./http-url.ts";
import { parseTftpUrl } from "./tftp-url.ts";

/** Returns the URL of a file that levain can download, over HTTP, HTTPS or TFTP, in its usual form; null for any other text. */
export function parseFileUrl(text: string): string | null {
  if (parseTftpUrl(text) !== null) return text.replace(/^tftp/i, "tftp");
  const http = parseHttpUrl(text);
  return http === null ? null : formatHttpUrl(http);
}

/** Returns the last part of the path of a URL; null if that is no name of a file. */
export function fileNameOf(url: string): string | null {
  const tftp = parseTftpUrl(url);
  if (tftp === null) return httpFileName(url);
  const name = tftp.path.slice(tftp.path.lastIndexOf("/") + 1);
  return name === "" || name === "." || name === ".." || name.length > 255 ? null : name;
}
