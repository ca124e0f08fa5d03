// The player: a file by the browser itself, a package by Shaka, which is loaded when it is wanted.

import { Stage } from "./watch-stage.js";
import { Thumbnails } from "./watch-thumbs.js";

const HEALTH_MS = 1000;

export class Player {
  constructor(section) {
    this.section = section;
    this.video = section.querySelector(".made");
    this.source = section.querySelector("video.source");
    this.controls = section.querySelector("[data-controls]");
    const [over, under] = (section.dataset.rate ?? "25/1").split("/").map(Number);
    this.rate = over / under;
    this.first = Number(section.dataset.first ?? 0); // when its first frame is shown
    this.offset = Number(section.dataset.offset);
    this.stage = section.querySelector("[data-stage]") && new Stage(section);
    this.video.addEventListener("error", () => this.refuse(this.video.error?.message));
    if (this.video.error) this.refuse(this.video.error.message); // it was faster than this script
    this.video.addEventListener("loadedmetadata", () => this.look());
    if (this.video.readyState) this.look();
    if (section.dataset.manifest) this.prepare();
    else if (this.controls) this.begin();
  }

  /** Of some files a browser plays the sound alone. */
  look() {
    if (this.video.videoWidth === 0 && this.stage) this.refuse("only its sound");
  }

  /** A package waits for the button. */
  prepare() {
    const start = this.section.querySelector("[data-start]");
    start.hidden = false;
    start.querySelector("[data-play]").addEventListener("click", () => this.open(start), { once: true });
  }

  async open(start) {
    start.querySelector("span").textContent = "Loading the player…";
    try {
      await loaded(this.section.dataset.shaka);
      shaka.polyfill.installAll();
      const engine = new shaka.Player();
      engine.addEventListener("error", (event) => this.refuse(`the player says ${event.detail.code}`));
      await engine.attach(this.video);
      await engine.load(this.section.dataset.manifest, null, this.section.dataset.type);
      this.engine = engine;
      start.hidden = true;
      this.offerRungs();
      this.begin();
      await this.video.play().catch(() => {}); // a browser may want one more click
    } catch (error) {
      start.hidden = true;
      this.refuse(error.code ? `the player says ${error.code}` : error.message);
    }
  }

  offerRungs() {
    const choice = this.section.querySelector("[data-rungs]");
    const seen = new Map();
    for (const track of this.engine.getVariantTracks()) if (!seen.has(track.height)) seen.set(track.height, track);
    for (const [height, track] of [...seen].sort((one, other) => other[0] - one[0])) {
      choice.add(new Option(height ? `${track.width}×${height}` : "sound", height));
    }
    choice.addEventListener("change", () => {
      this.engine.configure({ abr: { enabled: !choice.value } });
      const track = seen.get(Number(choice.value));
      if (track) this.engine.selectVariantTrack(track, true);
    });
  }

  begin() {
    if (!this.controls) return;
    this.controls.hidden = false;
    this.scrub = this.section.querySelector("[data-scrub]");
    const { video, scrub } = this;
    const told = () => this.tell();
    for (const event of ["timeupdate", "seeked", "loadedmetadata", "durationchange"]) video.addEventListener(event, told);
    scrub.addEventListener("input", () => {
      if (video.duration) video.currentTime = (Number(scrub.value) / 1000) * video.duration;
    });
    this.section.querySelector("[data-speed]").addEventListener("change", (event) => {
      video.playbackRate = Number(event.target.value);
      if (this.source) this.source.playbackRate = video.playbackRate;
    });
    this.section.addEventListener("click", (event) => {
      const step = event.target.closest("[data-step]");
      if (step) this.step(Number(step.dataset.step));
    });
    if (this.section.dataset.thumbnails) new Thumbnails(this.section, video, this.offset);
    if (this.source) this.follow();
    setInterval(() => this.health(), HEALTH_MS);
    this.tell();
  }

  get frame() {
    return Math.max(0, Math.floor((this.video.currentTime - this.first) * this.rate + 0.01));
  }

  tell() {
    const { video } = this;
    const now = this.section.querySelector("[data-now]");
    now.textContent = `frame ${this.frame.toLocaleString("en")} · ${clock(video.currentTime)}`;
    if (!video.duration) return;
    if (document.activeElement !== this.scrub || video.paused) this.scrub.value = (video.currentTime / video.duration) * 1000;
    this.scrub.setAttribute("aria-valuetext", `${clock(video.currentTime)} of ${clock(video.duration)}`);
  }

  toggle() {
    if (this.video.paused) this.video.play();
    else this.video.pause();
  }

  /** Into the middle of the next frame: at its edge either of two may be shown. */
  step(frames) {
    this.video.pause();
    const last = Math.max(0, Math.ceil((this.video.duration - this.first) * this.rate) - 1);
    const frame = Math.min(Math.max(this.frame + frames, 0), last);
    this.video.currentTime = this.first + (frame + 0.5) / this.rate;
  }

  /** The source shows what the output shows: it is sought where it stands, and kept near while it plays. */
  follow() {
    const { video, source } = this;
    const near = () => this.wanted && Math.abs(source.currentTime - video.currentTime - this.offset) > 0.5 / this.rate;
    const align = () => { if (near()) source.currentTime = video.currentTime + this.offset; };
    this.section.addEventListener("mode", ({ detail }) => {
      this.wanted = detail !== "made";
      if (!this.wanted) return source.pause();
      if (!source.src) {
        source.preload = "auto";
        source.src = source.dataset.src;
      }
      align();
      if (!video.paused) source.play();
    });
    source.addEventListener("loadedmetadata", align);
    source.addEventListener("error", () => {
      this.stage.mode = "made";
      this.stage.choices.disabled = true;
      this.refuse("it plays the output but not the source");
    });
    video.addEventListener("seeked", align);
    video.addEventListener("pause", () => { source.pause(); align(); });
    video.addEventListener("play", () => { if (this.wanted) source.play(); });
    video.addEventListener("timeupdate", () => {
      if (this.wanted && Math.abs(source.currentTime - video.currentTime - this.offset) > 0.1) align();
    });
  }

  health() {
    const { video } = this;
    const ends = [...Array(video.buffered.length).keys()].map((place) => video.buffered.end(place));
    const ahead = Math.max(0, ...ends.map((end) => end - video.currentTime));
    const dropped = video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0;
    const rung = video.videoHeight ? `${video.videoWidth}×${video.videoHeight} · ` : "";
    this.section.querySelector("[data-health]").textContent = `${rung}buffer ${ahead.toFixed(0)} s · dropped ${dropped}`;
  }

  refuse(why) {
    const told = this.section.querySelector("[data-refused]");
    told.textContent = `This browser does not play it${why ? ` (${why})` : ""}. It is compared by stills, made while the output was verified.`;
    told.hidden = false;
  }
}

function loaded(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error("the player could not be loaded")));
    document.head.append(script);
  });
}

export function clock(seconds) {
  const whole = Math.max(0, seconds || 0);
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${(whole % 60).toFixed(3).padStart(6, "0")}`;
}
