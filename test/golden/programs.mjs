// The programs and tools of the golden journals. The script that made a journal and the test that opens it
// in every later version run the same ones: so nothing in here changes once a journal is kept.
import { done, notDone, tool } from "holdfast";

const forever = () => new Promise(() => undefined);

/**
 * Tools for a life that leaves things undone (`making`), or for one that carries them to their end.
 * `note` is told of each call and each question.
 */
export function goldenTools(making, note) {
  /** What was marked so never comes back while the journal is made. */
  const act = (input, ctx, value) => {
    note("called", ctx);
    return making && input.hangs ? forever() : value;
  };
  return {
    look: tool({ effect: "read", run: async (input, ctx) => act(input, ctx, input.gives) }),
    write: tool({ effect: "idempotent", run: async (input, ctx) => act(input, ctx, { wrote: ctx.callId }) }),
    pay: tool({
      run: async (input, ctx) => act(input, ctx, { receipt: `of ${ctx.callId}` }),
      reconcile: async (input, ctx) => {
        note("asked", ctx);
        if (making) return forever();
        return input.happened ? done({ receipt: "found" }) : notDone();
      },
    }),
    send: tool({ run: async (input, ctx) => act(input, ctx, { sent: true }) }),
    flaky: tool({
      effect: "idempotent",
      retry: { attempts: 5, backoffMs: 1 },
      run: async (_input, ctx) => {
        note("called", ctx);
        if (ctx.attempt < 3) throw Object.assign(new RangeError("not yet"), { code: "E_AGAIN" });
        return "at last";
      },
    }),
    tired: tool({
      effect: "idempotent",
      retry: { attempts: 5, backoffMs: 60_000 },
      run: async (_input, ctx) => {
        note("called", ctx);
        if (making) throw new Error("come back in a minute");
        return "rested";
      },
    }),
    stubborn: tool({
      effect: "read",
      timeoutMs: 20,
      run: async (_input, ctx) => {
        note("called", ctx);
        await new Promise((resolve) => setTimeout(resolve, 60));
        return "too late";
      },
    }),
    fail: tool({
      run: async (_input, ctx) => {
        note("called", ctx);
        throw Object.assign(new TypeError("abgelehnt – 拒否"), { code: 402, data: { retry: false, until: null } });
      },
    }),
    nest: tool({
      effect: "idempotent",
      run: async (input, ctx) => {
        note("called", ctx);
        return ctx.run(async (run) => outcomesOf(await run.batch(input.calls)), { name: input.name });
      },
    }),
  };
}

/** `id kind source attempts`, and the value where there is one. */
export function outcomesOf(outcomes) {
  return outcomes.map(({ id, kind, source, attempts, value }) =>
    [id, kind, source, attempts, ...(value === undefined ? [] : [JSON.stringify(value)])].join(" "),
  );
}

const call = (id, name, input = {}) => ({ id, tool: name, input });
const rare = { ü: "é", e: "e\u0301", "😀": [1, -0.5, 1e21, 5e-324, 9007199254740991], "": null, "a/b~c%": true };

/** Runs that ended while the journal was made. */
export const ended = {
  answered: async (run) => {
    const drawn = [await run.now(), await run.random(), await run.uuid()].map((value) => typeof value);
    const all = await run.batch(
      [
        call("object", "look", { gives: rare }),
        call("nothing", "look"),
        call("null", "look", { gives: null }),
        call("false", "look", { gives: false }),
        call("empty", "look", { gives: "" }),
        call("flaky", "flaky"),
        call("failed", "fail"),
        call("late", "stubborn"),
        call("nobody", "no-such-tool"),
        call("nested ~/%", "nest", {
          name: "sub/run",
          calls: [call("inner", "pay"), call("内", "look", { gives: "部" })],
        }),
      ],
      { concurrency: 8 },
    );
    // Long enough for what is late to come, and for a deadline to pass.
    const over = await run.batch([call("over", "stubborn"), call("never", "look")], { concurrency: 1, deadlineMs: 10 });
    const last = await run.batch([{ tool: "look", input: { gives: "without an id" } }]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    return { drawn, outcomes: [...outcomesOf(all), ...outcomesOf(over), ...outcomesOf(last)] };
  },
  threw: async (run) => {
    await run.batch([call("A", "send")]);
    throw Object.assign(new Error("the program gave up"), { code: "E_PROGRAM", data: [1, "zwei"] });
  },
  nothing: async () => undefined,
};

/** Runs that were left open, with the options that a life gives them. */
export const open = {
  "in doubt/日本~%": {
    options: (life) => ({ version: `life ${life}` }),
    program: async (run) =>
      outcomesOf(
        await run.batch(
          [
            call("settled", "look", { gives: "before" }),
            call("sent", "send", { hangs: true }),
            call("tired", "tired"),
            call("failed", "fail"),
            call("look", "look", { gives: "again", hangs: true }),
            call("write", "write", { hangs: true }),
            call("paid", "pay", { happened: true, hangs: true }),
            call("unpaid", "pay", { hangs: true }),
            call("planned", "send", { hangs: true }),
          ],
          { concurrency: 4 },
        ),
      ),
  },
  outer: {
    options: () => ({}),
    program: async (run) =>
      outcomesOf(
        await run.batch([
          call("agent", "nest", {
            calls: [
              call("done", "look", { gives: 1 }),
              call("hangs", "write", { hangs: true }),
              call("sent", "send", { hangs: true }),
            ],
          }),
          call("beside", "look", { gives: 2 }),
        ]),
      ),
  },
  adapted: {
    options: (life) => (life === 1 ? {} : { onMismatch: "adapt" }),
    program: async (run, life) => {
      if (life === 1) return run.batch([call("A", "pay", { amount: 10 }), call("B", "send", { hangs: true })]);
      return outcomesOf(
        await run.batch([call("A", "pay", { amount: 20, hangs: true }), call("C", "look", { gives: "c" })]),
      );
    },
  },
  announced: {
    options: () => ({}),
    program: async (run) => {
      await run.announce([call("first", "write", { hangs: true }), call("second", "send")]);
      return outcomesOf([await run.claim("first"), await run.claim("second")]);
    },
  },
};
