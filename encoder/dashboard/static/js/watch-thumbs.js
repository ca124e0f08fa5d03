// Small pictures over the slider: those that another output of the job has made, as its cues tell them.

const CUE = /(?:(\d+):)?(\d+):([\d.]+) --> (?:(\d+):)?(\d+):([\d.]+)[^\n]*\n([^\n]+)/g;
const RECT = /#xywh=(\d+),(\d+),(\d+),(\d+)$/;

export class Thumbnails {
  /** `offset`: where in the source the video begins; the pictures are the source's. */
  constructor(section, video, offset) {
    this.video = video;
    this.offset = offset;
    this.scrub = section.querySelector("[data-scrub]");
    this.box = section.querySelector("[data-thumb]");
    this.cues = null;
    const address = new URL(section.dataset.thumbnails, location.href);
    const hide = () => { this.box.hidden = true; };
    this.scrub.addEventListener("pointermove", (event) => {
      const edges = this.scrub.getBoundingClientRect();
      this.show(address, (event.clientX - edges.left) / edges.width);
    });
    this.scrub.addEventListener("input", () => this.show(address, this.scrub.value / 1000));
    this.scrub.addEventListener("pointerleave", hide);
    this.scrub.addEventListener("blur", hide);
  }

  async show(address, share) {
    this.cues ??= fetch(address).then((answer) => (answer.ok ? answer.text() : "")).then((text) => read(text, address));
    const at = Math.min(Math.max(share, 0), 1) * (this.video.duration || 0) + this.offset;
    const cue = (await this.cues).find(({ start, end }) => at >= start && at < end);
    this.box.hidden = !cue;
    if (!cue) return;
    const { style } = this.box;
    const wide = this.scrub.offsetWidth;
    style.width = `${cue.width}px`;
    style.height = `${cue.height}px`;
    style.backgroundImage = `url("${cue.image}")`;
    style.backgroundPosition = `-${cue.x}px -${cue.y}px`;
    style.left = `${Math.min(Math.max(this.scrub.offsetLeft + share * wide - cue.width / 2, 0), this.scrub.offsetLeft + wide - cue.width)}px`;
  }
}

function read(text, address) {
  return [...text.matchAll(CUE)].flatMap(([, h1, m1, s1, h2, m2, s2, name]) => {
    const rect = name.match(RECT);
    if (!rect) return [];
    const [x, y, width, height] = rect.slice(1).map(Number);
    const seconds = (h, m, s) => Number(h ?? 0) * 3600 + Number(m) * 60 + Number(s);
    const image = new URL(name.replace(RECT, ""), address).href;
    return [{ start: seconds(h1, m1, s1), end: seconds(h2, m2, s2), image, x, y, width, height }];
  });
}
