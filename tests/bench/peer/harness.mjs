// What every program of the side-by-side bench does; harness.py, its twin, says what.
const { PEER_DSN: dsn } = process.env;
const [verb, ...said] = process.argv.slice(2);
const FLUSH_MS = 50;

const now = () => Number(process.hrtime.bigint()) / 1e9; // the monotonic clock that Python reads
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

// `peer`: install(dsn), producer(dsn, callers) -> [enqueue, close], work(dsn, concurrency, note) -> stop
export async function main(peer) {
  await { install, enqueue, tell, work }[verb](peer, ...said.map(Number));
}

async function install(peer) {
  await peer.install(dsn);
  await tell(peer, 1, 0);
}

async function enqueue(peer, seconds, callers) {
  const [enqueueOne, close] = await peer.producer(dsn, callers);
  const all = (caller) => Promise.all(Array.from({ length: callers }, caller));
  await all(enqueueOne); // connections are open then
  const begun = now();
  let count = 0;
  await all(async () => {
    while (now() < begun + seconds) {
      await enqueueOne();
      count++;
    }
  });
  say({ count, seconds: now() - begun });
  await close();
}

async function tell(peer, count, gapS) {
  const [enqueueOne, close] = await peer.producer(dsn, 1);
  const told = [];
  for (let i = 0; i < count; i++) {
    await sleep(gapS);
    const called = now();
    await enqueueOne();
    told.push([called, now()]);
  }
  say(told);
  await close();
}

async function work(peer, concurrency) {
  let begun = [];
  const flush = () => {
    if (begun.length) say(begun);
    begun = [];
  };
  const flushing = setInterval(flush, FLUSH_MS);
  const stopped = new Promise((done) => process.once("SIGTERM", done));
  const stop = await peer.work(dsn, concurrency, (task) => begun.push([now(), String(task)]));
  await stopped;
  await stop();
  clearInterval(flushing);
  flush();
}
