import type { Column, Keeps, Part } from "./stack-columns.ts";
import { document, element, shorten, text } from "./svg.ts";

const BOX = { width: 300, height: 46, gap: 6 };
const MARGIN = 20;
const HEAD = 34;
/** As many characters as surely fit into a box, at the width of an "m". */
const MOST_CHARACTERS = { name: 34, note: 44 };

// Distinguishable for the colour-blind, and on paper (Okabe and Ito), with black text on each.
const COLOURS: Readonly<Record<Keeps, { readonly fill: string; readonly text: string }>> = {
  nothing: { fill: "#e5e5e5", text: "is only read" },
  memory: { fill: "#9fd5f5", text: "keeps changes in memory, until shutdown" },
  disk: { fill: "#f5c77e", text: "keeps changes on a disk" },
};
const KEEPS = Object.keys(COLOURS) as readonly Keeps[];

/** Draws columns of parts as an SVG: a column for each directory, the lowest part at the bottom, and a legend. */
export function drawStack(columns: readonly Column[]): string {
  const tallest = Math.max(...columns.map(({ parts }) => parts.length));
  const bottom = MARGIN + HEAD + tallest * (BOX.height + BOX.gap);
  const used = KEEPS.filter((keeps) => columns.some(({ parts }) => parts.some((part) => part.keeps === keeps)));
  const size = { width: MARGIN + columns.length * (BOX.width + MARGIN), height: bottom + MARGIN + used.length * 20 };
  return document(size, columns.map(describeColumn).join("; "), [
    ...columns.flatMap((column, index) => drawColumn(column, MARGIN + index * (BOX.width + MARGIN), bottom)),
    ...used.flatMap((keeps, index) => drawLegend(keeps, bottom + 12 + index * 20)),
  ]);
}

/** Returns a column in words, the top first: who cannot see the drawing hears the same. */
function describeColumn({ place, parts }: Column): string {
  return `${place}: ${parts
    .toReversed()
    .map(({ name, note }) => `${name} (${note})`)
    .join(" over ")}`;
}

function drawColumn({ place, parts }: Column, x: number, bottom: number): readonly string[] {
  const top = bottom - parts.length * (BOX.height + BOX.gap);
  return [
    text(x, top - 10, place, { "font-size": 17, "font-weight": "bold" }),
    ...parts.flatMap((part, index) => drawPart(part, x, bottom - (index + 1) * (BOX.height + BOX.gap))),
  ];
}

function drawPart({ name, note, keeps }: Part, x: number, y: number): readonly string[] {
  const { width, height } = BOX;
  return [
    element("rect", { x, y, width, height, rx: 4, fill: COLOURS[keeps].fill, stroke: "#444" }),
    text(x + 10, y + 20, shorten(name, MOST_CHARACTERS.name), { "font-size": 14 }),
    text(x + 10, y + 37, shorten(note, MOST_CHARACTERS.note), { "font-size": 11, fill: "#333" }),
  ];
}

function drawLegend(keeps: Keeps, y: number): readonly string[] {
  const { fill, text: meaning } = COLOURS[keeps];
  return [
    element("rect", { x: MARGIN, y, width: 14, height: 14, fill, stroke: "#444" }),
    text(MARGIN + 22, y + 12, meaning, { "font-size": 12 }),
  ];
}
