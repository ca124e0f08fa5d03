// graphile-worker, as its documentation starts it: each job fetched and acknowledged by itself.
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { main } from "./harness.mjs";

const logger = new Logger(() => () => {}); // standard output is for the times

await main({
  async install(dsn) {
    const utils = await makeWorkerUtils({ connectionString: dsn, logger });
    await utils.migrate();
    await utils.release();
  },
  async producer(dsn, callers) {
    const utils = await makeWorkerUtils({ connectionString: dsn, maxPoolSize: callers, logger });
    return [() => utils.addJob("nothing"), () => utils.release()];
  },
  async work(dsn, concurrency, note) {
    const taskList = { nothing: (_payload, { job }) => note(job.id) };
    const runner = await run({ connectionString: dsn, concurrency, logger, taskList, noHandleSignals: true });
    return () => runner.stop();
  },
});
