// A process that writes, to be killed, stopped or fought with. What it does is its first argument; what
// happens it says on stdout, one line at a time, in writes that a SIGKILL does not take back.
//
//   node writer.mjs groups   <journal> <run> <leaseMs>   appends groups 0, 1, 2 …, four under way, and says each that is durable
//   node writer.mjs fight    <journal> <run> <leaseMs>   takes the lease as often as it can, writes under it, gives it back
//   node writer.mjs hold     <journal> <run> <leaseMs>   holds the run; each line on stdin is something to do
//   node writer.mjs abandon  <journal> <run> <leaseMs>   opens the run and forgets about it
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { openSqliteJournal } from "holdfast";
import { groupSize } from "./group-size.mjs";

const [what, path, run, leaseMs] = process.argv.slice(2);
const say = (text) => writeSync(1, `${text}\n`);
const group = (name, count) =>
  Array.from({ length: count }, (_, i) => ({
    ...{ kind: 0, slot: i, count, attempt: 1, outcome: 0, source: 0, at: 1, until: 0 },
    payload: Buffer.from(JSON.stringify(name)),
  }));

const journal = await openSqliteJournal(path, { leaseMs: Number(leaseMs) });

const deeds = {
  async groups() {
    const { fence, entries } = await journal.open(run);
    let next = entries.length === 0 ? 0 : Number(JSON.parse(Buffer.from(entries.at(-1).payload).toString())) + 1;
    say(`opened ${next}`);
    const lane = async () => {
      for (;;) {
        const number = next++;
        await journal.append(run, fence, group(String(number), groupSize(number)));
        say(`durable ${number}`);
      }
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
  },

  async fight() {
    for (let won = 0; won < 15; ) {
      const opened = await journal.open(run).catch((error) => {
        if (error.code !== "run-busy") throw error;
      });
      if (opened === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      won += 1;
      for (let i = 0; i < 3; i++) await journal.append(run, opened.fence, group(`${opened.fence} ${process.pid}`, 2));
      await journal.release(run, opened.fence);
    }
    await journal.close();
  },

  async hold() {
    const { fence } = await journal.open(run);
    say(`opened ${fence}`);
    for await (const line of createInterface({ input: process.stdin })) {
      if (line === "block") {
        const until = performance.now() + 2_500;
        while (performance.now() < until); // its loop stands still: only the journal's thread can say that it lives
        say("blocked");
      } else {
        await journal.append(run, fence, group(line, 1)).then(
          () => say("durable"),
          (error) => say(`${error.name} ${error.code}`),
        );
      }
    }
  },

  async abandon() {
    const { fence } = await journal.open(run);
    await journal.append(run, fence, group("abandoned", 1));
    say("abandoned");
  },
};
await deeds[what]();
