// What comes out of one call: lists that are cleared at its start and read by the host after it.
import { ActionKind, Gate, NONE } from "./codes";
import { grow, List, makeList } from "./memory";
import { Action, Entry, Notice, Placement, Resolution, stride } from "./records";

const placements: List = makeList(stride<Placement>(4), 16);
const entries: List = makeList(stride<Entry>(8), 64);
const actions: List = makeList(stride<Action>(8), 64);
const resolutions: List = makeList(stride<Resolution>(8), 64);
const notices: List = makeList(stride<Notice>(8), 16);

/** The reaction in its canonical layout: four (pointer, length) pairs, wake-at, one more pair, the pressure. */
@unmanaged
class Reaction {
  placements: usize;
  placementCount: u32;
  entries: usize;
  entryCount: u32;
  actions: usize;
  actionCount: u32;
  resolutions: usize;
  resolutionCount: u32;
  wakeAt: u64;
  notices: usize;
  noticeCount: u32;
  pressure: u8;
}

/** A result<…>: the tag, then at offset 8 a reaction or a refusal. */
const area: usize = memory.data(8 + 56, 8);

export function clear(): void {
  placements.length = 0;
  entries.length = 0;
  actions.length = 0;
  resolutions.length = 0;
  notices.length = 0;
}

/** Calls `call…` of this turn became slots `slot…`; neighbours become one range. */
export function place(run: u32, call: u32, slot: u32, fresh: bool): void {
  if (placements.length > 0) {
    const last = changetype<Placement>(placements.at + (placements.length - 1) * placements.stride);
    if (last.run == run && last.fresh == fresh && last.call + last.count == call && last.slot + last.count == slot) {
      last.count++;
      return;
    }
  }
  const row = changetype<Placement>(grow(placements));
  row.run = run;
  row.call = call;
  row.slot = slot;
  row.count = 1;
  row.fresh = fresh;
}

/** A new entry, to be filled in before the next one is made. */
export function entry(kind: i32, run: u32, slot: u32, wall: u64): Entry {
  const row = changetype<Entry>(grow(entries));
  row.kind = <u8>kind;
  row.run = run;
  row.slot = slot;
  row.at = wall;
  return row;
}

/** A new action, to be filled in before the next one is made. */
export function action(kind: i32, gate: i32, run: u32, slot: u32): Action {
  const row = changetype<Action>(grow(actions));
  row.kind = <u8>kind;
  row.gate = <u8>gate;
  row.run = run;
  row.slot = slot;
  row.call = NONE;
  return row;
}

/** Says that a batch was refused and changed nothing. */
export function refuse(run: u32, call: u32, code: i32): void {
  const row = action(ActionKind.refuse, Gate.none, run, NONE);
  row.call = call;
  row.code = <u8>code;
}

export function resolution(run: u32, slot: u32): Resolution {
  const row = changetype<Resolution>(grow(resolutions));
  row.run = run;
  row.slot = slot;
  return row;
}

/** A new notice, to be filled in before the next one is made. */
export function notice(): Notice {
  return changetype<Notice>(grow(notices));
}

function writeReaction(at: usize, wakeAt: u64, pressure: u8): void {
  const reaction = changetype<Reaction>(at);
  reaction.placements = placements.at;
  reaction.placementCount = placements.length;
  reaction.entries = entries.at;
  reaction.entryCount = entries.length;
  reaction.actions = actions.at;
  reaction.actionCount = actions.length;
  reaction.resolutions = resolutions.at;
  reaction.resolutionCount = resolutions.length;
  reaction.wakeAt = wakeAt;
  reaction.notices = notices.at;
  reaction.noticeCount = notices.length;
  reaction.pressure = pressure;
}

/** The address of this turn's reaction. */
export function reaction(wakeAt: u64, pressure: u8): usize {
  writeReaction(area, wakeAt, pressure);
  return area;
}

/** The address of ok(reaction). */
export function accepted(wakeAt: u64, pressure: u8): usize {
  store<u8>(area, 0);
  writeReaction(area + 8, wakeAt, pressure);
  return area;
}

/** The address of err(refusal). `at` is where the payload stands in this result type: 8 beside a reaction, 4 alone. */
export function refused(code: i32, row: u32, slot: u32, at: usize): usize {
  store<u8>(area, 1);
  store<u8>(area + at, <u8>code);
  store<u32>(area + at + 4, row);
  store<u32>(area + at + 8, slot);
  return area;
}

/** The address of ok(_) of `configure`. */
export function configured(): usize {
  store<u8>(area, 0);
  return area;
}

const listArea: usize = memory.data(8, 4);

/** The address of a list: pointer and length. */
export function listAt(at: usize, length: u32): usize {
  store<usize>(listArea, at);
  store<u32>(listArea + 4, length);
  return listArea;
}
