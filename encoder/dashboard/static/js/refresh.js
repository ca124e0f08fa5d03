// What of a page changes is fetched anew every few seconds, as the server renders it, and morphed by id.

import { localize } from "./main.js";

const EVERY_MS = 5_000;
const LIMIT_MS = 15_000;
let busy = false;
let last = new Date();
let still; // the line that says of when it is what one sees

for (const place of document.querySelectorAll("[data-refresh]")) setInterval(() => refresh(place), EVERY_MS);

async function refresh(place) {
  if (busy || document.hidden || localStorage.getItem("encoder-live-paused")) return;
  busy = true;
  const settings = { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(LIMIT_MS) };
  const answer = await fetch(place.dataset.refresh, settings).catch(() => null);
  const text = await answer?.text().catch(() => null);
  busy = false;
  still?.remove();
  if (!answer?.ok || typeof text !== "string") {
    still = document.createElement("p");
    still.className = "text-warn";
    still.textContent = answer?.status === 401
      ? "Your login has ended. Reload to log in again."
      : `The server does not answer: this is how it was at ${last.toISOString().slice(11, 19)} UTC.`;
    place.before(still);
    return;
  }
  last = new Date();
  globalThis.Idiomorph.morph(place, text, {
    morphStyle: "innerHTML",
    ignoreActiveValue: true,
    callbacks: { beforeAttributeUpdated: (name, node) => !(name === "open" && node.localName === "details") },
  });
  localize(place);
}
