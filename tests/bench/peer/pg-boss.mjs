// pg-boss, tuned as its documentation says: listens, and fetches anew at once as long as batches come full. By default
// it polls every two seconds for one job. A batch is acknowledged as one.
import { PgBoss } from "pg-boss";
import { main } from "./harness.mjs";

const QUEUE = "nothing";

async function started(dsn, options) {
  const boss = new PgBoss({ connectionString: dsn, ...options });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  return boss;
}

await main({
  async install(dsn) {
    const boss = await started(dsn);
    await boss.createQueue(QUEUE, { notify: true });
    await boss.stop();
  },
  async producer(dsn, callers) {
    const boss = await started(dsn, { max: callers });
    return [() => boss.send(QUEUE), () => boss.stop()];
  },
  async work(dsn, concurrency, note) {
    const boss = await started(dsn, { useListenNotify: true });
    await boss.work(QUEUE, { batchSize: concurrency, burstWhenBatchFull: true }, async (jobs) => {
      for (const job of jobs) note(job.id);
    });
    return () => boss.stop();
  },
});
