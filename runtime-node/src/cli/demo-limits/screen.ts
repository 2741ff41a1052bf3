// Where the demo of limits shows its progress: the chart as it grows, drawn over in a terminal; a line per
// second elsewhere; nowhere when JSON was asked for. It remembers nothing else.
import { createLogUpdate } from "log-update";
import { duration } from "../duration.ts";
import { type Look, painter } from "../paint.ts";
import { pad } from "../plain-text.ts";
import { isGranted } from "./account.ts";
import { chartLines, scaleOf } from "./chart.ts";
import type { Outage } from "./quota.ts";
import type { Progress } from "./run-through.ts";

export interface Screen {
  /** Lines that stay. */
  say(...lines: readonly string[]): void;
  /** A run begins: shows how far it is, until what it gives back is called. */
  follow(progress: () => Progress): () => void;
}

const FRAME_MS = 80;
const LINE_MS = 1_000;
const BAR = { unicode: { full: "━", rest: "─" }, ascii: { full: "=", rest: "-" } } as const;
const BAR_CELLS = 24;

/** How far it is, in one line. */
export function progressLine(progress: Progress, look: Look): string {
  const paint = painter(look);
  const { calls, succeeded, failed, underWay, asked, sinceMs } = progress;
  const { full, rest } = look.unicode ? BAR.unicode : BAR.ascii;
  const cells = (count: number): number => Math.floor((count / calls) * BAR_CELLS);
  const [done, lost] = [cells(succeeded), cells(failed)];
  const bar =
    paint("green", full.repeat(done)) +
    paint("red", full.repeat(lost)) +
    paint("dim", rest.repeat(BAR_CELLS - done - lost));
  const refused = asked.filter((one) => !isGranted(one)).length;
  const parts = [
    `${succeeded}/${calls} through`,
    `${underWay} under way`,
    paint(refused > 0 ? "red" : undefined, `${refused} refused`),
    ...(failed > 0 ? [paint("red", `${failed} failed`)] : []),
  ];
  return `  ${bar} ${paint("dim", pad(duration(sinceMs), 7, "right"))}  ${parts.join(", ")}`;
}

const say: Screen["say"] = (...lines) => void process.stdout.write(`${lines.join("\n")}\n`);

function every(ms: number, show: () => void): () => void {
  const timer = setInterval(show, ms);
  return () => clearInterval(timer);
}

function plainScreen(look: Look): Screen {
  return { say, follow: (progress) => every(LINE_MS, () => say(progressLine(progress(), look))) };
}

function liveScreen(outage: Outage, look: Look): Screen {
  return {
    say,
    follow(progress) {
      const update = createLogUpdate(process.stdout);
      const stop = every(FRAME_MS, () => {
        const now = progress();
        const charted = { asked: now.asked, untilMs: now.sinceMs };
        const chart = chartLines(charted, outage, scaleOf([charted], look), look);
        update([...chart, progressLine(now, look)].join("\n"));
      });
      return () => {
        stop();
        update.clear();
        // Also shows the cursor again.
        update.done();
      };
    },
  };
}

/** The screen of this terminal. */
export function openScreen(outage: Outage, look: Look, json: boolean): Screen {
  if (json) return { say: () => undefined, follow: () => () => undefined };
  return look.live ? liveScreen(outage, look) : plainScreen(look);
}
