// Bytes over time, drawn from the table that stands below: the chart shows no other numbers than the table tells.

import { axis, colour, draw, line } from "./chart.js";

const COLOURS = ["--busy", "--proof", "--good"];

/** `video`: what a click in the chart goes to, and whose position is drawn. */
export function chart(figure, video) {
  if (!globalThis.uPlot) return;
  const plot = figure.querySelector("[data-plot]");
  const step = Number(figure.dataset.step);
  const keys = figure.dataset.keyframes.split(",").filter(Boolean).map(Number);
  const heads = [...figure.querySelectorAll("thead th")].slice(1, -1).map((head) => head.textContent);
  const rows = [...figure.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => Number(cell.textContent)));
  if (!rows.length) return;
  const end = rows.at(-1)[0] + step;
  const columns = [[...rows.map((row) => row[0]), end], ...heads.map((_, at) => [...rows.map((row) => row[at + 1]), rows.at(-1)[at + 1]])];
  const more = { paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } };
  const drawn = draw(plot, columns, {
    x: { time: false, range: [0, end] },
    axes: [axis((ticks) => ticks.map((tick) => `${tick} s`)), axis((ticks) => ticks.map(bits), { size: 84 })],
    series: [
      { label: "from", value: (_, at) => (at === null ? "–" : `${at} s`) },
      ...heads.map((head, at) => line(head.replace(", kbit/s", ""), at, COLOURS, bits, more)),
    ],
    hooks: { draw: [(self) => marks(self, keys, video)] },
  });
  if (!video) return;
  drawn.over.addEventListener("click", (event) => {
    const at = drawn.posToVal(event.clientX - drawn.over.getBoundingClientRect().left, "x");
    if (video.duration) video.currentTime = Math.min(Math.max(at, 0), video.duration);
  });
  video.addEventListener("timeupdate", () => drawn.redraw(false));
}

/** Keyframes as ticks at the foot, and where the video is. */
function marks(self, keys, video) {
  const { ctx, bbox } = self;
  ctx.save();
  ctx.setLineDash([]);
  ctx.strokeStyle = colour("--ink");
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.beginPath();
  for (const key of keys) {
    const x = self.valToPos(key, "x", true);
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x, bbox.top + bbox.height - 12 * devicePixelRatio);
  }
  ctx.stroke();
  if (video?.duration) {
    ctx.strokeStyle = colour("--accent");
    ctx.beginPath();
    const x = self.valToPos(video.currentTime, "x", true);
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function bits(rate) {
  return rate < 1000 ? `${Number(rate.toPrecision(3))} kbit/s` : `${Number((rate / 1000).toPrecision(3))} Mbit/s`;
}
