// What every page can do beyond plain HTML. Handlers are delegated on the document, so that parts may come and go.

import "./keys.js";

const SAID_MS = 2000;

document.documentElement.classList.add("scripted");

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) await copy(button);
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  for (const menu of document.querySelectorAll("details.menu[open], details.nav-fold[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open], details.nav-fold[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

async function copy(button) {
  const from = button.dataset.copy;
  const text = from ? document.getElementById(from).textContent : button.dataset.text;
  const label = button.querySelector("[data-label]") ?? button;
  const before = (label.dataset.before ??= label.textContent); // pressed again, it says "Copied"
  try {
    await navigator.clipboard.writeText(text);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Copy it by hand"; // no clipboard over plain HTTP
  }
  setTimeout(() => { label.textContent = before; }, SAID_MS);
}

// The clock: the server writes UTC, and only the browser knows where its owner is.
if (document.documentElement.dataset.clock === "local") {
  localize(document);
}

export function localize(root) {
  if (document.documentElement.dataset.clock !== "local") return;
  for (const time of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(time.dateTime);
    const two = (number) => String(number).padStart(2, "0");
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    time.textContent = `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  }
}
