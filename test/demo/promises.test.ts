// The demo's promises can be broken: a true account keeps them all, and each of these lies breaks the one
// promise that it is about, by the name of the call.
import { describe, expect, test } from "vitest";
import type { LedgerLine } from "../../runtime-node/src/cli/demo/ledger.ts";
import { type Checked, checkPromises, type Facts } from "../../runtime-node/src/cli/demo/promises.ts";
import { isKept, promiseLines } from "../../runtime-node/src/cli/demo/report.ts";
import { type OpenFacts, trueFacts } from "./facts.ts";

const LOOK = { colour: false, unicode: true, width: 100, live: false };
const check = (facts: OpenFacts): readonly Checked[] => checkPromises(facts as Facts);
const began = (call: string, attempt: number, life: number): LedgerLine => ({
  what: "began",
  call,
  attempt,
  life,
  at: 0,
});
const outcomeOf = (facts: OpenFacts, id: string): any => facts.outcomes.find((outcome) => outcome.id === id);

test("a true account keeps every promise, and each was checked on something", () => {
  const checked = check(trueFacts());
  expect(checked.flatMap(({ broken }) => broken)).toEqual([]);
  expect(checked).toHaveLength(9);
  expect(Math.min(...checked.map(({ cases }) => cases))).toBeGreaterThan(0);
  expect(isKept(checked)).toBe(true);
});

/** A lie, the promise that it breaks, and the words that name it. */
const LIES: readonly (readonly [string, RegExp, RegExp, (facts: OpenFacts) => void])[] = [
  [
    "an outcome is missing",
    /exactly one outcome/,
    /^toggle has 0 outcomes$/,
    (facts) => {
      facts.outcomes.pop();
    },
  ],
  [
    "an outcome is there twice",
    /exactly one outcome/,
    /^toggle has 2 outcomes$/,
    (facts) => {
      facts.outcomes.push(facts.outcomes.at(-1)!);
    },
  ],
  [
    "an outcome is of no known kind",
    /exactly one outcome/,
    /^toggle has an outcome of kind "maybe"$/,
    (facts) => {
      outcomeOf(facts, "toggle").kind = "maybe";
    },
  ],
  [
    "the program saw what the journal does not say",
    /exactly one outcome/,
    /^toggle: the program saw error, the journal says unknown$/,
    (facts) => {
      outcomeOf(facts, "toggle").kind = "error";
    },
  ],
  [
    "an outcome that nobody asked for",
    /exactly one outcome/,
    /^stranger was never asked for$/,
    (facts) => {
      facts.outcomes.push({ ...facts.outcomes[0]!, id: "stranger" });
    },
  ],
  [
    "two outcomes have changed places",
    /order of the request/,
    /^place 4 has move, not edit$/,
    ({ outcomes }) => {
      [outcomes[3], outcomes[4]] = [outcomes[4]!, outcomes[3]!];
    },
  ],
  [
    "an idempotent tool began three times with one crash",
    /read or idempotent/,
    /^write began 3 times$/,
    (facts) => {
      facts.ledger.push(began("write", 3, 2));
    },
  ],
  [
    "a once tool began again and nobody said not-done",
    /once tool began once/,
    /^toggle began 2 times and its reconciler said not-done 0 times$/,
    (facts) => {
      facts.ledger.push(began("toggle", 2, 2));
    },
  ],
  [
    "a once tool began again after its reconciler had said done",
    /once tool began once/,
    /^edit began 2 times/,
    (facts) => {
      facts.ledger.push(began("edit", 2, 2));
    },
  ],
  [
    "a success whose attempt never ended",
    /no success is made up/,
    /^write is ok by attempt 2, which never ended$/,
    (facts) => {
      facts.ledger = facts.ledger.filter(({ what, call }) => what !== "ended" || call !== "write");
    },
  ],
  [
    "an edit that is there twice",
    /on disk exactly once/,
    /^edit is ok, and on disk its effect is twice$/,
    (facts) => {
      facts.found.set("edit", "twice");
    },
  ],
  [
    "a success that left nothing on disk",
    /on disk exactly once/,
    /^move is ok, and on disk its effect is absent$/,
    (facts) => {
      facts.found.set("move", "absent");
    },
  ],
  [
    "half a file",
    /on disk exactly once/,
    /^write is ok, and on disk its effect is damaged$/,
    (facts) => {
      facts.found.set("write", "damaged");
    },
  ],
  [
    "what had settled was called again",
    /never called again/,
    /^read had settled and was called or asked 1 times after$/,
    (facts) => {
      facts.ledger.push(began("read", 2, 2));
    },
  ],
  [
    "what had settled was asked about",
    /never called again/,
    /^failed had settled and was called or asked 1 times after$/,
    (facts) => {
      facts.ledger.push({ ...began("failed", 1, 2), what: "asked" });
    },
  ],
  [
    "a settled value has changed",
    /byte for byte/,
    /^read was ok and is ok, or its value changed$/,
    (facts) => {
      outcomeOf(facts, "read").value = { text: "y" };
    },
  ],
  [
    "a settled error has changed",
    /byte for byte/,
    /^failed was error and is error, or its value changed$/,
    (facts) => {
      outcomeOf(facts, "failed").error = { name: "Error", message: "another" };
    },
  ],
  [
    "the journal has a problem",
    /journal is sound/,
    /^page 7 is lost$/,
    (facts) => {
      facts.problems.push("page 7 is lost");
    },
  ],
];

describe("a lie is noticed", () => {
  test.each(LIES)("%s", (_, promise, words, lie) => {
    const facts = trueFacts();
    lie(facts);
    const checked = check(facts);
    const broken = checked.filter((one) => promise.test(one.promise));
    expect(broken).toHaveLength(1);
    expect(broken[0]!.broken.some((what) => words.test(what))).toBe(true);
    expect(isKept(checked)).toBe(false);
    expect(promiseLines(checked, LOOK).join("\n")).toMatch(/ {2}✗ /);
  });

  test("and there is one for every promise", () => {
    const untold = check(trueFacts()).filter(({ promise }) => !LIES.some(([, about]) => about.test(promise)));
    expect(untold).toEqual([]);
  });

  test("a settled outcome that is lost breaks two promises", () => {
    const facts = trueFacts();
    facts.outcomes.shift();
    const broken = check(facts).filter((one) => one.broken.length > 0);
    expect(broken.flatMap((one) => one.broken)).toEqual(
      expect.arrayContaining(["read has 0 outcomes", "read was settled and is lost"]),
    );
  });
});
