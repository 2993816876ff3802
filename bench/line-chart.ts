/** What a chart shows; all series have the same axes. */
export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly { readonly count: number; readonly seconds: number }[];
  }[];
}

const [WIDTH, HEIGHT] = [640, 360];
/** The rectangle of the curves. */
const AREA = { left: 60, top: 44, right: 470, bottom: 310 };
// Distinguishable for the colour-blind, and on paper (Okabe and Ito).
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
const TICKS = 5;

/** Formats curves as an SVG, with each point's value in its tooltip. */
export function lineChart({ title, xLabel, yLabel, series }: Chart): string {
  const points = series.flatMap((one) => one.points);
  const [xEnd, yEnd] = [
    roundUp(Math.max(1, ...points.map(({ count }) => count))),
    roundUp(Math.max(0.001, ...points.map(({ seconds }) => seconds))),
  ];
  const x = (count: number) => round(AREA.left + (count / xEnd) * (AREA.right - AREA.left));
  const y = (seconds: number) => round(AREA.bottom - (seconds / yEnd) * (AREA.bottom - AREA.top));
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => index / TICKS);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(AREA.left, 24, title, 'font-size="15"'),
    ...ticks.map((part) => `<path d="M${AREA.left} ${y(part * yEnd)}H${AREA.right}" stroke="#ddd"/>`),
    ...ticks.map((part) => text(AREA.left - 6, y(part * yEnd) + 4, label(part * yEnd), 'text-anchor="end"')),
    ...ticks.map((part) => text(x(part * xEnd), AREA.bottom + 18, label(part * xEnd), 'text-anchor="middle"')),
    text((AREA.left + AREA.right) / 2, HEIGHT - 10, xLabel, 'text-anchor="middle"'),
    text(
      16,
      (AREA.top + AREA.bottom) / 2,
      yLabel,
      `text-anchor="middle" transform="rotate(-90 16 ${(AREA.top + AREA.bottom) / 2})"`,
    ),
    ...series.flatMap(({ name, points: own }, index) => {
      const colour = COLOURS[index % COLOURS.length];
      const places = own.map(({ count, seconds }) => `${x(count)},${y(seconds)}`);
      const legendY = AREA.top + 16 + index * 20;
      return [
        `<polyline points="${places.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...own.map(({ count, seconds }) => {
          const tip = `<title>${escapeXml(name)}, ${count}: ${seconds.toFixed(2)} s</title>`;
          return `<circle cx="${x(count)}" cy="${y(seconds)}" r="3.5" fill="${colour}">${tip}</circle>`;
        }),
        `<rect x="${AREA.right + 12}" y="${legendY - 9}" width="10" height="10" fill="${colour}"/>`,
        text(AREA.right + 28, legendY, name, ""),
      ];
    }),
    "</svg>",
  ].join("\n")}\n`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}"${attributes === "" ? "" : ` ${attributes}`}>${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Returns the end of an axis: 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((step) => step * power >= value) ?? 10);
}

function label(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
