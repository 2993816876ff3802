import { parser } from "../parse.ts";
import { formatHttpUrl, parseHttpUrl } from "./http-url.ts";

/** The URL of a file. */
export const url = parser("http://HOST/PATH or https://HOST/PATH", (text) => {
  const parsed = parseHttpUrl(text);
  return parsed === null ? null : formatHttpUrl(parsed);
});

/** The URL of a proxy. */
export const proxy = parser("http://HOST:PORT", (text) => {
  const parsed = parseHttpUrl(text);
  return parsed?.scheme === "http" && parsed.path === "/" ? `http://${parsed.authority}` : null;
});
