// What is seen while the suite runs: a line that moves in a terminal, and in either case the failures as they
// come. It judges nothing.
import { createLogUpdate } from "log-update";
import type { ScenarioResult } from "../../../../conformance/runner/result.ts";
import { type Look, marksOf, painter } from "../paint.ts";
import { clip, plain } from "../plain-text.ts";

export interface Progress {
  result(result: ScenarioResult, done: number, of: number): void;
  end(): void;
}

const BAR_CELLS = 28;

/** What is wrong with a result, as lines. */
export function wrongLines(result: ScenarioResult, look: Look): string[] {
  const paint = painter(look);
  const { no, arrow } = marksOf(look);
  const head = `${paint("red", no)} ${paint("bold", plain(result.id))} ${paint("dim", `on ${plain(result.host)}`)}`;
  const lines: string[] = [];
  if (result.status === "listed-but-passes")
    lines.push(`is listed as failing (${plain(result.reason ?? "")}) and passes`);
  if (result.status === "harness-fault")
    lines.push(`a fault of the suite, not of the host: ${plain(result.reason ?? "")}`);
  if (result.fault !== undefined) lines.push(`the host ${result.fault.kind}: ${plain(result.fault.message)}`);
  for (const { what, expected, got } of result.findings.slice(0, 5)) {
    lines.push(
      `${plain(what)}`,
      `  expected ${paint("green", plain(expected))}`,
      `  got      ${paint("red", plain(got))}`,
    );
  }
  if (result.findings.length > 5) lines.push(`and ${result.findings.length - 5} findings more`);
  return [head, ...lines.map((line, i) => `  ${i === 0 ? arrow : " "} ${line}`)];
}

const isWrong = ({ status }: ScenarioResult): boolean =>
  status === "failed" || status === "listed-but-passes" || status === "harness-fault";

/** Shows it on standard error, so that standard output is the report. */
export function showProgress(look: Look): Progress {
  const update = look.live ? createLogUpdate(process.stderr) : undefined;
  const paint = painter(look);
  let wrong = 0;
  return {
    result(result, done, of) {
      if (isWrong(result)) {
        wrong++;
        update?.clear();
        process.stderr.write(`${wrongLines(result, look).join("\n")}\n`);
      }
      if (update === undefined) return;
      const full = Math.round((BAR_CELLS * done) / of);
      const [on, off] = look.unicode ? ["━", "─"] : ["=", "-"];
      const bar = paint(wrong > 0 ? "red" : "green", on.repeat(full)) + paint("dim", off.repeat(BAR_CELLS - full));
      const failed = wrong === 0 ? "" : paint("red", `  ${wrong} failed`);
      update(`${bar} ${done}/${of}${failed}  ${paint("dim", clip(plain(result.id), 48, marksOf(look).more))}`);
    },
    end() {
      update?.clear();
      update?.done();
    },
  };
}
