// Two pictures of one frame: either of them, both side by side, or one wiped over the other.

export class Stage {
  /** `root` holds the stage and, where there is something to compare with, its choices. */
  constructor(root) {
    this.root = root;
    this.element = root.querySelector("[data-stage]");
    this.choices = root.querySelector("[data-compare]");
    this.cut = root.querySelector("[data-cut]");
    this.choices?.addEventListener("change", (event) => {
      if (event.target.type === "radio") this.mode = event.target.value;
    });
    this.slider?.addEventListener("input", () => this.draw());
    this.slider?.addEventListener("keydown", (event) => {
      if (!event.shiftKey || !/^Arrow(Left|Right)$/.test(event.key)) return;
      event.preventDefault();
      this.wipe(event.key === "ArrowLeft" ? -10 : 10);
    });
  }

  get compares() {
    return Boolean(this.choices);
  }

  get slider() {
    return this.cut?.querySelector("input");
  }

  get mode() {
    return this.element.dataset.mode;
  }

  set mode(mode) {
    this.element.dataset.mode = mode;
    const radio = this.choices?.querySelector(`[value="${mode}"]`);
    if (radio) radio.checked = true;
    if (this.cut) this.cut.hidden = mode !== "wipe";
    this.draw();
    this.root.dispatchEvent(new CustomEvent("mode", { detail: mode }));
  }

  toggle() {
    if (this.compares) this.mode = this.mode === "source" ? "made" : "source";
  }

  wipe(percent) {
    if (!this.compares) return;
    if (this.mode !== "wipe") this.mode = "wipe";
    this.slider.value = Number(this.slider.value) + percent;
    this.draw();
  }

  draw() {
    if (!this.slider) return;
    this.element.style.setProperty("--cut", `${this.slider.value}%`);
    this.cut.querySelector("output").textContent = `${this.slider.value} %`;
  }
}
