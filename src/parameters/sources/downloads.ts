import { parser } from "../parse.ts";
import { formatHttpUrl, parseHttpUrl } from "./http-url.ts";

/** The URL of a file. */
export const url = parser("http://HOST/PATH or https://HOST/PATH", (text) => {
  const parsed = parseHttpUrl(text);
  return parsed === null ? null : formatHttpUrl(parsed);
});

/** What a machine is known by in the URL of its configuration. */
export const URL_NAMES = ["mac", "serial", "uuid", "hostname"] as const;

const VARIABLE = new RegExp(`\\$\\{(?:${URL_NAMES.join("|")})\\}`, "g");

/** The URL of a configuration, with names of the machine as `${mac}` in it. */
export const configUrl = parser(
  `http://… or https://…, with no names in braces but ${URL_NAMES.map((name) => `\${${name}}`).join(", ")}`,
  (text) => {
    const filled = text.replaceAll(VARIABLE, "0");
    return parseHttpUrl(filled) === null || /[${}]/.test(filled) ? null : text;
  },
);

/** The URL of a proxy. */
export const proxy = parser("http://HOST:PORT", (text) => {
  const parsed = parseHttpUrl(text);
  return parsed?.scheme === "http" && parsed.path === "/" ? `http://${parsed.authority}` : null;
});
