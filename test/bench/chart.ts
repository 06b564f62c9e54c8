import { scaleBand, scaleLinear } from "d3-scale";

/** Bars in groups, one unit for all. */
export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly groups: readonly { readonly name: string; readonly bars: readonly Bar[] }[];
}

export interface Bar {
  readonly name: string;
  readonly value: number;
}

const WIDTH = 720;
const LEFT = 210;
const RIGHT = 70;
const BAR = 18;
const GROUP_GAP = 30;
const TOP = 44;
const BOTTOM = 34;

/** Colours that are told apart without seeing red and green apart, on white and on black. */
const COLOURS = ["#8a8f98", "#c98500", "#2f7fd6"] as const;

/** The chart as SVG. Texts follow the reader's choice of light or dark; the ground is left to the page. */
export function svgOf({ title, unit, groups }: Chart): string {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const rows = groups.map(({ bars }) => bars.length * BAR + GROUP_GAP);
  const height = TOP + rows.reduce((sum, row) => sum + row, 0) + BOTTOM;
  const across = scaleLinear([0, most], [LEFT, WIDTH - RIGHT]).nice();
  const ticks = across.ticks(5);
  const grid = ticks.map(
    (tick) =>
      `<line class="grid" x1="${across(tick)}" x2="${across(tick)}" y1="${TOP - 8}" y2="${height - BOTTOM}"/>` +
      `<text class="small" x="${across(tick)}" y="${height - BOTTOM + 18}" text-anchor="middle">${tick} ${unit}</text>`,
  );
  let top = TOP;
  const drawn = groups.map(({ name, bars }, index) => {
    const down = scaleBand(
      bars.map((bar) => bar.name),
      [top + GROUP_GAP - 10, top + (rows[index] ?? 0) - 10],
    ).padding(0.15);
    const heading = `<text class="group" x="12" y="${top + 12}">${escaped(name)}</text>`;
    top += rows[index] ?? 0;
    const lines = bars.map((bar, place) => {
      const y = down(bar.name) ?? 0;
      const middle = y + down.bandwidth() / 2 + 4;
      return (
        `<text x="${LEFT - 10}" y="${middle}" text-anchor="end">${escaped(bar.name)}</text>` +
        `<rect x="${LEFT}" y="${y}" width="${Math.max(1, across(bar.value) - LEFT)}" height="${down.bandwidth()}" fill="${COLOURS[place % COLOURS.length]}"/>` +
        `<text class="small" x="${across(bar.value) + 6}" y="${middle}">${bar.value.toFixed(1)}</text>`
      );
    });
    return heading + lines.join("");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.group { font-weight: 600; }
.small { font-size: 11px; fill: #57606a; }
.grid { stroke: #8c959f; stroke-opacity: 0.35; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .small { fill: #9aa4af; }
}
</style>
<text class="title" x="12" y="20">${escaped(title)}</text>
${[...grid, ...drawn].join("\n")}
</svg>
`;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
