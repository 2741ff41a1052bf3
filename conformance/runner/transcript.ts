// Every message of a scenario as text, for people: bounded, because a host may say much.

export interface TranscriptLine {
  /** 1-based number of the process. */
  readonly life: number;
  /** Milliseconds since the scenario began. */
  readonly ms: number;
  readonly from: "host" | "runner" | "note";
  readonly text: string;
}

const LINES_MAX = 400;
const TEXT_MAX = 600;

export class Transcript {
  readonly #began = performance.now();
  readonly lines: TranscriptLine[] = [];
  #left = 0;

  add(life: number, from: TranscriptLine["from"], text: string): void {
    if (this.lines.length >= LINES_MAX) {
      this.#left++;
      return;
    }
    const shown = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
    this.lines.push({ life, ms: Math.round(performance.now() - this.#began), from, text: shown });
  }

  /** The lines, and how many more there were. */
  get all(): readonly TranscriptLine[] {
    if (this.#left === 0) return this.lines;
    const last = this.lines.at(-1) as TranscriptLine;
    return [...this.lines, { life: last.life, ms: last.ms, from: "note", text: `and ${this.#left} lines more` }];
  }
}
