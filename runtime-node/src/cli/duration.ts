// Times as people read them. Pure.

/** Milliseconds as `85 ms`, `1.24 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const parts = (large: number, small: number, names: readonly [string, string]): string =>
    `${Math.floor(ms / large)} ${names[0]} ${String(Math.floor((ms % large) / small)).padStart(2, "0")} ${names[1]}`;
  if (ms < 3_600_000) return parts(60_000, 1_000, ["min", "s"]);
  if (ms < 86_400_000) return parts(3_600_000, 60_000, ["h", "min"]);
  return parts(86_400_000, 3_600_000, ["d", "h"]);
}

/** A moment in UTC, to the second: `2024-05-01 12:30:59Z`; what is no moment is said to be none. */
export function moment(wallMs: number): string {
  if (!Number.isFinite(wallMs) || Math.abs(wallMs) > 8.64e15) return "no time";
  return `${new Date(wallMs).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
