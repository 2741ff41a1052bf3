// Where the demo shows its progress: drawn over in a terminal, a line per step elsewhere, nowhere when
// JSON was asked for. It prints and remembers nothing else.
import { createLogUpdate } from "log-update";
import type { CallEvent } from "../../../../bindings/js/src/events.ts";
import type { Look } from "../paint.ts";
import { pictureLines, stepLine } from "./progress-lines.ts";
import type { Watch, Watched } from "./watch.ts";

export interface Screen {
  /** Lines that stay. */
  say(...lines: readonly string[]): void;
  /** A life begins: from now on its picture is shown. */
  follow(watch: Watch): void;
  /** One step of the life that is followed. */
  step(event: CallEvent, watched: Watched | undefined): void;
  /** The life is over: its picture goes, or stays as it was when it was killed. Twice is once. */
  unfollow(killed: boolean): void;
}

const FRAME_MS = 80;

/** A screen that shows nothing. */
export const dark: Screen = {
  say: () => undefined,
  follow: () => undefined,
  step: () => undefined,
  unfollow: () => undefined,
};

function plainScreen(look: Look): Screen {
  let beganMs = 0;
  return {
    ...dark,
    say: (...lines) => void process.stdout.write(`${lines.join("\n")}\n`),
    follow: () => {
      beganMs = Date.now();
    },
    step(event, watched) {
      const line = stepLine(event, watched, beganMs, look);
      if (line !== undefined) process.stdout.write(`${line}\n`);
    },
  };
}

function liveScreen(look: Look): Screen {
  const update = createLogUpdate(process.stdout);
  let timer: NodeJS.Timeout | undefined;
  let watched: Watch | undefined;
  const draw = (cut = false): void => {
    if (watched !== undefined) update(pictureLines(watched, Date.now(), look, cut).join("\n"));
  };
  return {
    ...dark,
    say: (...lines) => void process.stdout.write(`${lines.join("\n")}\n`),
    follow(watch) {
      watched = watch;
      draw();
      timer = setInterval(() => draw(), FRAME_MS);
    },
    unfollow(killed) {
      if (watched === undefined) return;
      clearInterval(timer);
      if (killed) draw(true);
      else update.clear();
      // Also shows the cursor again.
      update.done();
      watched = undefined;
    },
  };
}

/** The screen of this terminal. */
export function openScreen(look: Look, json: boolean): Screen {
  if (json) return dark;
  return look.live ? liveScreen(look) : plainScreen(look);
}
