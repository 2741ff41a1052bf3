// H3: starvation and fairness, as a program meets them: counted starts of others, not milliseconds.
import { type CallEvent, type Runtime, tool } from "holdfast";
import { describe, expect, test } from "vitest";
import { callsOf, nothingHeld, oneOutcomeEach, open } from "./accounted.ts";
import { Inside, measured, until } from "./inside.ts";

const ELEPHANT = 10_000;
const CAP = 4;
/** A step may start as many as have ended since the last one. */
const SLACK = 1 + CAP;

const work = (inside: Inside) =>
  tool({
    effect: "read",
    run: (n: number) => inside.count(() => new Promise<number>((done) => setImmediate(done, n))),
  });

/** Every event from now on, until the runtime closes. */
function listen(runtime: Runtime): CallEvent[] {
  const heard: CallEvent[] = [];
  void (async () => {
    for await (const event of runtime.events({ bufferMax: 200_000 })) heard.push(event);
  })();
  return heard;
}

describe("h3.mouse_elephant", () => {
  test("a run of one call beside a batch of 10 000 waits for next to no start of it", async () => {
    const inside = new Inside();
    const runtime = await open({ work: work(inside) }, { limits: { concurrency: CAP } });
    const heard = listen(runtime);
    const calls = callsOf("work", ELEPHANT);
    const elephant = runtime.run("elephant", (run: any) => run.batch(calls));
    await until(() => inside.began > 50, "the elephant walks");
    const waits: number[] = [];
    for (let mouse = 0; mouse < 5; mouse++) {
      const id = `mouse-${mouse}`;
      await runtime.run(id, (run: any) => run.call("work", mouse));
      await until(() => heard.some((e) => e.kind === "settled" && e.runId === id), "the mouse is through");
      const queued = heard.findIndex((e) => e.kind === "queued" && e.runId === id);
      const started = heard.findIndex((e) => e.kind === "started" && e.runId === id);
      waits.push(heard.slice(queued, started).filter((e) => e.kind === "started").length);
    }
    const left = ELEPHANT - inside.ended;
    expect(left).toBeGreaterThan(1_000); // it was an elephant until the end
    expect(Math.max(...waits)).toBeLessThanOrEqual(SLACK);
    oneOutcomeEach(calls, (await elephant) as never);
    nothingHeld(runtime, ["work"]);
    measured("h3.mouse_elephant", { "starts before each mouse": waits.join(","), "calls left": left });
  });

  test("control: the same call at the end of the elephant's own queue waits for all of it", async () => {
    const inside = new Inside();
    const order: number[] = [];
    const runtime = await open(
      { work: tool({ effect: "read", run: (n: number) => inside.count(() => order.push(n)) }) },
      { limits: { concurrency: CAP } },
    );
    const calls = callsOf("work", ELEPHANT);
    oneOutcomeEach(calls, (await runtime.run("fifo", (run: any) => run.batch(calls))) as never);
    expect(order.indexOf(ELEPHANT - 1)).toBe(ELEPHANT - 1);
  });
});

describe("h3.share", () => {
  test("tenants of weight 9 and 1 start 9 to 1 while both have work", async () => {
    const order: string[] = [];
    const runtime = await open(
      {
        work: tool({
          effect: "read",
          run: async (who: string) => {
            order.push(who);
            return who;
          },
        }),
        stop: tool({ effect: "read", run: () => true }),
      },
      { limits: { concurrency: 1, startsPerStepMax: 1 } },
    );
    runtime.pause();
    const runs = ["nine", "one"].map((id) =>
      runtime.run(id, (run: any) => run.batch(callsOf("work", 500, () => ({ input: id }))), {
        tenant: { id, weight: id === "nine" ? 9 : 1 },
      }),
    );
    await until(() => (["nine", "one"] as const).every((id) => waits(runtime, id)), "both wait");
    runtime.resume();
    await Promise.all(runs);
    expect(order.length).toBe(1000);
    const nines = order.slice(0, 500).filter((who) => who === "nine").length;
    expect(Math.abs(nines - 450)).toBeLessThanOrEqual(2);
    nothingHeld(runtime);
  });
});

/** Is the last call of this run in line? */
function waits(runtime: Runtime, id: string): boolean {
  try {
    return runtime.explain(id, "work-499").state === "waiting";
  } catch {
    return false; // its run is not open yet, or has not made it yet
  }
}
