// Charts drawn from the tables that stand below them: they show no other numbers than the tables tell.

const HEIGHT = 220;
const DASHES = [[], [6, 4], [2, 3]];
const COLOURS = { ends: ["--good", "--bad", "--idle"], steps: ["--busy", "--proof"], lines: ["--busy", "--proof"] };

// what a colour of our own is in the theme that holds
const asked = document.body.appendChild(document.createElement("i"));
asked.hidden = true;

for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);

function draw(figure) {
  if (!globalThis.uPlot) return;
  const plot = figure.querySelector("[data-plot]");
  const kind = figure.dataset.chart;
  const unit = figure.dataset.unit ? ` ${figure.dataset.unit}` : "";
  const heads = [...figure.querySelectorAll("thead th")].slice(1).map((head) => head.textContent);
  const rows = [...figure.querySelectorAll("tbody tr")];
  const times = rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000);
  const columns = heads.map((_, at) => rows.map((row) => number(row.cells[at + 1].textContent)));
  if (rows.length < 2) return;
  const piece = times[1] - times[0];
  const day = piece >= 86_400;
  const axis = { stroke: () => colour("--muted"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { stroke: () => colour("--line") } };
  const paths = kind !== "lines" ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear();
  plot.classList.add("drawn");
  const drawn = new uPlot({
    width: plot.clientWidth || 600,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { x: { range: (_, low, high) => [low, high + piece] }, y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.1] } },
    axes: [{ ...axis, values: (_, ticks) => ticks.map((tick, at) => moment(tick, day || (at > 0 && tick % 86_400 === 0))) }, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => `${tick.toLocaleString("en")}${unit}`) }],
    series: [
      { label: "from, UTC", value: (_, at) => (at === null ? "–" : new Date(at * 1000).toISOString().slice(0, day ? 10 : 16).replace("T", " ")) },
      ...heads.map((head, at) => ({
        label: head.replace(/, s$/, ""), paths, points: { show: kind === "lines" }, width: 2, dash: DASHES[at % DASHES.length], spanGaps: false,
        stroke: () => colour(COLOURS[kind][at % COLOURS[kind].length]),
        value: (_, value) => (value === null ? "–" : `${value.toLocaleString("en")}${unit}`),
      })),
    ],
    cursor: { drag: { x: false, y: false } },
  }, [times, ...columns], plot);
  new ResizeObserver(() => drawn.setSize({ width: plot.clientWidth, height: HEIGHT })).observe(plot);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.redraw());
}

/** A time of a piece, UTC: of a day only its date, else its hour. */
function moment(seconds, dated) {
  const at = new Date(seconds * 1000).toUTCString(); // Mon, 30 Nov 2026 03:00:00 GMT
  return dated ? at.slice(5, 11) : at.slice(17, 22);
}

function number(text) {
  return text === "–" ? null : Number(text.replaceAll(",", ""));
}

function colour(name) {
  asked.style.color = `var(${name})`;
  return getComputedStyle(asked).color;
}
