import { type HierarchyRectangularNode, hierarchy, treemap } from "d3-hierarchy";
import { formatBytes } from "../../problems/size.ts";
import { type ImageFile, type Part, sumParts } from "../inspect/parts.ts";
import { document, element, escapeXml, shorten, text } from "./svg.ts";

const SIZE = { width: 1000, height: 640 };
const LEGEND_ROW = 20;
const MARGIN = 20;
/** As wide as a character surely is at the size of the labels. */
const LETTER = 6.5;
const LABEL = { height: 14, size: 11 };

// Okabe and Ito's colours, as those of the stacks; black text can be read on each.
const COLOURS: Readonly<Record<Part, string>> = {
  init: "#9fd5f5",
  modules: "#f5c77e",
  firmware: "#a8dcc8",
  libraries: "#e8b9d4",
  programs: "#f7ef9f",
  BusyBox: "#bcd0ee",
  configuration: "#dddddd",
  microcode: "#efb59b",
  other: "#f4f4f4",
};

interface Branch {
  readonly part: Part;
  readonly path: string;
  readonly size: number;
  readonly children?: readonly Branch[];
}

/** Draws the files of an image as a treemap in SVG: a rectangle for each, as large as its share, those of a part together. */
export function drawTreemap(files: readonly ImageFile[]): string {
  const sums = sumParts(files);
  const groups = sums.map(({ part }) => ({
    ...{ part, path: "", size: 0 },
    children: files.filter((file) => file.part === part && file.size > 0),
  }));
  const whole: Branch = { part: "other", path: "", size: 0, children: groups };
  const nodes = hierarchy<Branch>(whole, ({ children }) => children)
    .sum(({ size }) => size)
    .sort((one, other) => (other.value ?? 0) - (one.value ?? 0));
  const leaves = treemap<Branch>().size([SIZE.width, SIZE.height]).paddingInner(1).round(true)(nodes).leaves();
  const height = SIZE.height + 2 * MARGIN + sums.length * LEGEND_ROW;
  const title = sums.map(({ part, bytes }) => `${part} ${formatBytes(bytes)}`).join(", ");
  return document({ width: SIZE.width + 2 * MARGIN, height }, title || "an image without files", [
    ...leaves.filter(({ data }) => data.path !== "").flatMap(drawFile),
    ...sums.flatMap((sum, index) => drawLegend(sum, SIZE.height + MARGIN + 14 + index * LEGEND_ROW)),
  ]);
}

function drawFile({ data, x0, y0, x1, y1 }: HierarchyRectangularNode<Branch>): readonly string[] {
  const { part, path, size } = data;
  const [x, y, width, height] = [x0 + MARGIN, y0 + MARGIN, x1 - x0, y1 - y0];
  // A pointer on a rectangle shows its path, for those that are too small for a name.
  const hint = element("title", {}, escapeXml(`${path}, ${formatBytes(size)}`));
  const box = element("rect", { x, y, width, height, fill: COLOURS[part], stroke: "#444", "stroke-width": 0.5 }, hint);
  const room = Math.floor((width - 8) / LETTER);
  if (room < 6 || height < LABEL.height + 4) return [box];
  const name = text(x + 4, y + LABEL.height, shorten(path.replace(/^.*\//, ""), room), { "font-size": LABEL.size });
  if (height < 2 * LABEL.height + 4) return [box, name];
  return [box, name, text(x + 4, y + 2 * LABEL.height, formatBytes(size), { "font-size": LABEL.size })];
}

function drawLegend({ part, bytes, files }: ReturnType<typeof sumParts>[number], y: number): readonly string[] {
  return [
    element("rect", { x: MARGIN, y: y - 11, width: 14, height: 14, fill: COLOURS[part], stroke: "#444" }),
    text(MARGIN + 22, y, `${part}: ${formatBytes(bytes)} in ${files} ${files === 1 ? "file" : "files"}`, {
      "font-size": 12,
    }),
  ];
}
