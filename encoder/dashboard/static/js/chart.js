// What all charts have in common: uPlot in the colours of the theme, as wide as its place, each line with its own dash.

const HEIGHT = 220;
const DASHES = [[], [6, 4], [2, 3]];

// A canvas does not know `light-dark()`: an element says what it comes to.
const asked = document.createElement("i");
asked.hidden = true;
document.body.append(asked);

/** What a colour of ours is in the theme that holds. */
export function colour(name) {
  asked.style.color = `var(${name})`;
  return getComputedStyle(asked).color;
}

/** An axis whose ticks read as `values` makes them. */
export function axis(values, more = {}) {
  const line = { stroke: () => colour("--line"), width: 1 };
  return { stroke: () => colour("--muted"), grid: line, ticks: { stroke: line.stroke }, values: (_, ticks) => values(ticks), ...more };
}

/** The line of number `at`. `value`: how the legend writes one; no value is a dash. */
export function line(label, at, colours, value, more) {
  return {
    label, width: 2, dash: DASHES[at % DASHES.length], stroke: () => colour(colours[at % colours.length]),
    value: (_, told) => (told === null ? "–" : value(told)), ...more,
  };
}

/** Draws into `plot`, which has its width from the page. */
export function draw(plot, columns, { x, axes, series, hooks = {} }) {
  const drawn = new uPlot({
    width: plot.clientWidth || 600,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { x, y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.1] } },
    axes, series, hooks,
  }, columns, plot);
  new ResizeObserver(() => drawn.setSize({ width: plot.clientWidth, height: HEIGHT })).observe(plot);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.redraw());
  return drawn;
}
