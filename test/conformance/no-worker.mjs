// Preloaded into a host: from then on it can start no thread.
import { syncBuiltinESMExports } from "node:module";
import threads from "node:worker_threads";

threads.Worker = class {
  constructor() {
    throw new Error("no thread may be started here");
  }
};
syncBuiltinESMExports();
