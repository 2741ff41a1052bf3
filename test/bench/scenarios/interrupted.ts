// A process that is killed: it runs batches until a given number of results, then its tool hangs and it
// says so. The one who started it kills it, and has a journal as a crash leaves it.
import { openHandFile } from "../contenders/hand-file.ts";
import { openHoldfast } from "../contenders/holdfast.ts";
import { makeCalls, toolThatTakes, type WorkTool } from "../work.ts";

const [, , kind, path, batches, calls, limit, results] = process.argv as unknown as readonly string[];

const finish = toolThatTakes(0);
let called = 0;
/** Keeps the process alive while everything waits. */
const alive = setInterval(() => {}, 1000);

const tool: WorkTool = (input) => {
  called += 1;
  if (called <= Number(results)) return finish(input);
  // All results before it are durable by the time that it is started: it waited for its turn.
  if (called === Number(results) + 1) setTimeout(() => process.stdout.write("hangs\n"), 200);
  return new Promise(() => {});
};

const opened = await (kind === "hand" ? openHandFile(path!, tool) : openHoldfast(path!, tool));
const run = await opened.begin();
for (let batch = 0; batch < Number(batches); batch++) {
  await run.batch(makeCalls(`b${batch}`, Number(calls)), limit === "all" ? Number.POSITIVE_INFINITY : Number(limit));
}
clearInterval(alive);
