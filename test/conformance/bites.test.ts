// The suite bites: our host with one seeded fault at a time, and the scenarios that are about that fault. Each of
// them must fail, in each of its environments; that they pass without the fault is javascript-host.test.ts.
import { describe, expect, test } from "vitest";
import { faults } from "../../runtime-node/src/conformance-host/faults.ts";
import { ourHost, scenarios, suiteOn } from "./suite-on.ts";

const CAUGHT_BY: Readonly<Record<string, readonly string[]>> = {
  "entries-after-actions": ["recovery/entries-before-actions", "recovery/finished-run"],
  "append-failure-ignored": ["recovery/append-fails", "recovery/plan-cannot-be-written"],
  "pending-read-as-hit": ["recovery/once-in-doubt", "recovery/in-flight-is-no-failure"],
  "doubt-forgotten": ["recovery/once-in-doubt", "recovery/reconciler-done"],
  "settled-at-fan-in": ["recovery/one-slow-call", "recovery/between-two-settles"],
  "errors-not-kept": ["recovery/errors-replay", "recovery/settled-doubtful-failed"],
  "nothing-not-kept": ["recovery/empty-results", "recovery/no-result"],
  "reconciler-asked-for-settled": ["recovery/reconciler-done"],
  "unknown-taken-for-success": ["recovery/reconciler-unknown", "recovery/reconciler-never-knows"],
  "no-verdict-taken-for-failure": ["recovery/reconciler-throws"],
  "deadline-restarted": ["time/deadline-over-before-recovery"],
  "retry-wait-forgotten": ["time/retry-waits-across-the-crash"],
  "suffix-truncated": ["recovery/call-changed", "recovery/tool-changed"],
  "zombie-accepted": ["recovery/zombie"],
  "finished-run-again": ["recovery/finished-run"],
  "positional-identity": ["recovery/reordered"],
  "fail-fast": ["recovery/one-fails"],
  "completion-order": ["recovery/any-completion-order"],
  "siblings-shifted": ["recovery/odd-results"],
  "duplicate-ids-kept": ["recovery/same-id-twice"],
  "replay-counted-as-success": ["recovery/settled-is-replayed"],
  "attempts-from-one": ["recovery/finished-not-settled"],
  "error-details-lost": ["recovery/errors-replay"],
  "falsy-becomes-null": ["recovery/empty-results"],
  "key-changes-with-attempt": ["recovery/finished-not-settled"],
  "key-of-tool-only": ["recovery/one-fails"],
  "permit-returned-at-timeout": ["limits/permit-until-it-stops"],
  "concurrency-ignored": ["limits/batch-concurrency"],
  "clock-not-replayed": ["recovery/drawn-values"],
  "run-ids-collide": ["recovery/run-ids-apart"],
  "weight-ignored": ["limits/weights-are-a-budget", "limits/heavier-than-any-limit"],
  "cost-ignored": ["limits/rates-all-hold", "limits/costs-more-than-there-ever-is"],
  "start-within-ignored": ["limits/start-within"],
  "priority-reversed": ["limits/higher-priority-first", "limits/who-is-waited-for-is-as-urgent"],
  "last-in-first-out": ["limits/equal-ones-in-order"],
  "writers-overlap": ["limits/readers-and-a-writer", "limits/several-keys-at-once", "limits/abandoned-keeps-its-keys"],
  "readers-overtake-writers": ["limits/readers-and-a-writer", "limits/several-keys-at-once"],
  "first-batch-first": ["limits/tenants-share-by-weight", "limits/three-beside-a-hundred"],
  "lanes-ignored": ["limits/lanes-whoever-it-is"],
  "queue-without-end": ["limits/full-queue-refuses-new", "limits/full-queue-of-a-batch-and-a-tenant"],
  "full-queue-drops-nobody": ["limits/full-queue-drops-oldest-lowest", "limits/full-queue-drops-lower-only"],
  "full-queue-drops-the-started": ["limits/full-queue-spares-the-started"],
  "rate-forgotten-at-restart": ["limits/rate-across-a-restart", "limits/cost-survives-a-restart"],
  "breaker-forgotten-at-restart": ["limits/breaker-open-across-a-restart"],
  "rest-forgotten-at-restart": ["limits/rest-across-a-restart"],
  "first-rate-only": ["limits/rates-all-hold"],
  "pace-as-window": ["limits/rate-at-a-pace"],
  "slow-down-taken-for-failure": ["limits/slowed-down-too-often", "limits/told-to-slow-down"],
  "one-call-rests": ["limits/told-to-slow-down"],
  "starts-all-after-a-rest": ["limits/told-to-slow-down", "limits/breaker-waits", "limits/paused-and-resumed"],
  "refusal-counted-as-success": ["limits/breaker-probes", "limits/breaker-open-across-a-restart"],
  "breaker-of-all": ["limits/breaker-probes"],
  "waits-beyond-the-deadline": ["time/no-hopeless-wait"],
  "child-outlives-its-parent": ["time/deadline-over-child-runs", "limits/keys-in-a-circle"],
  "deaf-to-its-owner": ["limits/resized-while-calls-wait", "limits/made-urgent-while-it-waits"],
  "explains-by-guessing": ["limits/says-what-holds-a-call"],
  "tells-as-they-come": ["batches/told-as-they-were-asked-for"],
  "tells-as-asked-for": ["batches/told-as-they-come"],
  "last-write-wins": ["batches/twenty-increments", "batches/one-of-twenty-wins"],
  "fallback-ignored": [
    "limits/fallback-stands-in",
    "limits/fallback-at-each-crash",
    "limits/fallback-while-the-breaker-is-open",
  ],
  "fallback-whatever-it-was": ["limits/fallback-at-each-crash"],
  "fallback-not-marked": ["limits/fallback-stands-in", "limits/fallback-in-doubt"],
  "fallback-called-again": ["limits/fallback-stands-in"],
  "budget-ignored": ["time/too-little-time-left", "time/too-little-time-left-after-a-crash"],
  "buffer-without-end": ["limits/held-back-outcomes-are-bounded"],
  "permits-kept-after-grace": ["limits/abandoned-after-its-grace"],
  "abandoned-not-counted": ["limits/abandoned-after-its-grace", "limits/abandoned-keeps-its-keys"],
  "preempts-nobody": ["limits/preempted-for-an-urgent-one", "limits/preempted-in-doubt"],
  "preempts-anybody": ["limits/preempts-only-what-may-be"],
  "preemption-not-told": ["limits/preempted-for-an-urgent-one"],
  "waiting-parent-gives-back": ["limits/parent-that-keeps-its-permit"],
  "undeclared-beside-others": ["limits/undeclared-runs-alone", "limits/undeclared-with-a-run-inside"],
  "time-zone-ignored": ["limits/rate-of-a-time-zone"],
  "deaf-to-the-outside": ["limits/the-outside-says-what-is-left"],
  "stream-without-end": ["batches/stream-as-it-was-asked-for"],
  "stream-as-they-come": ["batches/stream-as-it-was-asked-for"],
  "stream-as-asked-for": ["batches/stream-as-they-come"],
};

/** A host that is wrong may also be silent for ever: not worth waiting long for. */
const HANG_MS = 4_000;

test("every seeded fault has scenarios that are about it, and they are there", () => {
  expect(Object.keys(CAUGHT_BY).sort()).toEqual(
    faults()
      .map(({ name }) => name)
      .sort(),
  );
  expect(faults().length).toBeGreaterThanOrEqual(15);
  const known = new Set(scenarios.map(({ id }) => id));
  expect(Object.values(CAUGHT_BY).flatMap((ids) => ids.filter((id) => !known.has(id)))).toEqual([]);
});

// Several at once: a host that is wrong is mostly waited for.
describe.concurrent("a host that", () => {
  test.each(faults())("$what is caught", async ({ name }) => {
    const only = CAUGHT_BY[name] ?? [];
    const environment = { HOLDFAST_FAULT: name };
    const { results, hosts } = await suiteOn({ command: ourHost, environment, only, hangMs: HANG_MS });
    expect(hosts[0]?.name).toContain(`.${name}`);
    const caught = results.filter(({ status }) => status === "failed").map(({ id }) => id);
    expect(caught).toEqual(results.map(({ id }) => id));
    expect(caught).toEqual(expect.arrayContaining([...only]));
  });
});
