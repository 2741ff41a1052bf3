// What the demo is made of: the turn that follows from its seed, the effects that servers declare, and the
// questions that its reconcilers put to the disk.
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { effectOf } from "../../runtime-node/src/cli/demo/annotations.ts";
import { findTraces, layFiles } from "../../runtime-node/src/cli/demo/disk.ts";
import {
  type EditInput,
  editVerdict,
  type MoveInput,
  moveVerdict,
} from "../../runtime-node/src/cli/demo/reconcilers.ts";
import { CALLS_MAX, CALLS_MIN, planTurn, type Turn } from "../../runtime-node/src/cli/demo/turn.ts";

describe("a turn", () => {
  test("follows from its seed and count, and another seed makes another", () => {
    expect(planTurn(7, 24)).toEqual(planTurn(7, 24));
    expect(planTurn(7, 24)).not.toEqual(planTurn(8, 24));
  });

  test.each([CALLS_MIN, 24, 60, CALLS_MAX])("of %i calls has every kind of doubt under way from the start", (count) => {
    for (let seed = 0; seed < 50; seed++) {
      const turn = planTurn(seed, count);
      expect(turn.calls).toHaveLength(count);
      expect(new Set(turn.calls.map(({ id }) => id)).size).toBe(count);
      const first = turn.calls.slice(0, turn.lanes).map(({ tool }) => tool);
      for (const tool of ["edit_file", "move_file", "toggle-simulated-logging", "trigger-long-running-operation"])
        expect(first).toContain(tool);
      expect(turn.killAfter).toBeGreaterThan(0);
      // The four slow ones are not among those that settle before the kill.
      expect(turn.killAfter).toBeLessThanOrEqual(count - 4);
    }
  });

  test("touches no file twice, so that what is found on disk is of one call", () => {
    const { calls } = planTurn(1, CALLS_MAX);
    const written = calls.flatMap(({ trace }) =>
      trace === undefined ? [] : trace.kind === "move" ? [trace.source, trace.destination] : [trace.path],
    );
    expect(new Set(written).size).toBe(written.length);
  });
});

test.each([
  [{ readOnlyHint: true, idempotentHint: false }, "read"],
  [{ readOnlyHint: false, idempotentHint: true }, "idempotent"],
  [{ readOnlyHint: false, idempotentHint: false }, "once"],
  [{}, "once"],
  [undefined, "once"],
])("a server's %j is the effect %s", (annotations, effect) => {
  expect(effectOf(annotations)).toBe(effect);
});

describe("asked of the disk", () => {
  let folder: string;
  let turn: Turn;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-turn-"));
    turn = planTurn(1, 24);
    await layFiles(folder, turn);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const callOf = (tool: string) => turn.calls.find((call) => call.tool === tool)!;
  const found = async (id: string) => (await findTraces(folder, turn)).get(id);

  test("an edit: not done, done, and what nobody can tell", async () => {
    const call = callOf("edit_file");
    const input = call.input as unknown as EditInput;
    const path = join(folder, input.path);
    const { oldText, newText } = input.edits[0]!;
    const before = await readFile(path, "utf8");
    expect(await editVerdict(folder, input)).toEqual({ kind: "not-done" });
    expect(await found(call.id)).toBe("absent");

    await writeFile(
      path,
      before.replace(oldText, () => newText),
    );
    expect(await editVerdict(folder, input)).toMatchObject({ kind: "done" });
    expect(await found(call.id)).toBe("once");

    await writeFile(
      path,
      before.replace(oldText, () => newText).replace(oldText, () => newText),
    );
    expect(await editVerdict(folder, input)).toEqual({ kind: "unknown" });
    expect(await found(call.id)).toBe("twice");

    await writeFile(path, before.slice(0, 10));
    expect(await editVerdict(folder, input)).toEqual({ kind: "unknown" });
    expect(await found(call.id)).toBe("damaged");

    await rm(path);
    expect(await editVerdict(folder, input)).toEqual({ kind: "unknown" });
  });

  test("a move: not done, done, and what nobody can tell", async () => {
    const call = callOf("move_file");
    const input = call.input as unknown as MoveInput;
    const [source, destination] = [join(folder, input.source), join(folder, input.destination)];
    const content = await readFile(source, "utf8");
    expect(await moveVerdict(folder, input)).toEqual({ kind: "not-done" });
    expect(await found(call.id)).toBe("absent");

    await rename(source, destination);
    expect(await moveVerdict(folder, input)).toMatchObject({ kind: "done" });
    expect(await found(call.id)).toBe("once");

    await writeFile(source, content);
    expect(await moveVerdict(folder, input)).toEqual({ kind: "unknown" });
    expect(await found(call.id)).toBe("twice");

    await rm(source);
    await writeFile(destination, content.slice(1));
    expect(await moveVerdict(folder, input)).toEqual({ kind: "unknown" });
    expect(await found(call.id)).toBe("damaged");
  });

  test("a write: absent, whole, half", async () => {
    const call = callOf("write_file");
    const { path, content } = call.input as unknown as { path: string; content: string };
    expect(await found(call.id)).toBe("absent");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, path), content);
    expect(await found(call.id)).toBe("once");
    await writeFile(join(folder, path), content.slice(0, 100));
    expect(await found(call.id)).toBe("damaged");
  });
});
