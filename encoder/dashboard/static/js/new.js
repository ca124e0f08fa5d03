// The form for a new job: files are brought while it is filled in, and its answers come into the page as it stands, so
// that what was written stays where it is, secrets too.

import { Upload, unfinished } from "./tus.js";

const KEPT = "input:not([type=hidden]), textarea, select"; // what somebody writes into
const OF_FAULTS = ["aria-invalid", "aria-describedby"];
const UNITS = ["B", "kB", "MB", "GB", "TB"];
const AWAY = "The server does not answer. What you wrote is still here.";
const ELSEWHERE = "The server did not take this. Has your login ended? Log in again in another tab, then go on here.";
let asked = 0; // times that something was sent
let upload = null; // on its way
let brings = false; // bytes move
let submits = false; // as soon as the file is here

const form = () => document.getElementById("new");
const part = (name) => document.querySelector(`[data-${name}]`);

// --- in place ---

document.addEventListener("submit", (event) => {
  if (event.target.id !== "new") return;
  event.preventDefault();
  const act = event.submitter?.value ?? "plan";
  if (brings && act === "submit" && chosen() === "upload") wait(true);
  else send(act);
});

/** `quietly`: nobody asked for it, so that it must not take anybody away from what he writes. */
async function send(act, { quietly = false } = {}) {
  const mine = ++asked;
  const told = new URLSearchParams(new FormData(form()));
  told.set("do", act);
  form().setAttribute("aria-busy", "true");
  part("failed").hidden = true;
  const answer = await fetch(form().action, { method: "POST", body: told }).catch(() => null);
  if (answer?.redirected && act === "submit") {
    location.href = answer.url;
    return;
  }
  const text = await answer?.text().catch(() => "");
  if (mine !== asked) return; // something else was asked for meanwhile
  form().removeAttribute("aria-busy");
  const next = text && new DOMParser().parseFromString(text, "text/html").getElementById("new");
  if (!next) {
    part("failed").textContent = answer ? ELSEWHERE : AWAY;
    part("failed").hidden = false;
    return;
  }
  for (const note of next.querySelectorAll("[data-again]")) {
    if (form().elements[note.dataset.again]?.value) note.remove(); // it is still there
  }
  Idiomorph.morph(form(), next, { ignoreActiveValue: true, callbacks: { beforeNodeMorphed, beforeAttributeUpdated } });
  const wrong = document.getElementById("wrong");
  part("said").textContent = wrong?.innerText ?? (act === "plan" ? "The dry run is here." : "");
  if (quietly) return;
  look(wrong ?? (act === "add" ? last(".output select") : document.getElementById(act === "curl" ? "as-curl" : "dry")));
}

function beforeNodeMorphed(old, next) {
  if (old.matches?.(KEPT)) {
    for (const name of OF_FAULTS) {
      if (next.hasAttribute(name)) old.setAttribute(name, next.getAttribute(name));
      else old.removeAttribute(name);
    }
    return false;
  }
  return !old.matches?.("[data-keep]");
}

function beforeAttributeUpdated(name, _node, change) {
  return !(name === "open" && change === "remove"); // what was opened stays so
}

function look(at) {
  if (!at) return;
  if (!at.matches(KEPT)) at.tabIndex = -1;
  at.focus({ preventScroll: true });
  at.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-field]");
  if (!link) return;
  event.preventDefault();
  const field = document.getElementById(link.dataset.field);
  field?.closest("details:not([open])")?.setAttribute("open", "");
  field?.focus();
});

document.addEventListener("input", (event) => {
  const stale = event.target.form?.id === "new" && part("stale");
  if (stale) stale.hidden = false;
});

document.addEventListener("change", (event) => {
  const select = event.target;
  if (select.matches("[data-preset]")) {
    select.parentElement.querySelector("[data-made]").textContent = select.selectedOptions[0]?.dataset.makes ?? "";
  }
  if (select.type === "file" && select.form?.id === "bring" && select.files.length) bring(select.files[0]);
});

// --- the file ---

for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault(); // or the browser would leave the page for the file
    part("drop").classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) bring(event.dataTransfer.files[0]);
  });
}

async function bring(file) {
  if (upload && (upload.file.name !== file.name || upload.file.size !== file.size)) upload.giveUp();
  else upload?.stop();
  document.querySelector('[name="/source"][value="upload"]').checked = true;
  fileId("");
  upload = new Upload(file, form().dataset.bring, progress);
  await go();
}

async function go() {
  const mine = upload;
  brings = true;
  part("stop").textContent = "Stop";
  part("refused").hidden = true;
  progress({ sent: 0, total: mine.file.size, rate: 0, left: null, waits: false });
  try {
    const id = await mine.run();
    if (mine !== upload) return;
    brings = false;
    if (id === null) stopped();
    else here(id);
  } catch (refusal) {
    if (mine !== upload) return;
    brings = false;
    stopped();
    if (!refusal.passes) { // nor will it be taken later
      upload = null;
      part("progress").hidden = true;
    }
    refuse(`${mine.file.name}: ${refusal.message}`);
  }
}

function here(id) {
  const address = new URL(location.href);
  address.searchParams.set("upload", id);
  history.replaceState(null, "", address); // loaded again, the page has it still
  fileId(id);
  part("progress").hidden = true;
  const line = part("here") ?? part("drop").insertAdjacentElement("afterbegin", document.createElement("p"));
  line.className = "here";
  line.dataset.here = "";
  line.textContent = `✓ ${upload.file.name}, ${bytes(upload.file.size)}, is here.`;
  upload = null;
  const act = submits ? "submit" : "plan";
  wait(false);
  send(act, { quietly: act === "plan" });
}

function stopped() {
  wait(false);
  part("stop").textContent = "Go on";
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-stop]")) return;
  if (brings) upload.stop();
  else if (upload) go();
});

addEventListener("beforeunload", (event) => { if (brings) event.preventDefault(); });

function progress({ sent, total, rate, left, waits }) {
  const share = total ? sent / total : 0, box = part("progress");
  box.hidden = false;
  box.querySelector("svg").setAttribute("aria-valuenow", Math.floor(share * 100));
  box.querySelector(".done").setAttribute("width", share * 100);
  const told = [`${Math.floor(share * 100)} %`, rate && `${bytes(rate)}/s`, left !== null && share < 1 && `~${span(left)} left`];
  part("told").textContent = waits ? `${told[0]} is here. The connection is broken; it is tried again.` : told.filter(Boolean).join(" · ");
}

function wait(does) {
  submits = does;
  part("waits").hidden = !does;
}

function refuse(text) {
  part("refused").textContent = text;
  part("refused").hidden = false;
}

function fileId(id) {
  part("file-id").value = id;
  if (!id) part("here")?.remove();
}

function chosen() {
  return document.querySelector('[name="/source"]:checked')?.value;
}

function last(selector) {
  return [...document.querySelectorAll(selector)].at(-1);
}

function bytes(count) {
  const step = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), UNITS.length - 1);
  return `${Number((count / 1000 ** step).toPrecision(3))} ${UNITS[step]}`;
}

function span(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

const left = unfinished()[0];
if (left) {
  part("told").textContent = `A part of ${left.name} is here. Choose it again to go on.`;
  part("progress").hidden = false;
}
