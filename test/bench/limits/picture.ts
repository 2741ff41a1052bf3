// Draws lines over two axes as a self-contained SVG, legible on light and on dark. It knows nothing of what
// is drawn.

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface Chart {
  readonly title: string;
  /** With their units. */
  readonly x: string;
  readonly y: string;
  /** A logarithmic x axis; the y axis is linear and begins at 0. */
  readonly logarithmic: boolean;
  readonly lines: readonly Line[];
  /** Upright lines with a word each: where something begins. */
  readonly marks?: readonly { readonly x: number; readonly name: string }[];
}

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 64;
/** Leaves room for half of the last number. */
const RIGHT = 600;
const TOP = 62;
const BOTTOM = 270;
/** Steps of an axis, about. */
const TICKS = 5;

const STYLE = `text{font:12px system-ui,sans-serif;fill:#24292f}.grid{stroke:#8884}.axis{stroke:#57606a}
.l0{stroke:#0969da;fill:none}.l1{stroke:#bc4c00;fill:none}path{stroke-width:2}.mark{stroke:#8250df;stroke-dasharray:4 3}
.back{fill:#fff}@media(prefers-color-scheme:dark){.back{fill:#0d1117}text{fill:#e6edf3}.axis{stroke:#9198a1}
.l0{stroke:#4493f8}.l1{stroke:#f0883e}.mark{stroke:#ab7df8}}`;

/** The least of 1, 2, 5 times a power of ten that is not below. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((step) => step * power >= value * 0.999)!;
}

/** 0, a step, two steps … up to this. */
function stepsTo(most: number, step: number): number[] {
  return Array.from({ length: Math.floor(most / step + 0.001) + 1 }, (_, i) => i * step);
}

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

export function drawn({ title, x, y, logarithmic, lines, marks = [] }: Chart): string {
  const points = lines.flatMap((line) => line.points);
  const scale = (value: number): number => (logarithmic ? Math.log10(value) : value);
  const least = Math.min(...points.map(([at]) => at));
  const most = Math.max(...points.map(([at]) => at));
  const highest = Math.max(...points.map(([, value]) => value));
  const step = roundUp(highest / TICKS);
  const top = step * Math.ceil(highest / step);
  const atX = (value: number): number =>
    Math.round(LEFT + ((scale(value) - scale(least)) / (scale(most) - scale(least))) * (RIGHT - LEFT));
  const atY = (value: number): number => Math.round(BOTTOM - (value / top) * (BOTTOM - TOP));
  const ticksX = logarithmic ? [...new Set(points.map(([at]) => at))] : stepsTo(most, roundUp((most - least) / TICKS));
  const parts = [
    `<text x="${LEFT}" y="20" style="font-weight:600">${escaped(title)}</text>`,
    ...stepsTo(top, step).map(
      (value) =>
        `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${atY(value)}" y2="${atY(value)}"/>` +
        `<text x="${LEFT - 6}" y="${atY(value) + 4}" text-anchor="end">${Number(value.toPrecision(3))}</text>`,
    ),
    ...ticksX.map(
      (value) =>
        `<text x="${atX(value)}" y="${BOTTOM + 18}" text-anchor="middle">${Number(value.toPrecision(3)).toLocaleString("en")}</text>`,
    ),
    `<line class="axis" x1="${LEFT}" x2="${RIGHT}" y1="${BOTTOM}" y2="${BOTTOM}"/>`,
    `<text x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escaped(x)}</text>`,
    `<text x="14" y="${(TOP + BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(TOP + BOTTOM) / 2})">${escaped(y)}</text>`,
    ...marks.map(
      ({ x: at, name }) =>
        `<line class="mark" x1="${atX(at)}" x2="${atX(at)}" y1="${TOP}" y2="${BOTTOM}"/>` +
        `<text x="${atX(at) + 4}" y="${TOP + 10}">${escaped(name)}</text>`,
    ),
    ...lines.map(
      (line, i) =>
        `<path class="l${i}" d="M${line.points.map(([at, value]) => `${atX(at)} ${atY(value)}`).join("L")}"/>` +
        `<path class="l${i}" d="M${LEFT + i * 260} 42h20"/><text x="${LEFT + i * 260 + 26}" y="46">${escaped(line.name)}</text>`,
    ),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">` +
    `<style>${STYLE}</style><rect class="back" width="${WIDTH}" height="${HEIGHT}"/>\n${parts.join("\n")}\n</svg>\n`
  );
}
