import { parser } from "../parse.ts";
import { parseFileUrl } from "./file-url.ts";
import { parseHttpUrl } from "./http-url.ts";

/** The URL of a file. */
export const url = parser("http://HOST/PATH, https://HOST/PATH or tftp://HOST/PATH", parseFileUrl);

/** What a machine is known by in the URL of its configuration. */
export const URL_NAMES = ["mac", "serial", "uuid", "hostname"] as const;

const VARIABLE = new RegExp(`\\$\\{(?:${URL_NAMES.join("|")})\\}`, "g");

/** The URL of a configuration, with names of the machine as `${mac}` in it. */
export const configUrl = parser(
  `http://…, https://… or tftp://…, with no names in braces but ${URL_NAMES.map((name) => `\${${name}}`).join(", ")}`,
  (text) => {
    const filled = text.replaceAll(VARIABLE, "0");
    return parseFileUrl(filled) === null || /[${}]/.test(filled) ? null : text;
  },
);

/** The URL of a proxy. */
export const proxy = parser("http://HOST:PORT", (text) => {
  const parsed = parseHttpUrl(text);
  return parsed?.scheme === "http" && parsed.path === "/" ? `http://${parsed.authority}` : null;
});
