// node pickup.mjs DSN JOBS GAP_MS: milliseconds from the answer of add_job to the start of the task, as JSON on stdout.
// graphile-worker as its documentation starts it, one task at a time.
import { Logger, run } from "graphile-worker";
import pg from "pg";

const [dsn, jobs, gapMs] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

let started;
const runner = await run({
  connectionString: dsn,
  concurrency: 1,
  logger: new Logger(() => () => {}), // stdout is for the times
  taskList: { noted: () => started(performance.now()) },
});
const client = new pg.Client({ connectionString: dsn });
await client.connect();
await sleep(1000); // until it listens

const times = [];
for (let i = 0; i < jobs; i++) {
  await sleep(gapMs);
  const start = new Promise((done) => (started = done));
  await client.query("SELECT graphile_worker.add_job('noted')");
  const committed = performance.now();
  times.push((await start) - committed);
}
console.log(JSON.stringify(times));
await client.end();
await runner.stop();
