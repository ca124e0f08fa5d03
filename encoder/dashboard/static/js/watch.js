// Watching an output: played, stepped through, compared with its source; what it carried over time.

import { onKey } from "./keys.js";
import { Stage } from "./watch-stage.js";
import { Player } from "./watch-player.js";
import { chart } from "./watch-chart.js";

const section = document.querySelector("[data-player]");
const stills = document.querySelector("[data-stills]");
const shot = stills?.querySelector("[data-shot]");
const player = section && new Player(section);
const still = shot && new Stage(shot);
let active = player?.stage?.compares ? player.stage : still;

for (const stage of [player?.stage, still]) {
  stage?.root.addEventListener("focusin", () => { active = stage; });
  stage?.root.addEventListener("pointerdown", () => { active = stage; });
}
onKey("t", () => active?.toggle());
onKey("ArrowLeft", (event) => active?.wipe(event.shiftKey ? -10 : -1));
onKey("ArrowRight", (event) => active?.wipe(event.shiftKey ? 10 : 1));
if (player?.video) {
  onKey(",", () => player.step(-1));
  onKey(".", () => player.step(1));
  onKey(" ", () => player.toggle());
}

if (shot) {
  const links = [...stills.querySelectorAll("a[data-made]")];
  const show = (link) => {
    for (const each of links) each.toggleAttribute("aria-current", each === link);
    const [made, source] = ["made", "source"].map((side) => shot.querySelector(`img.${side}`));
    made.src = link.dataset.made;
    source.src = link.dataset.source;
    made.alt = `Output, ${link.dataset.told}`;
    source.alt = `Source, ${link.dataset.told}`;
    shot.querySelector("[data-still]").textContent = link.dataset.told;
    active = still;
  };
  stills.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-made]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(link);
    shot.scrollIntoView({ block: "nearest" });
  });
  shot.hidden = false;
  if (links.length) show(links[Math.floor(links.length / 2)]);
  still.mode = "wipe";
  if (player?.stage?.compares) active = player.stage;
}

const figure = document.querySelector("[data-chart]");
if (figure) chart(figure, player?.video);
