// What a golden journal holds, and what comes of it when its open runs are carried to their end.
import { openRuntime } from "holdfast";
import { ended, goldenTools, open } from "./programs.mjs";

/** The life that finishes: the one after those that made the journal. */
const LIFE = 3;

async function withRuntime(journal, note, work) {
  const runtime = await openRuntime({ journal, tools: goldenTools(false, note) });
  try {
    return await work(runtime);
  } finally {
    await runtime.close();
  }
}

/** Every run of the journal, as `runtime.read` gives it, in the journal's order. Changes nothing. */
export function readAll(journal) {
  return withRuntime(
    journal,
    () => undefined,
    async (runtime) => {
      const views = [];
      for (const { id, path } of await runtime.runs()) views.push(await runtime.read(id, path));
      return views;
    },
  );
}

/**
 * Runs every program again: those that had ended give what they came to, the others are carried to their
 * end. Of each: its result or error, and which tools were called and asked on the way.
 */
export async function finish(journal) {
  const deeds = [];
  const note = (what, ctx) =>
    deeds.push(`${what} ${[ctx.runId, ctx.callId].join(" > ")} ${ctx.attempt} ${ctx.idempotencyKey}`);
  return withRuntime(journal, note, async (runtime) => {
    const finishes = [];
    const carry = async (id, program, options) => {
      deeds.length = 0;
      const end = await runtime.run(id, program, options).then(
        (result) => ({ result }),
        ({ name, code }) => ({ error: { name, code } }),
      );
      finishes.push({ id, ...end, deeds: [...deeds].sort() });
    };
    for (const [id, program] of Object.entries(ended)) await carry(id, program, { version: "1.0" });
    for (const [id, { options, program }] of Object.entries(open))
      await carry(id, (run) => program(run, LIFE), options(LIFE));
    return finishes;
  });
}
