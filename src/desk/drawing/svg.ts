import { printable } from "../../problems/report.ts";

const NAMESPACE = "http://www.w3.org/2000/svg";

/** Attributes that need no escapes. */
export type Attributes = Readonly<Record<string, string | number>>;

/** Returns a `text` element; the content is escaped. */
export function text(x: number, y: number, content: string, attributes: Attributes): string {
  return element("text", { x, y, ...attributes }, escapeXml(content));
}

/** Returns an element. */
export function element(name: string, attributes: Attributes, content: string | null = null): string {
  const head = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${value}"`)].join(" ");
  return content === null ? `<${head}/>` : `<${head}>${content}</${name}>`;
}

/** Escapes text for XML, and leaves out what XML 1.0 does not allow (its section 2.2). */
export function escapeXml(content: string): string {
  const allowed = printable(content).replace(/[\uFFFE\uFFFF]/g, "");
  return allowed.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Returns an SVG in this size, with a title for who cannot see it. */
export function document(
  size: Readonly<Record<"width" | "height", number>>,
  title: string,
  content: readonly string[],
): string {
  const lines = [element("title", {}, escapeXml(title)), element("rect", { ...size, fill: "#fff" }), ...content];
  const viewBox = `0 0 ${size.width} ${size.height}`;
  const attributes = { xmlns: NAMESPACE, viewBox, ...size, "font-family": "sans-serif", role: "img" };
  return `${element("svg", attributes, `\n${lines.join("\n")}\n`)}\n`;
}

/** Leaves out the middle of a long text: both ends of a path say more. */
export function shorten(content: string, most: number): string {
  const characters = [...printable(content)];
  if (characters.length <= most) return characters.join("");
  const half = Math.floor((most - 1) / 2);
  return `${characters.slice(0, most - 1 - half).join("")}…${characters.slice(-half).join("")}`;
}
