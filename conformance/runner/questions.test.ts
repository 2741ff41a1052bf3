// Asking a host until it is as the script says: an answer that comes in time, one that never does, and answers that
// nobody asked for.
import { expect, test } from "vitest";
import type { RunnerMessage } from "../protocol/messages.ts";
import { Questions } from "./questions.ts";

type Question = Extract<RunnerMessage, { type: "explain" | "gauge" }>;

/** Questions to a host that answers at once, with what `says` makes of the question. */
function asking(says: (question: Question) => object) {
  const questions: Questions = new Questions({
    session: 1,
    hangMs: 40,
    send: (question) => questions.answered({ session: 1, n: question.n, ...says(question) } as never),
    until: async (_, look) => look()!,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  return questions;
}
const abandoned = { do: "gauge", at: 1, text: "", limit: "tools.put", of: { abandoned: 1 } } as const;

test("a limit is looked at until it is as it should be, and what is not asked for does not count", async () => {
  let asked = 0;
  const late = asking(() => ({ type: "gauged", inUse: 7, abandoned: ++asked > 1 ? 1 : 0 }));
  expect(await late.gauge(abandoned)).toBeUndefined();
  expect(asked).toBe(2);
});

test("what never comes is found wrong, with what was there instead", async () => {
  const never = asking(({ type }) =>
    type === "gauge"
      ? { type: "gauged", inUse: 7, abandoned: 0 }
      : { type: "explained", state: "waiting", why: "rate" },
  );
  expect(await never.gauge(abandoned)).toBe("inUse=7 abandoned=0");
  expect(await never.held({ id: "A", run: "r", by: "lock" })).toBe("waiting rate");
  expect(await never.held({ id: "A", run: "r", by: "rate" })).toBeUndefined();
});

test("an answer that nobody asked for, a second one, or one to another question is the host's fault", async () => {
  const gauged = { type: "gauged", session: 1, n: 1, inUse: 0, abandoned: 1 } as const;
  const questions = asking(() => gauged);
  expect(() => questions.answered(gauged)).toThrow("it answers question 1, which nobody asked");
  await questions.gauge(abandoned);
  expect(() => questions.answered(gauged)).toThrow("it answers question 1, which nobody asked");
  await expect(questions.held({ id: "A", run: "r", by: "lock" })).rejects.toThrow("it answers question 1");
  const confused = asking(() => ({ type: "explained", state: "absent" }));
  await expect(confused.gauge(abandoned)).rejects.toThrow("it answers question 1 with explained");
});
