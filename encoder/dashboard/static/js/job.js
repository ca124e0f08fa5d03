// The pages of a job: parts are fetched when they are opened, a log that grows is followed, and what is seen stays true.

import { onKey } from "./keys.js";
import { announcer, morph, refresher, watch, write } from "./live.js";
import { localize } from "./main.js";

const REDRAWN_MS = 5_000; // the waterfall of a job that runs
const MOST_PIECES = 2_000; // of a log that grows
const NEAR_PX = 24; // of the end: who is there follows
const RUNS = ["queued", "processing"];

const page = document.getElementById("job-live") ?? document.getElementById("log-page");
let reading = page?.dataset.log; // the output whose log is read
let stream;

// live

if (page) {
  const id = page.dataset.job;
  const whole = page.id === "job-live";
  const announce = announcer();
  const refresh = refresher(() => `/ui/parts/jobs/${id}`, (made) => {
    const now = made.getElementById("job-live");
    const before = page.dataset.state;
    morph(page, now);
    if (before !== page.dataset.state && !RUNS.includes(page.dataset.state)) announce(page.dataset.state, page.dataset.name);
  });
  stream = watch(() => `/ui/stream?job=${id}${reading === undefined ? "" : `&log=${reading}`}`, {
    shapes: (shapes) => { if (whole && shapes[id] !== page.dataset.shape) refresh([id]); },
    facts: ({ [id]: facts }) => { if (whole && facts) tell(facts); },
    stale: () => { if (whole) refresh([id]); else location.reload(); },
    log: grow,
  });
  if (whole) setInterval(() => {
    if (!document.hidden && RUNS.includes(page.dataset.state) && !localStorage.getItem("encoder-live-paused")) refresh([id]);
  }, REDRAWN_MS);
}

function tell(facts) {
  const head = document.getElementById("job-now");
  if (head) write(head, { pct: facts.pct });
  for (const [id, output] of Object.entries(facts.outputs ?? {})) {
    const place = page.querySelector(`[data-output="${id}"]`);
    if (place && output.stage) write(place, { pct: output.pct, stage: output.stage, ...(output.fps && { pace: pace(output) }) });
  }
}

/** As the server says it (job_words.pace). */
function pace({ fps, speed, eta, pct }) {
  const words = [`${fps}\u202ffps`];
  if (speed) words.push(`${speed}×`);
  if (eta !== null && pct >= 2) words.push(`~${about(eta)} left`);
  return words.join(" · ");
}

function about(seconds) {
  if (seconds < 57.5) return `${Math.max(5, Math.round(seconds / 5) * 5)}\u202fs`;
  const minutes = Math.round(seconds / 60), hours = Math.floor(minutes / 60);
  if (!hours) return `${minutes}\u202fmin`;
  return minutes % 60 ? `${hours}\u202fh ${minutes % 60}\u202fmin` : `${hours}\u202fh`;
}

// logs

/** Append what ffmpeg has said since; nothing that stands there is touched, so that a selection lives on. */
function grow({ out, at, text, live }) {
  const log = document.getElementById(`log-${out}`);
  if (!log || !("tail" in log.dataset)) return;
  if (!live) {
    delete log.dataset.tail;
    return;
  }
  const letters = Array.from(text);
  const had = Number(log.dataset.at), end = at + letters.length;
  if (end <= had) return;
  const follows = following(log);
  log.hidden = false;
  log.append((at > had && had ? "\n…\n" : "") + letters.slice(Math.max(0, had - at)).join(""));
  log.dataset.at = end;
  while (log.childNodes.length > MOST_PIECES) log.firstChild.remove();
  if (follows) log.scrollTop = log.scrollHeight;
}

/** Whoever scrolled up, selected something or said so does not follow. */
function following(log) {
  const box = document.querySelector("[data-follow] input");
  const near = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
  return near && getSelection().isCollapsed && (!box || box.checked);
}

for (const label of document.querySelectorAll("[data-follow]")) label.hidden = false;
for (const log of document.querySelectorAll("pre[data-tail]")) log.scrollTop = log.scrollHeight;

// parts that come when they are opened

document.addEventListener("toggle", (event) => {
  if (event.target.open) load(event.target);
}, true);
for (const part of document.querySelectorAll("details[data-load][open]")) load(part);
openNamed();
addEventListener("hashchange", openNamed);

async function load(part) {
  const slot = part.querySelector(":scope > [data-slot]");
  if (!part.dataset.load || !slot || "keep" in slot.dataset) return;
  const late = setTimeout(() => { slot.prepend("Reading… "); }, 300);
  try {
    const answer = await fetch(part.dataset.load);
    if (!answer.ok) return; // the link to the whole page stays
    const made = document.createElement("template");
    made.innerHTML = await answer.text();
    localize(made.content);
    slot.replaceChildren(made.content);
    slot.dataset.keep = "";
    for (const log of slot.querySelectorAll(".log pre")) log.scrollTop = log.scrollHeight;
  } finally {
    clearTimeout(late);
  }
  if (part.dataset.log !== undefined) {
    reading = part.dataset.log;
    stream?.reopen();
  }
}

/** What an address names is open: `#run-2`, `#o3`. */
function openNamed() {
  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (named instanceof HTMLDetailsElement) named.open = true;
}

// keys and buttons

onKey("r", () => document.querySelector("[data-dialog=retry]")?.click());
onKey("c", () => document.querySelector("[data-dialog=cancel]")?.click());
for (const [key, tab] of [["l", "log"], ["p", "proof"], ["w", "watch"]]) onKey(key, () => go(tab));

/** To a page of the output that one looks at: the first that is open, else the first. */
function go(tab) {
  const output = document.querySelector("details.output[open]") ?? document.querySelector("details.output");
  const id = output?.id.slice(1) ?? location.pathname.match(/outputs\/(\d+)/)?.[1];
  const job = location.pathname.match(/^\/ui\/jobs\/[^/]+/)?.[0];
  if (id !== undefined && job) location.href = `${job}/outputs/${id}/${tab}`;
}

for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});
