// Plays a package as a viewer would: from the start, in another rung, from the middle, to the end. Each player tells
// what came of it; an error event of its own or of the element is an exception, unless it is not fatal and `borne`.
"use strict";

const video = document.getElementById("video");

const until = (event, holds = () => true, target = video) =>
  new Promise((resolve) => {
    const look = () => holds() && (target.removeEventListener(event, look), resolve());
    target.addEventListener(event, look);
    look.call();
  });

const on = (event, target = video) =>
  new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));

// Errors of the element and of the player; the first one ends the play.
async function report(errors, steps) {
  const failed = new Promise((_, reject) => {
    const fail = (what) => (errors.push(String(what)), reject(new Error(errors.join("; "))));
    video.addEventListener("error", () => fail(video.error.message));
    window.addEventListener("unhandledrejection", (event) => fail(event.reason));
    errors.fail = fail;
  });
  failed.catch(() => {});
  return Promise.race([steps(), failed]);
}

async function watch(lowest, switchTo) {
  await video.play();
  await until("timeupdate", () => video.currentTime > 0.2 && video.videoHeight === lowest);
  const first = video.videoHeight;
  const resized = on("resize");
  switchTo();
  await resized;
  const heights = [first, video.videoHeight];
  const middle = video.duration / 2;
  const sought = on("seeked");
  video.currentTime = middle;
  await sought;
  await until("timeupdate", () => video.currentTime > middle + 0.2);
  const reached = video.currentTime;
  const ended = on("ended");
  video.currentTime = video.duration - 0.3;
  await ended;
  const frames = video.getVideoPlaybackQuality();
  return { duration: video.duration, heights, middle: reached - middle, end: video.currentTime, shown: frames.totalVideoFrames };
}

async function playHls(url, borne = []) {
  const errors = [];
  return report(errors, async () => {
    const player = new Hls({ startLevel: 0, enableWorker: false });
    player.on(Hls.Events.ERROR, (_, data) => {
      if (data.fatal || !borne.includes(data.details)) errors.fail(`${data.type} ${data.details} ${data.error ?? ""}`);
    });
    const parsed = new Promise((resolve) => player.on(Hls.Events.MANIFEST_PARSED, resolve));
    player.attachMedia(video);
    player.loadSource(url);
    await parsed;
    player.currentLevel = 0;
    const seen = await watch(player.levels[0].height, () => { player.currentLevel = player.levels.length - 1; });
    const languages = player.audioTracks.map((track) => track.lang);
    const rungs = player.levels.map((level) => level.height);
    player.destroy();
    return { ...seen, rungs, languages };
  });
}

async function playShaka(url) {
  const errors = [];
  return report(errors, async () => {
    const player = new shaka.Player();
    player.addEventListener("error", (event) => errors.fail(`${event.detail.code} ${event.detail.data}`));
    await player.attach(video);
    player.configure({ abr: { enabled: false }, streaming: { bufferingGoal: 30 } });
    await player.load(url);
    const all = player.getVariantTracks();
    const spoken = all.find((track) => track.active).language;
    const tracks = all.filter((track) => track.language === spoken).sort((one, other) => one.height - other.height);
    player.selectVariantTrack(tracks[0], true);
    const seen = await watch(tracks[0].height, () => player.selectVariantTrack(tracks[tracks.length - 1], true));
    const languages = [...new Set(all.map((track) => track.language))];
    const rungs = tracks.map((track) => track.height);
    await player.destroy();
    return { ...seen, rungs, languages };
  });
}
