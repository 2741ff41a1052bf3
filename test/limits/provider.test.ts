// The simulated provider must be as strict as it says, or what is measured against it means nothing.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ProviderOptions, startProvider } from "../../runtime-node/src/cli/demo-limits/provider.ts";
import { Quota } from "../../runtime-node/src/cli/demo-limits/quota.ts";

describe("the quota", () => {
  test("holds in every window, wherever it begins", () => {
    const steps = fc.array(fc.record({ laterMs: fc.integer({ min: 0, max: 400 }), tokens: fc.nat(30) }));
    return fc.assert(
      fc.property(steps, (asked) => {
        const quota = new Quota({ requests: { limit: 5, perMs: 1000 }, tokens: { limit: 60, perMs: 1000 } });
        const granted: { at: number; tokens: number }[] = [];
        let now = 0;
        for (const { laterMs, tokens } of asked) {
          now += laterMs;
          const answer = quota.ask(now, tokens);
          if (answer.status === 200) granted.push({ at: now, tokens });
          const recent = granted.filter(({ at }) => at > now - 1000);
          expect(recent.length).toBeLessThanOrEqual(5);
          expect(recent.reduce((sum, one) => sum + one.tokens, 0)).toBeLessThanOrEqual(60);
          // It refuses only what would be too much, and what waits as it is told to is granted.
          if ("why" in answer) {
            const sum = recent.reduce((total, one) => total + one.tokens, tokens);
            expect(recent.length >= 5 || sum > 60).toBe(true);
            expect(answer.retryAfterMs).toBeGreaterThan(0);
          }
        }
      }),
    );
  });

  test("says exactly when a request is granted", () => {
    const quota = new Quota({ requests: { limit: 2, perMs: 1000 } });
    quota.ask(0, 1);
    quota.ask(300, 1);
    expect(quota.ask(400, 1)).toEqual({ status: 429, why: "requests", retryAfterMs: 600 });
    expect(quota.ask(999, 1).status).toBe(429);
    expect(quota.ask(1000, 1).status).toBe(200);
  });

  test("counts what is under way, and lets nothing through in an outage", () => {
    const quota = new Quota({ concurrency: 1, outages: [{ fromMs: 100, untilMs: 200 }] });
    expect(quota.ask(0, 1).status).toBe(200);
    expect(quota.ask(1, 1)).toMatchObject({ status: 429, why: "concurrency" });
    quota.end();
    expect(quota.ask(150, 1)).toEqual({ status: 503, why: "outage", retryAfterMs: 50 });
    expect(quota.ask(200, 1).status).toBe(200);
  });
});

describe("the provider", () => {
  async function asks(options: ProviderOptions, bodies: readonly string[]): Promise<Response[]> {
    const provider = await startProvider(options);
    try {
      const answers: Response[] = [];
      for (const body of bodies) answers.push(await fetch(provider.url, { method: "POST", body }));
      expect(provider.asked.length).toBe(answers.filter(({ status }) => status !== 400).length);
      return answers;
    } finally {
      await provider.close();
    }
  }
  const body = JSON.stringify({ id: "a", tokens: 10 });

  test("grants, refuses with when to come back, and tells what is left", async () => {
    const [granted, refused] = await asks({ requests: { limit: 1, perMs: 60_000 }, latencyMs: 1 }, [body, body]);
    expect(granted!.status).toBe(200);
    expect(granted!.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(refused!.status).toBe(429);
    expect(Number(refused!.headers.get("retry-after"))).toBe(60);
  });

  test("says so in each way that providers have", async () => {
    const strict = { requests: { limit: 1, perMs: 60_000 }, latencyMs: 1 } as const;
    const [, byDate] = await asks({ ...strict, retryAfter: "date" }, [body, body]);
    expect(Date.parse(byDate!.headers.get("retry-after")!)).toBeGreaterThan(Date.now());
    const [, byMs] = await asks({ ...strict, retryAfter: "milliseconds" }, [body, body]);
    expect(Number(byMs!.headers.get("retry-after-ms"))).toBeGreaterThan(50_000);
    const [, silent] = await asks({ ...strict, retryAfter: "none" }, [body, body]);
    expect(silent!.headers.get("retry-after")).toBeNull();
  });

  test.each(["", "{}", '{"id":1}', '{"id":"a","tokens":-1}', `"${"x".repeat(70_000)}"`])(
    "refuses a body that asks for nothing",
    async (odd) => {
      const [answer] = await asks({}, [odd]);
      expect(answer!.status).toBe(400);
    },
  );
});
