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

// A player with its manifest read, and `steps` taken with it.
async function withHls(url, borne, settings, steps) {
  const errors = [];
  const fine = [...borne, Hls.ErrorDetails.INTERNAL_ABORTED]; // a seek gives up what is being loaded
  return report(errors, async () => {
    const player = new Hls({ enableWorker: false, ...settings });
    player.on(Hls.Events.ERROR, (_, data) => {
      if (data.fatal || !fine.includes(data.details)) errors.fail(`${data.type} ${data.details} ${data.error ?? ""}`);
    });
    const parsed = new Promise((resolve) => player.on(Hls.Events.MANIFEST_PARSED, resolve));
    player.attachMedia(video);
    player.loadSource(url);
    await parsed;
    const seen = await steps(player);
    player.destroy();
    return seen;
  });
}

async function withShaka(url, settings, steps) {
  const errors = [];
  return report(errors, async () => {
    const player = new shaka.Player();
    player.addEventListener("error", (event) => errors.fail(`${event.detail.code} ${event.detail.data}`));
    await player.attach(video);
    player.configure(settings);
    await player.load(url);
    const seen = await steps(player);
    await player.destroy();
    return seen;
  });
}

const playHls = (url, borne = []) =>
  withHls(url, borne, { startLevel: 0 }, async (player) => {
    player.currentLevel = 0;
    const seen = await watch(player.levels[0].height, () => { player.currentLevel = player.levels.length - 1; });
    const languages = player.audioTracks.map((track) => track.lang);
    const rungs = player.levels.map((level) => level.height);
    return { ...seen, rungs, languages };
  });

const playShaka = (url) =>
  withShaka(url, { abr: { enabled: false }, streaming: { bufferingGoal: 30 } }, async (player) => {
    const all = player.getVariantTracks();
    const spoken = all.find((track) => track.active).language;
    const tracks = all.filter((track) => track.language === spoken).sort((one, other) => one.height - other.height);
    player.selectVariantTrack(tracks[0], true);
    const seen = await watch(tracks[0].height, () => player.selectVariantTrack(tracks[tracks.length - 1], true));
    const languages = [...new Set(all.map((track) => track.language))];
    const rungs = tracks.map((track) => track.height);
    return { ...seen, rungs, languages };
  });

// Where it is a second after it was sent to the middle.
async function goOn() {
  await video.play();
  await until("timeupdate", () => video.currentTime > 0.2);
  const middle = video.duration / 2;
  video.currentTime = middle;
  await until("timeupdate", () => video.currentTime > middle + 1);
  return video.currentTime;
}

const goOnHls = (url, borne = []) => withHls(url, borne, {}, goOn);
const goOnShaka = (url) => withShaka(url, {}, goOn);

// What is heard of the element: an ear of its own, for an element can be given away but once.
const ear = (() => {
  let analyser;
  return () => {
    if (analyser) return analyser;
    const context = new AudioContext();
    analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
    context.createMediaElementSource(video).connect(analyser).connect(context.destination);
    return analyser;
  };
})();

// The loudest tone in Hz, as soon as it is another than `before` and stays for a while.
async function tone(before) {
  const analyser = ear();
  const bins = new Float32Array(analyser.frequencyBinCount);
  let heard = 0;
  for (let times = 0; times < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.reduce((best, level, bin) => (level > bins[best] ? bin : best), 0);
    const now = bins[loudest] > -60 ? Math.round((loudest * analyser.context.sampleRate) / analyser.fftSize) : 0;
    times = now && now === heard && Math.abs(now - before) > 50 ? times + 1 : 0;
    heard = now;
  }
  return heard;
}

// Each sound in turn, from the default one on, while the picture plays: its language and what was heard.
async function listen(tracks, taken, select) {
  video.muted = false;
  await ear().context.resume();
  await video.play();
  const first = taken();
  const heard = [{ language: first, hz: await tone(0) }];
  for (const track of tracks.filter((each) => each.language !== first)) {
    await select(track);
    heard.push({ language: track.language, hz: await tone(heard[heard.length - 1].hz) });
  }
  const advanced = video.currentTime > 0.5;
  video.muted = true;
  return { heard, advanced };
}

const listenHls = (url, borne = []) =>
  withHls(url, borne, {}, (player) => {
    const tracks = player.audioTracks.map((track, id) => ({ language: track.lang, id }));
    return listen(tracks, () => tracks[player.audioTrack].language, (track) => { player.audioTrack = track.id; });
  });

const listenShaka = (url) =>
  withShaka(url, {}, (player) => {
    const taken = () => player.getAudioTracks().find((track) => track.active).language;
    return listen(player.getAudioTracks(), taken, (track) => player.selectAudioTrack(track));
  });

// The subtitles that a player offers, and of each, when it is chosen, what is on show while the picture plays.
async function read(tracks, select) {
  const shown = [];
  for (const track of tracks) {
    await select(track);
    video.currentTime = 0.1;
    await video.play();
    const now = () => [...video.textTracks].filter((each) => each.mode === "showing").flatMap((each) => [...(each.activeCues ?? [])]);
    await until("timeupdate", () => now().length > 0);
    const [cue] = now();
    shown.push({ ...track.told, text: cue.text, start: cue.startTime, end: cue.endTime, at: video.currentTime });
  }
  return shown;
}

const readHls = (url, borne = []) =>
  withHls(url, borne, {}, (player) => {
    const taken = player.subtitleTrack;
    const tracks = player.subtitleTracks.map((track, id) => ({
      id, told: { language: track.lang, default: id === taken, forced: track.forced },
    }));
    return read(tracks, (track) => { player.subtitleDisplay = true; player.subtitleTrack = track.id; });
  });

const readShaka = (url) =>
  withShaka(url, {}, (player) => {
    const tracks = player.getTextTracks().map((track) => ({
      own: track, told: { language: track.language, default: track.primary, forced: track.forced },
    }));
    return read(tracks, (track) => player.selectTextTrack(track.own));
  });
