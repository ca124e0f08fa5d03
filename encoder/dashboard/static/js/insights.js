// Charts drawn from the tables that stand below them: they show no other numbers than the tables tell.

import { axis, draw, line } from "./chart.js";

const COLOURS = { ends: ["--good", "--bad", "--idle"], steps: ["--busy", "--proof"], lines: ["--busy", "--proof"] };

for (const figure of document.querySelectorAll("[data-chart]")) chart(figure);

function chart(figure) {
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
  const paths = kind === "lines" ? uPlot.paths.linear() : uPlot.paths.stepped({ align: 1 });
  const value = (told) => `${told.toLocaleString("en")}${unit}`;
  plot.classList.add("drawn");
  draw(plot, [times, ...columns], {
    x: { range: (_, low, high) => [low, high + piece] },
    axes: [
      axis((ticks) => ticks.map((tick, at) => moment(tick, day || (at > 0 && tick % 86_400 === 0)))),
      axis((ticks) => ticks.map(value), { size: 64 }),
    ],
    series: [
      { label: "from, UTC", value: (_, at) => (at === null ? "–" : new Date(at * 1000).toISOString().slice(0, day ? 10 : 16).replace("T", " ")) },
      ...heads.map((head, at) => line(head.replace(/, s$/, ""), at, COLOURS[kind], value, { paths, points: { show: kind === "lines" }, spanGaps: false })),
    ],
  });
}

/** A time of a piece, UTC: of a day only its date, else its hour. */
function moment(seconds, dated) {
  const at = new Date(seconds * 1000).toUTCString(); // Mon, 30 Nov 2026 03:00:00 GMT
  return dated ? at.slice(5, 11) : at.slice(17, 22);
}

function number(text) {
  return text === "–" ? null : Number(text.replaceAll(",", ""));
}
