// The page of a job: parts are fetched when they are opened, a log that grows is followed, and the page stays true.

import { onKey } from "./keys.js";
import { localize } from "./main.js";

const TAIL_MS = 2000;
const MOST_LINES = 2000;
const NEAR_PX = 24; // of the end: who is there follows

document.addEventListener("toggle", (event) => {
  if (event.target.open) load(event.target);
}, true);
for (const part of document.querySelectorAll("details[data-load][open]")) load(part);
openNamed();
addEventListener("hashchange", openNamed);

for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});

onKey("r", () => document.querySelector("[data-dialog=retry]")?.click());
onKey("c", () => document.querySelector("[data-dialog=cancel]")?.click());
for (const [key, tab] of [["l", "log"], ["p", "proof"], ["w", "watch"]]) onKey(key, () => go(tab));

setInterval(() => {
  if (!document.hidden) for (const log of document.querySelectorAll("pre[data-tail]")) grow(log);
}, TAIL_MS);

/** What an address names is open: `#run-2`, `#o3`. */
function openNamed() {
  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (named instanceof HTMLDetailsElement) named.open = true;
}

/** To a page of the output that one looks at: the first that is open, else the first. */
function go(tab) {
  const output = document.querySelector("details.output[open]") ?? document.querySelector("details.output");
  const id = output?.id.slice(1) ?? location.pathname.match(/outputs\/(\d+)/)?.[1];
  const job = location.pathname.match(/^\/ui\/jobs\/[^/]+/)?.[0];
  if (id !== undefined && job) location.href = `${job}/outputs/${id}/${tab}`;
}

async function load(part) {
  const from = part.dataset.load;
  const slot = part.querySelector(":scope > [data-slot]");
  if (!from || !slot) return;
  delete part.dataset.load;
  const said = slot.innerHTML;
  const late = setTimeout(() => { slot.textContent = "Reading…"; }, 300);
  try {
    const answer = await fetch(from);
    if (!answer.ok) throw new Error(answer.statusText);
    const holder = document.createElement("div");
    holder.innerHTML = await answer.text();
    localize(holder);
    slot.replaceWith(holder);
    for (const log of holder.querySelectorAll("pre")) log.scrollTop = log.scrollHeight;
  } catch {
    slot.innerHTML = said; // the link to the whole page
    part.dataset.load = from;
  } finally {
    clearTimeout(late);
  }
}

/** Append what ffmpeg has said since; nothing that stands there is touched, so that a selection lives on. */
async function grow(log) {
  if (log.dataset.busy || log.closest("details:not([open])")) return;
  log.dataset.busy = "1";
  try {
    const answer = await fetch(log.dataset.tail);
    if (!answer.ok) return;
    const { live, at, text } = await answer.json();
    const letters = Array.from(text);
    const had = Number(log.dataset.at);
    const end = at + letters.length;
    if (live && end > had) {
      const follows = following(log);
      const gap = at > had ? "…\n" : "";
      log.hidden = false;
      log.append(gap + letters.slice(Math.max(0, had - at)).join(""));
      log.dataset.at = end;
      shorten(log);
      if (follows) log.scrollTop = log.scrollHeight;
    }
    if (!live) delete log.dataset.tail;
  } finally {
    delete log.dataset.busy;
  }
}

/** Whoever scrolled up, selected something or said so does not follow. */
function following(log) {
  const box = document.querySelector("[data-follow] input");
  const near = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
  return near && getSelection().isCollapsed && (!box || box.checked);
}

function shorten(log) {
  while (log.childNodes.length > MOST_LINES) log.firstChild.remove();
}

for (const label of document.querySelectorAll("[data-follow]")) label.hidden = false;
for (const log of document.querySelectorAll("pre[data-tail]")) log.scrollTop = log.scrollHeight;
