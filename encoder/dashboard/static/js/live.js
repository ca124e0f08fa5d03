// The one stream of a page (its protocol stands in dashboard/stream.py), and how it changes what is seen without a flicker:
// facts are written into text and SVG, what must look otherwise is fetched as the server renders it and morphed by id.

import { localize } from "./main.js";
import { onKey } from "./keys.js";

const HIDDEN_MS = 10_000; // then the connection is given back: a browser has six of them for a host
const AGAIN_MS = 8_000;
const REFRESH_MS = 1_000;
const LATER_MS = 3_000; // after a fragment that could not be had
const ENDS_MS = 5_000;
const PAUSED = "encoder-live-paused";

/** Watch. `address()` is that of the stream; `handlers` are called by the names of its events, with their data. */
export function watch(address, handlers) {
  let source, hiding, again;
  const place = document.getElementById("live");
  const status = place?.querySelector(".live");
  const button = place?.querySelector("[data-live-pause]");
  if (place) place.hidden = false;

  const say = (text, stopped) => {
    if (!status) return;
    if (status.textContent !== text) status.textContent = text;
    status.classList.toggle("stopped", stopped);
    document.documentElement.classList.toggle("live-stopped", stopped);
  };
  const hear = {
    version: ({ static: version }) => {
      const mine = document.querySelector("script[src*='/static/']").src.match(/\/static\/(\w+)\//)?.[1];
      if (mine !== version) say("There is a newer version of this page: reload", false);
    },
    health: (told) => strip(told),
    ...handlers,
  };
  const close = () => {
    source?.close();
    source = undefined;
    clearTimeout(again);
  };
  const ended = async () => { // an EventSource does not tell with what it was refused
    const asks = new AbortController();
    const answer = await fetch(address(), { signal: asks.signal }).catch(() => null);
    asks.abort();
    return answer?.status === 401;
  };
  const open = () => {
    close();
    if (localStorage.getItem(PAUSED) || document.hidden) return;
    source = new EventSource(address());
    source.onopen = () => say("Live", false);
    source.onerror = async () => {
      const dead = source?.readyState === EventSource.CLOSED;
      const at = new Date().toISOString().slice(11, 19);
      say(`Live updates stopped at ${at} UTC. Trying again${dead ? ` in ${AGAIN_MS / 1000} s` : ""}.`, true);
      if (!dead) return;
      again = setTimeout(open, AGAIN_MS);
      if (await ended()) {
        close();
        say("Your login has ended. Reload to log in again.", true);
      }
    };
    for (const [name, act] of Object.entries(hear)) {
      source.addEventListener(name, (event) => act(JSON.parse(event.data)));
    }
  };
  const show = () => {
    const paused = Boolean(localStorage.getItem(PAUSED));
    if (button) button.lastChild.textContent = paused ? " Go on" : " Pause";
    if (paused) say("Paused", true);
  };
  const turn = () => {
    if (localStorage.getItem(PAUSED)) localStorage.removeItem(PAUSED);
    else localStorage.setItem(PAUSED, "1");
    open();
    show();
  };
  button?.addEventListener("click", turn);
  onKey("u", turn);
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(close, HIDDEN_MS);
    else if (!source) open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
  show();
  return { reopen: open };
}

/** Write facts of one thing below `root`: `[data-fact=name]` holds text, a bar its share. */
export function write(root, facts) {
  for (const place of root.querySelectorAll("[data-fact]")) {
    const name = place.dataset.fact;
    if (!(name in facts) || place.querySelector("a")) continue;
    const text = name === "pct" ? percent(facts.pct) : facts[name] ?? "";
    if (place.textContent !== text) place.textContent = text;
  }
  const bar = "pct" in facts && root.querySelector(".bar");
  if (!bar) return;
  bar.hidden = facts.pct === null;
  bar.querySelector("rect.done")?.setAttribute("width", facts.pct ?? 0);
  bar.querySelector("svg").setAttribute("aria-valuenow", Math.floor(facts.pct ?? 0));
  if (facts.now) bar.querySelector("svg").setAttribute("aria-valuetext", `${percent(facts.pct)}, ${facts.now}`);
}

function percent(pct) {
  return pct === null ? "–" : `${Math.floor(pct)}\u202f%`;
}

/**
 * Fetches what is stale, once a second at most for all of it: `fetchParts(ids, counts)` is the address of fragments. One
 * after the other, so that none comes late and shows what was; those that could not be had are asked for again.
 */
export function refresher(fetchParts, found) {
  const stale = new Set();
  let counts = false, timer, last = 0, busy = false;
  const note = (ids, withCounts) => {
    for (const id of ids) stale.add(id);
    counts ||= withCounts;
  };
  const plan = (wait) => {
    if ((stale.size || counts) && !timer && !busy) timer = setTimeout(run, Math.max(0, last + wait - performance.now()));
  };
  const run = async () => {
    timer = undefined;
    last = performance.now();
    busy = true;
    const ids = [...stale], withCounts = counts;
    stale.clear();
    counts = false;
    const answer = await fetch(fetchParts(ids, withCounts), { headers: { Accept: "text/html" } }).catch(() => null);
    const text = await answer?.text().catch(() => null);
    busy = false;
    if (answer?.status === 404) location.reload(); // what the page is about is gone, and the page says so
    const later = typeof text !== "string" || answer.status === 429 || answer.status >= 500;
    if (later) note(ids, withCounts);
    plan(later ? LATER_MS : REFRESH_MS);
    if (!answer?.ok || later) return;
    const made = document.createElement("template");
    made.innerHTML = text;
    localize(made.content);
    found(made.content, ids);
  };
  return (ids, withCounts = false) => {
    note(ids, withCounts);
    plan(REFRESH_MS);
  };
}

/** Make `old` look as `made`, under the reader's hand: what he has chosen, typed or opened stays. */
export function morph(old, made) {
  Idiomorph.morph(old, made, {
    ignoreActiveValue: true,
    callbacks: {
      beforeNodeMorphed: (node) => !(node instanceof Element && node.matches("input[type=checkbox], [data-keep], dialog[open]")),
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.tagName === "DETAILS"),
    },
  });
}

/** Says aloud what has ended, now and then, summed up. */
export function announcer() {
  const region = document.createElement("p");
  region.className = "unseen";
  region.setAttribute("role", "status");
  document.body.append(region);
  let ends = [], timer;
  return (state, name) => {
    ends.push([state, name]);
    timer ??= setTimeout(() => {
      const by = Map.groupBy(ends, ([each]) => each);
      region.textContent = [...by].map(([each, all]) =>
        `${all.length} ${all.length === 1 ? "job" : "jobs"} ${each}${all.length <= 3 ? `: ${all.map(([, one]) => one).join(", ")}` : ""}`).join("; ");
      ends = [];
      timer = undefined;
    }, ENDS_MS);
  };
}

function strip({ text, link }) {
  let place = document.getElementById("strip");
  if (!text) {
    place?.remove();
    return;
  }
  if (!place) {
    place = document.createElement("p");
    place.className = "strip";
    place.id = "strip";
    place.append(document.createElement("span"));
    document.querySelector("main").before(place);
  }
  place.querySelector("span").textContent = text;
  let look = place.querySelector("a");
  if (link && !look) {
    look = document.createElement("a");
    look.textContent = "Look";
    place.append(" ", look);
  }
  if (link) look.href = link;
  else look?.remove();
}
