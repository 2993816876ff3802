/** The parts of an HTTP URL that a download needs. */
export interface HttpUrl {
  readonly scheme: "http" | "https";
  /** Host and port as they are written. */
  readonly authority: string;
  /** Path and query, without a fragment; begins with a slash. */
  readonly path: string;
}

// No user name: it would be a password on the command line. Host names in ASCII alone: the runtime has no tables for others.
const HTTP_URL = /^(https?):\/\/((?:[a-z\d_.-]+|\[[\da-f:.]+\])(?::\d{1,5})?)(\/[!-~]*|\?[!-~]*)?$/i;

/** Parses a URL of HTTP or HTTPS (RFC 9110, 4.2); null for any other text. */
export function parseHttpUrl(text: string): HttpUrl | null {
  const [plain = ""] = text.split("#");
  const [, scheme = "", authority = "", path = ""] = HTTP_URL.exec(plain) ?? [];
  if (authority === "") return null;
  const isSecure = scheme.toLowerCase() === "https";
  return { scheme: isSecure ? "https" : "http", authority, path: path.startsWith("/") ? path : `/${path}` };
}

/** Returns the text of a URL. */
export function formatHttpUrl({ scheme, authority, path }: HttpUrl): string {
  return `${scheme}://${authority}${path}`;
}

/** Returns the URL that the header Location of an answer from `base` leads to (RFC 3986, 5.2); null if that is not a URL of HTTP. */
export function resolveLocation(base: HttpUrl, location: string): HttpUrl | null {
  const reference = location.split("#")[0] ?? "";
  if (/^[a-z][a-z\d+.-]*:/i.test(reference)) return parseHttpUrl(reference);
  if (reference.startsWith("//")) return parseHttpUrl(`${base.scheme}:${reference}`);
  const [directory = ""] = /^[^?]*\//.exec(base.path) ?? [];
  const [before = ""] = base.path.split("?");
  const path = reference.startsWith("/") ? reference : `${reference.startsWith("?") ? before : directory}${reference}`;
  return parseHttpUrl(`${base.scheme}://${base.authority}${removeDots(path)}`);
}

/** RFC 3986, 5.2.4. */
function removeDots(path: string): string {
  const [before = "", ...query] = path.split("?");
  const kept: string[] = [];
  const parts = before.split("/").slice(1);
  for (const part of parts) {
    if (part === "..") kept.pop();
    else if (part !== ".") kept.push(part);
  }
  if (/^\.{1,2}$/.test(parts.at(-1) ?? "")) kept.push("");
  return [`/${kept.join("/")}`, ...query].join("?");
}

/** Returns the last part of the path of a URL, without its query; null if that is no name of a file. */
export function fileNameOf(url: string): string | null {
  const path = parseHttpUrl(url)?.path.split("?")[0] ?? "";
  const name = decodePercent(path.slice(path.lastIndexOf("/") + 1));
  return name === "" || name === "." || name === ".." || !/^[^/\0]{1,255}$/.test(name) ? null : name;
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
