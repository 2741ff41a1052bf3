// The run as its program sees it: names calls in the order they are made, prepares them, hands them to
// the driver. Nothing is decided here.
import type { BatchOptions, CallOptions, Run, StreamOptions } from "./api.ts";
import { type CheckedBatch, checkBatchOptions, PLAIN_BATCH } from "./batch-options.ts";
import { CallStream } from "./call-stream.ts";
import type { Driver } from "./driver.ts";
import { HoldfastError } from "./errors.ts";
import { meetAgain } from "./fallback-calls.ts";
import type { LiveRun } from "./live-run.ts";
import type { Json, Outcome } from "./outcome.ts";
import { resultPayload } from "./payload.ts";
import {
  BATCH_CALLS_MAX,
  type PreparedCall,
  type PrepareWith,
  prepareCall,
  preparedDraw,
  refuseDuplicates,
} from "./prepared-call.ts";
import { checkCalls, checkStreamOptions } from "./stream-options.ts";

/** `run.call`: the outcome was anything but ok. It is in `outcome`. */
export class CallFailedError extends HoldfastError {
  override readonly name: string = "CallFailedError";
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    const how =
      outcome.kind === "error" ? `failed: ${outcome.error.name}: ${outcome.error.message}` : `ended as ${outcome.kind}`;
    const next =
      outcome.kind === "unknown"
        ? "Nobody knows whether it happened: look it up before calling again."
        : "Catch it, or use run.batch to get the outcome as data.";
    super("call-failed", `the call ${outcome.id} of ${outcome.tool} ${how}`, next, {
      details: { id: outcome.id, tool: outcome.tool, kind: outcome.kind },
      ...(outcome.kind === "error" ? { cause: asError(outcome.error) } : {}),
    });
    this.outcome = outcome;
  }
}

function asError(error: {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly data?: Json;
}): Error {
  const made = new Error(error.message);
  made.name = error.name;
  return Object.assign(
    made,
    error.code === undefined ? {} : { code: error.code },
    error.data === undefined ? {} : { data: error.data },
  );
}

/** What a run needs besides its driver. */
export interface RunWith {
  readonly driver: Driver;
  readonly prepare: PrepareWith;
  readonly random: (bytes: number) => Uint8Array;
}

export class ProgramRun implements Run {
  readonly #live: LiveRun;
  readonly #with: RunWith;
  #announcing: Promise<unknown> = Promise.resolve();
  #streams = 0;

  constructor(live: LiveRun, withThese: RunWith) {
    this.#live = live;
    this.#with = withThese;
  }

  get id(): string {
    return this.#live.id;
  }

  get signal(): AbortSignal {
    return this.#live.controller.signal;
  }

  /** Names every call in the order the program makes them, before anything is awaited. */
  #prepare(calls: readonly unknown[], options: CheckedBatch): PreparedCall[] | Promise<PreparedCall[]> {
    if (!Array.isArray(calls))
      throw new HoldfastError("invalid-call", "the calls are not an array", "Give an array of { id?, tool, input }.");
    if (calls.length > BATCH_CALLS_MAX) {
      throw new HoldfastError(
        "invalid-call",
        `a batch of ${calls.length} calls is too large`,
        `At most ${BATCH_CALLS_MAX} calls make a batch.`,
      );
    }
    const firstNumber = this.#live.created;
    this.#live.created += calls.length;
    return this.#prepareAll(calls, options, (i) => `#${firstNumber + i}`);
  }

  #prepareAll(
    calls: readonly unknown[],
    { start, stream }: CheckedBatch,
    nameOf: (index: number) => string,
  ): PreparedCall[] | Promise<PreparedCall[]> {
    const prepared: (PreparedCall | Promise<PreparedCall>)[] = new Array(calls.length);
    let waits = false;
    const { deadline, held, idDigests } = this.#live;
    const here = { start, deadline, held, idDigests, streamed: stream !== 0 };
    for (let i = 0; i < calls.length; i++) {
      const call = prepareCall(calls[i], i, nameOf(i), here, this.#with.prepare);
      if (call instanceof Promise) waits = true;
      prepared[i] = call;
    }
    return waits ? Promise.all(prepared) : (prepared as PreparedCall[]);
  }

  async #submit(calls: readonly unknown[], options: CheckedBatch, announced: boolean): Promise<Outcome[]> {
    const preparing = this.#prepare(calls, options);
    const prepared = preparing instanceof Promise ? await preparing : preparing;
    refuseDuplicates(prepared);
    if (prepared.length === 0) return [];
    const known = this.#live.standIns.size > 0 ? await meetAgain(this.#live, prepared, this.#with.prepare) : [];
    return this.#with.driver.batch(this.#live, prepared, options, announced, known);
  }

  async call(tool: string, input: unknown, options: CallOptions = {}): Promise<any> {
    const outcomes = await this.#submit([{ ...options, tool, input }], PLAIN_BATCH, false);
    const outcome = outcomes[0]!;
    if (outcome.kind !== "ok") throw new CallFailedError(outcome);
    return outcome.value;
  }

  async batch(calls: readonly unknown[], options?: BatchOptions): Promise<any> {
    return this.#submit(calls, checkBatchOptions(options), false);
  }

  stream(calls: any, options?: StreamOptions): AsyncIterableIterator<any, undefined> {
    const { batch, ahead } = checkStreamOptions(options);
    const { driver } = this.#with;
    const live = this.#live;
    // Its name is given now: when the producer comes to its calls is no part of the program.
    const name = `#${live.created++}`;
    const own = { ...batch, stream: ++this.#streams };
    return new CallStream(checkCalls(calls), {
      ahead,
      unfinishedMax: driver.room.ofBatch((batch.tenant ?? live.tenant) !== undefined),
      inOrder: batch.inOrder,
      room: () => driver.room.left,
      onTurn: (listener) => driver.room.onTurn(listener),
      cancel: (callId) => {
        const slot = live.byId.get(callId);
        if (slot !== undefined) driver.cancel(live, slot.ordinal);
        return slot !== undefined;
      },
      signal: this.signal,
      prepare: async (chunk, first) => {
        const prepared = await this.#prepareAll(chunk, own, (i) => `${name}/${first + i}`);
        refuseDuplicates(prepared);
        return prepared;
      },
      make: (prepared, told) => driver.batch(live, prepared, { ...own, inOrder: false, onOutcome: told }, false),
    });
  }

  async announce(calls: readonly unknown[], options?: BatchOptions): Promise<void> {
    const announcing = this.#submit(calls, checkBatchOptions(options), true);
    this.#announcing = Promise.allSettled([this.#announcing, announcing]);
    await announcing;
  }

  async claim(callId: string): Promise<Outcome> {
    if (!this.#live.byId.has(callId)) await this.#announcing;
    const slot = this.#live.byId.get(callId);
    if (slot === undefined || !slot.announced) {
      const why = slot === undefined ? "was announced in" : "waits to be claimed: it was made by a batch of";
      throw new HoldfastError(
        "unknown-call",
        `no call ${JSON.stringify(callId)} ${why} run ${JSON.stringify(this.id)}`,
        "Announce it first: run.announce([{ id, tool, input }]).",
        { details: { callId } },
      );
    }
    return this.#with.driver.claim(this.#live, slot);
  }

  /** A value drawn here once and journaled: the slot settles as it is planned. */
  async #draw(name: string, value: Json): Promise<Json> {
    const call = preparedDraw(name, `#${this.#live.created++}`, resultPayload(value, 1_024), this.#with.prepare);
    const [outcome] = await this.#with.driver.batch(this.#live, [call], PLAIN_BATCH, false);
    if (outcome?.kind !== "ok") throw new Error(`a drawn value ended as ${outcome?.kind}`);
    return outcome.value as Json;
  }

  async now(): Promise<number> {
    return (await this.#draw("now()", this.#with.prepare.wallMs())) as number;
  }

  async random(): Promise<number> {
    const view = new DataView(this.#with.random(8).slice().buffer);
    const fraction = Number(view.getBigUint64(0) >> 11n) / 2 ** 53;
    return (await this.#draw("random()", fraction)) as number;
  }

  async uuid(): Promise<string> {
    const bytes = this.#with.random(16);
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return (await this.#draw(
      "uuid()",
      `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
    )) as string;
  }
}
