// Why a call waits, in numbers: what holds it, how much of that is in use, when it may start at the earliest.
// For eyes only: nothing is changed by looking.
import { bufferOf } from "./buffer";
import { NoticeKind, ScopeKind, State } from "./codes";
import { headOf, Line } from "./lines";
import { shutTickets } from "./locks";
import { make } from "./memory";
import { limitOf, Rate, usedOf } from "./rates";
import { Notice } from "./records";
import { refusalOf, refusedUntil, refuserOf, refusing, refusingRate } from "./refusal";
import { Slot } from "./runs";
import { Scope } from "./scopes";
import { now, wall } from "./turn";

const area: Notice = changetype<Notice>(make(offsetof<Notice>()));

function describe(notice: Notice, kind: NoticeKind, scope: Scope): void {
  notice.kind = <u8>kind;
  notice.scope = scope.kind;
  notice.number = scope.number;
  notice.inUse = scope.inUse;
  notice.size = scope.cap;
  notice.until = refusedUntil > now ? wall + (refusedUntil - now + 999) / 1000 : 0;
  if (kind == NoticeKind.buffer) {
    const buffer = bufferOf(scope)!;
    notice.inUse = buffer.held;
    notice.size = buffer.most;
  }
  if (kind == NoticeKind.rate) {
    const rate = changetype<Rate>(refusingRate);
    notice.inUse = usedOf(rate);
    notice.size = limitOf(rate);
  }
}

/** Writes what holds the slot now. */
export function explainInto(notice: Notice, slot: Slot): void {
  memory.fill(changetype<usize>(notice), 0, offsetof<Notice>());
  notice.run = slot.run.number;
  notice.slot = slot.ordinal;
  if (!slot.queued) return;
  const shut = shutTickets(slot);
  if (shut > 0) {
    notice.kind = <u8>NoticeKind.lock;
    notice.scope = <u8>ScopeKind.lock;
    notice.inUse = shut;
    return;
  }
  const line = changetype<Line>(slot.line);
  const asks = slot.state == State.doubtful;
  // Where the line is parked, that scope holds all of it, whatever the others would say.
  const parked = line.parkedAt;
  const kind =
    parked != 0 ? refusalOf(changetype<Scope>(parked), line, headOf(line)!, asks) : refuserOf(line, slot, asks);
  if (kind != NoticeKind.free) describe(notice, kind, changetype<Scope>(parked != 0 ? parked : refusing));
  else notice.kind = <u8>NoticeKind.turn; // others go before it
}

/** The address of what holds the slot; `free` where there is none or it does not wait. */
export function explainSlot(slot: Slot | null): usize {
  memory.fill(changetype<usize>(area), 0, offsetof<Notice>());
  if (slot !== null) explainInto(area, slot);
  return changetype<usize>(area);
}
