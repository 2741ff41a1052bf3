// What a scenario of the bench is given, and the contenders in the order of the tables. Types and a list.
import type { Contender } from "./contender.ts";
import { handFile } from "./contenders/hand-file.ts";
import { handTuned } from "./contenders/hand-tuned.ts";
import { holdfast } from "./contenders/holdfast.ts";
import { queue } from "./contenders/queue.ts";
import { resultsFile } from "./contenders/results-file.ts";
import { sqliteEach } from "./contenders/sqlite-each.ts";
import { sqliteGrouped } from "./contenders/sqlite-grouped.ts";
import type { Report } from "./report.ts";

export interface Settings {
  /** Rounds that count, after one to warm up. */
  readonly rounds: number;
  /** A folder on the disk that is measured; each contender gets one of its own in it. */
  readonly folder: string;
}

export type Scenario = (settings: Settings) => Promise<Report>;

/** The first is the floor. */
export const CONTENDERS: readonly Contender[] = [
  handFile,
  handTuned,
  sqliteGrouped,
  holdfast,
  resultsFile,
  sqliteEach,
  queue,
];
