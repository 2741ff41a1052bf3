// Golden pictures of the timeline, from made-up views: what a change to it would change is seen here.
import { describe, expect, test } from "vitest";
import type { RunView, SlotView } from "../../bindings/js/src/api.ts";
import type { Look } from "../../runtime-node/src/cli/paint.ts";
import { showLines } from "../../runtime-node/src/cli/show.ts";
import { timelineLines } from "../../runtime-node/src/cli/timeline.ts";

const LOOK: Look = { colour: false, unicode: true, width: 72, live: false };
/** 2024-05-01T12:00:00Z. */
const START = 1_714_564_800_000;

interface Plan extends Partial<SlotView> {
  readonly id: string;
  readonly tool: string;
  /** Begin and end of each attempt, ms after the start; without an end it was cut off. */
  readonly ran: readonly (readonly [from: number, to?: number])[];
}

function slot({ ran, ...rest }: Plan, ordinal: number): SlotView {
  const spans = ran.map(([from, to], i) => ({
    attempt: i + 1,
    startedAt: START + from,
    ...(to === undefined ? {} : { endedAt: START + to }),
  }));
  const last = spans.at(-1);
  return {
    slot: ordinal,
    effect: "once",
    input: null,
    state: "settled",
    outcome: "ok",
    source: "executed",
    attempts: spans.length,
    plannedAt: START,
    ...(spans[0] === undefined ? {} : { startedAt: spans[0].startedAt }),
    ...(last?.endedAt === undefined ? {} : { endedAt: last.endedAt }),
    late: 0,
    spans,
    ...rest,
  };
}

function view(plans: readonly Plan[], rest: Partial<RunView> = {}): RunView {
  return {
    id: "ticket-4711",
    path: [],
    state: "returned",
    openedAt: START,
    openings: [{ fence: 1, at: START }],
    slots: plans.map(slot),
    ...rest,
  };
}

const picture = (run: RunView, look: Partial<Look> = {}): string =>
  `\n${timelineLines(run, { ...LOOK, ...look }).join("\n")}\n`;

/** Killed at 1 s, taken over at 61 s: the minute in between is folded. */
const killed = view(
  [
    { id: "a", tool: "search", ran: [[0, 400]] },
    { id: "b", tool: "charge", ran: [[0], [61_050, 61_400]] },
    { id: "c", tool: "mail", ran: [[100]], endedAt: START + 61_200, source: "reconciled" },
    { id: "d", tool: "page", ran: [[200]], endedAt: START + 61_020, outcome: "unknown", source: "surfaced" },
    { id: "e", tool: "search", ran: [[61_400, 62_000]], outcome: "error" },
  ],
  {
    openings: [
      { fence: 1, at: START },
      { fence: 2, at: START + 61_000 },
    ],
    closedAt: START + 62_000,
  },
);

describe("the timeline", () => {
  test("of a turn that ran through", () => {
    const plans: Plan[] = [
      { id: "call-1", tool: "read_file", ran: [[0, 500]] },
      { id: "call-2", tool: "write_file", ran: [[0, 1_000]], outcome: "error" },
      { id: "call-3", tool: "a_tool_with_a_long_name", ran: [[500, 2_000]] },
      { id: "call-4", tool: "read_file", ran: [], endedAt: START + 1_500, outcome: "not-started" },
    ];
    expect(picture(view(plans))).toMatchInlineSnapshot(`
      "
      ticket-4711  returned, 4 of 4 calls settled  2024-05-01 12:00:00Z

                               0                                       2.00 s
      call-1  read_file       ✓ ███████████
      call-2  write_file      ✗ ███████████████████████
      call-3  a_tool_with_a…  ✓ ···········███████████████████████████████████
      call-4  read_file       ✗ ··································

      · queued   █ running
      "
    `);
  });

  test("of one that was killed and taken over", () => {
    expect(picture(killed)).toMatchInlineSnapshot(`
      "
      ticket-4711  returned, 5 of 5 calls settled, taken over once  2024-05-01 12:00:00Z

                  0                    ▼                           1 min 02 s
      a  search  ✓ ███████████████
      b  charge  ✓ ███████████████╌╌╌╌╌╌▒▒2████████████
      c  mail    ✓ ···████████████╌╌╌╌╌╌▒▒▒▒▒▒▒
      d  page    ? ·······████████╌╌╌╌╌╌▒
      e  search  ✗ ····································███████████████████████

      · queued   █ running   ╌ its process was gone   ▒ in doubt
      "
    `);
  });

  test("of the same one in ASCII, in a narrow terminal", () => {
    expect(picture(killed, { unicode: false, width: 44 })).toMatchInlineSnapshot(`
      "
      ticket-4711  returned, 5 of 5 calls settled, taken over once  2024-05-01 12:00:00Z

                  0          v         1 min 02 s
      a  search  + =======
      b  charge  + =======xxxx?2======
      c  mail    + .======xxxx????
      d  page    ? ...====xxxx?
      e  search  x ...................============

      . queued   = running   x its process was gone   ? in doubt
      "
    `);
  });

  test("of retries, and of what still runs", () => {
    const plans: Plan[] = [
      {
        id: "flaky",
        tool: "fetch",
        effect: "read",
        ran: [
          [0, 300],
          [800, 1_100],
          [2_000, 2_400],
        ],
      },
      { id: "slow", tool: "fetch", ran: [[100]], state: "started" },
      { id: "next", tool: "fetch", ran: [], state: "planned" },
    ];
    const { outcome: _, source: __, ...open } = slot(plans[1]!, 1);
    const { outcome: ___, source: ____, ...waiting } = slot(plans[2]!, 2);
    const run = { ...view(plans.slice(0, 1)), state: "open" as const };
    expect(picture({ ...run, slots: [...run.slots, open, waiting] })).toMatchInlineSnapshot(`
      "
      ticket-4711  not finished, 1 of 3 calls settled  2024-05-01 12:00:00Z

                     0                                                 2.40 s
      flaky  fetch  ✓ ███████░░░░░░░░░░░2██████░░░░░░░░░░░░░░░░░░░░░3█████████
      slow   fetch  … ··██████████████████████████████████████████████████████
      next   fetch  … ························································

      · queued   █ running   ░ waiting for a retry
      "
    `);
  });

  test("of a run without calls", () => {
    expect(picture(view([]))).toMatchInlineSnapshot(`
      "
      ticket-4711  returned, 0 of 0 calls settled  2024-05-01 12:00:00Z

      It made no calls.
      "
    `);
  });
});

describe("hostile names", () => {
  const evil = "\u001b[2J\u001b]0;title\u0007x\r\n\u202ey";
  const run = view([{ id: evil, tool: evil, ran: [[0, 100]], value: evil }], { id: evil, path: [evil] });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
  const CONTROL = /[\u0000-\u001f\u007f-\u009f]|\p{Cf}/u;

  test.each<[string, readonly string[]]>([
    ["timeline", timelineLines(run, LOOK)],
    ["show", showLines(run, [], LOOK)],
  ])("%s writes them out", (_, lines) => {
    for (const line of lines) expect(line).not.toMatch(CONTROL);
    expect(lines.join("\n")).toContain("\\u{1b}[2J");
  });
});
