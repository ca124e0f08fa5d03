// The list of jobs: live rows, a selection that is kept by id, a menu for each row, and bulk actions that go on by themselves.

import { onKey } from "./keys.js";
import { announcer, morph, refresher, watch, write } from "./live.js";

const CHOSEN = "encoder-chosen";
const MOST_CHOSEN = 500;
const AGES_MS = 15_000;
const GO_ON_MS = 400;
const ENDED = ["completed", "failed", "cancelled"];

const table = document.getElementById("jobs");
const filters = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name, value]) => value && !["before", "rows"].includes(name)));

// live

if (table) {
  const announce = announcer();
  const ids = () => [...table.querySelectorAll("[data-shape]")].map((row) => row.id.slice(1));
  const asked = (more) => new URLSearchParams([...filters, ...Object.entries(more)]);
  const row = (id) => document.getElementById(`j${id}`);
  const wanted = filters.get("status")?.split(",");

  const found = (made, stale) => {
    const counts = made.getElementById?.("counts") ?? made.querySelector("#counts");
    if (counts && document.getElementById("counts")) morph(document.getElementById("counts"), counts);
    for (const id of stale) {
      const old = row(id), now = made.querySelector(`#j${id}`);
      if (!old) continue;
      if (!now) {
        old.classList.add("gone");
        continue;
      }
      const before = old.dataset.state, { state } = now.dataset;
      if (wanted && !wanted.includes(state)) now.classList.add("left");
      morph(old, now);
      if (before !== state && ENDED.includes(state)) announce(state, now.querySelector("bdi")?.textContent ?? `j${id}`);
    }
  };
  const refresh = refresher((some, counts) => `/ui/parts/jobs?${asked({ jobs: some, ...(counts && { counts: 1 }) })}`, found);

  watch(() => `/ui/stream?${asked({ jobs: ids().slice(0, 200), ...("newest" in table.dataset && { new: table.dataset.newest }) })}`, {
    shapes: (shapes) => refresh(ids().filter((id) => row(id).dataset.shape !== shapes[id])),
    facts: (facts) => { for (const [id, each] of Object.entries(facts)) if (row(id)) write(row(id), each); },
    stale: ({ jobs = [], counts = false }) => refresh(jobs, counts),
    new: ({ n }) => {
      const place = document.getElementById("new");
      place.hidden = n === 0;
      place.firstElementChild.textContent = `${n} new: show`;
    },
  });

  const began = performance.now(), then = Date.parse(table.dataset.now);
  setInterval(() => {
    const now = then + performance.now() - began;
    for (const time of table.querySelectorAll(".c-age time")) time.textContent = age((now - Date.parse(time.dateTime)) / 1000, time.textContent);
  }, AGES_MS);
}

function age(seconds, before) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))}\u202fs`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}\u202fmin`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}\u202fh` : before;
}

document.addEventListener("mouseover", ({ target }) => {
  if (target.matches("#jobs time:not([title])")) target.title = target.dateTime.replace("T", " ").replace("Z", " UTC");
});

// selection

const boxes = () => [...document.querySelectorAll("#jobs [name=ids]")];
const bar = document.getElementById("chosen");
if (document.querySelector(".said")) sessionStorage.removeItem(CHOSEN); // it was done
let chosen = new Set(JSON.parse(sessionStorage.getItem(CHOSEN) ?? "[]"));

function keep() {
  for (const box of boxes()) {
    if (box.checked) chosen.add(box.value);
    else chosen.delete(box.value);
  }
  tell();
}

function tell() {
  chosen = new Set([...chosen].slice(-MOST_CHOSEN));
  sessionStorage.setItem(CHOSEN, JSON.stringify([...chosen]));
  if (!bar) return;
  const here = boxes().filter((box) => box.checked).length, every = bar.querySelector("[data-every]").checked;
  bar.classList.toggle("some", chosen.size > 0 || every);
  const elsewhere = chosen.size - here;
  bar.querySelector("[data-count]").textContent = every ? "all that match" : `${chosen.size} selected${elsewhere ? `, ${elsewhere} on other pages` : ""}`;
  const all = bar.querySelector("[data-all]");
  all.checked = here > 0 && here === boxes().length;
  all.indeterminate = here > 0 && here < boxes().length;
}

if (bar) {
  for (const box of boxes()) box.checked = chosen.has(box.value);
  bar.querySelector("[data-every]").checked = false;
  tell();
  document.getElementById("bulk").addEventListener("submit", (event) => {
    const here = new Set(boxes().map((box) => box.value));
    for (const id of chosen) if (!here.has(id)) hidden(event.target, "ids", id);
  });
  addEventListener("pageshow", keep); // a browser that goes back has checked the boxes by itself
}

function hidden(form, name, value) {
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name, value });
  form.append(field);
}

let lastBox;
document.addEventListener("click", (event) => {
  const box = event.target.closest("#jobs [name=ids]");
  if (!box) return;
  const all = boxes(), from = all.indexOf(lastBox), to = all.indexOf(box);
  if (event.shiftKey && from >= 0) for (const each of all.slice(Math.min(from, to), Math.max(from, to))) each.checked = box.checked;
  lastBox = box;
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches("[data-all], #jobs [name=ids]")) keep();
  if (event.target.matches("[data-every]")) tell();
  if (event.target.matches("#filters select")) event.target.form.requestSubmit();
});

// a menu for each row

const menu = document.getElementById("row-menu");

function aim(id) {
  menu.querySelector("[name=ids]").value = id;
  menu.querySelector("[data-open]").href = `/ui/jobs/${id}`;
  menu.querySelector("[data-clone]").href = `/ui/jobs/new?from=${id}`;
  const state = document.getElementById(`j${id}`).dataset.state;
  menu.querySelector("[value=retry]").hidden = !["failed", "cancelled"].includes(state);
  menu.querySelector("[value=cancel]").hidden = ENDED.includes(state);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("#jobs .c-menu button");
  if (!button) return;
  aim(button.closest("tr").id.slice(1));
  const { bottom, right } = button.getBoundingClientRect();
  menu.showPopover();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(4, right - width)}px`;
  menu.style.top = `${Math.min(bottom, innerHeight - height - 4)}px`;
  menu.querySelector("a").focus();
});

// keys

const rows = () => [...document.querySelectorAll("#jobs [data-shape]")];
const current = () => document.activeElement?.closest?.("#jobs [data-shape]") ?? document.querySelector("#jobs tr.on");

function go(step) {
  const all = rows(), at = all.indexOf(current());
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))];
  if (!next) return;
  document.querySelector("#jobs tr.on")?.classList.remove("on");
  next.classList.add("on");
  next.querySelector("a").focus();
  next.scrollIntoView({ block: "nearest" });
}

function act(action) {
  if (chosen.size || bar?.querySelector("[data-every]").checked) {
    document.querySelector(`#bulk [value=${action}]`)?.click();
    return;
  }
  const row = current();
  if (!row || !menu) return;
  aim(row.id.slice(1));
  const button = menu.querySelector(`[value=${action}]`);
  if (!button.hidden) button.click();
}

if (table) {
  onKey("j", () => go(1));
  onKey("k", () => go(-1));
  onKey("x", () => current()?.querySelector("[name=ids]")?.click());
  onKey("a", () => bar?.querySelector("[data-all]").click());
  onKey("r", () => act("retry"));
  onKey("c", () => act("cancel"));
}

// what is done to many goes on by itself

const goesOn = document.querySelector("form[data-go-on]");
if (goesOn) setTimeout(() => goesOn.requestSubmit(), GO_ON_MS);
