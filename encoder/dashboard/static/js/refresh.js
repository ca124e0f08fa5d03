// What of a page changes is fetched anew every few seconds, as the server renders it, and morphed by id.

import { localize } from "./main.js";

const EVERY_MS = 5_000;

for (const place of document.querySelectorAll("[data-refresh]")) setInterval(() => refresh(place), EVERY_MS);

async function refresh(place) {
  if (document.hidden || localStorage.getItem("encoder-live-paused")) return;
  try {
    const answer = await fetch(place.dataset.refresh, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const text = await answer.text();
    globalThis.Idiomorph.morph(place, text, {
      morphStyle: "innerHTML",
      ignoreActiveValue: true,
      callbacks: { beforeAttributeUpdated: (name, node) => !(name === "open" && node.localName === "details") },
    });
    localize(place);
  } catch {
    // the API is away: what was shown stays, and its ages are those of then
  }
}
