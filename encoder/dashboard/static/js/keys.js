// Single keys, outside of fields; who does not want them switches them off (WCAG 2.1.4).

const OFF = "encoder-keys-off";
const GOES = { j: "/", d: "/ui/dead", f: "/ui/fleet", q: "/ui/queues", i: "/ui/insights", w: "/ui/webhooks", s: "/ui/settings", n: "/ui/jobs/new" };
const WAIT_MS = 1000;
// what has a use of its own for a key
const OWNERS = { " ": "button, summary, a, video, audio", ArrowLeft: "video, audio", ArrowRight: "video, audio" };
let goes = -Infinity; // when `g` was pressed

const actions = new Map([
  ["?", () => document.getElementById("keys")?.showModal()],
  ["/", () => document.querySelector("[name=q]")?.focus()],
  ["n", () => { location.href = GOES.n; }],
]);

/** Let a page have a key of its own. `act` is called with the event. */
export function onKey(key, act) {
  actions.set(key, act);
}

document.addEventListener("keydown", (event) => {
  if (localStorage.getItem(OFF) || event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "g") {
    goes = event.timeStamp;
    return;
  }
  const place = event.timeStamp - goes < WAIT_MS && GOES[event.key];
  goes = -Infinity;
  if (place) {
    location.href = place;
    return;
  }
  const act = actions.get(event.key);
  const owners = OWNERS[event.key];
  if (!act || (owners && event.target.closest?.(owners))) return;
  event.preventDefault();
  act(event);
});

document.addEventListener("change", (event) => {
  if (event.target.id !== "keys-off") return;
  if (event.target.checked) localStorage.setItem(OFF, "1");
  else localStorage.removeItem(OFF);
});

const box = document.getElementById("keys-off");
if (box) box.checked = Boolean(localStorage.getItem(OFF));

function isField(element) {
  return element.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName) && element.type !== "checkbox";
}
