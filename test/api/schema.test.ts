// Inputs that a tool's Standard Schema looks at before the call is made: what does not pass is an outcome of
// its own slot, what is parsed is what the tool gets, and the journal keeps what was given.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { tool } from "../../bindings/js/src/tool.ts";
import { settle } from "../rules/fakes.ts";
import { Stage } from "../rules/stage.ts";

const standard = (validate: (value: unknown) => unknown) => ({ "~standard": { version: 1, vendor: "test", validate } });

async function outcomesOf(
  schema: unknown,
  inputs: readonly unknown[],
): Promise<{ outcomes: any[]; got: unknown[]; stage: Stage }> {
  const stage = new Stage();
  const got: unknown[] = [];
  const checked = tool({ input: schema, run: (input: unknown) => void got.push(input) } as never);
  const state = await stage.begin(stage.host({}, { checked }), (run) =>
    run.batch(inputs.map((input) => ({ tool: "checked", input }))),
  );
  await settle();
  if (state.error !== undefined) throw state.error;
  return { outcomes: state.result as any[], got, stage };
}

describe("a schema", () => {
  test("of zod: what passes is called, what does not says where and why", async () => {
    const schema = z.object({ url: z.url(), tries: z.number().int().max(3) });
    const { outcomes, got } = await outcomesOf(schema, [
      { url: "https://a.example", tries: 1 },
      { url: "nowhere", tries: 9 },
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["ok", "error"]);
    expect(outcomes[1]).toMatchObject({ attempts: 0, error: { code: "invalid-input" } });
    expect(outcomes[1].error.message).toMatch(/does not fit the schema of checked: url: .*; tries: /);
    expect(got).toEqual([{ url: "https://a.example", tries: 1 }]);
  });

  test("hands the tool what it parsed; the journal keeps what was given", async () => {
    const schema = z.object({ day: z.string().transform((day) => new Date(day)), n: z.number().default(7) });
    const { got, stage } = await outcomesOf(schema, [{ day: "2026-01-02" }]);
    expect(got).toEqual([{ day: new Date("2026-01-02"), n: 7 }]);
    const view = await stage.host({}, { checked: stage.tools.look }).runtime.read("r");
    expect(view.slots[0]!.input).toEqual({ day: "2026-01-02" });
  });

  test.each([
    ["at once", (value: unknown) => ({ value })],
    ["later", (value: unknown) => settle().then(() => ({ value }))],
    [
      "with a promise of another library",
      (value: unknown) => ({
        // biome-ignore lint/suspicious/noThenProperty: such a promise is what is tested
        then: (resolve: (result: unknown) => void) => resolve({ value }),
      }),
    ],
  ])("that answers %s", async (_, validate) => {
    const { outcomes, got } = await outcomesOf(standard(validate), [1, 2]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["ok", "ok"]);
    expect([...got].sort()).toEqual([1, 2]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("broken schema");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken schema"))],
    [
      "throws no error",
      () => {
        throw "broken schema";
      },
    ],
  ])("that %s makes an outcome of its own slot, and nothing is called", async (_, validate) => {
    const { outcomes, got } = await outcomesOf(standard(validate), [1]);
    expect(outcomes[0].error).toMatchObject({ code: "invalid-input" });
    expect(outcomes[0].error.message).toContain("broken schema");
    expect(got).toEqual([]);
  });

  test.each([
    ["nothing", () => undefined],
    ["null", () => null],
    ["a string", () => "ok"],
    ["issues that are no list", () => ({ issues: "many" })],
    ["an issue that is none", () => ({ issues: [null] })],
  ])("that answers %s makes an outcome of its own slot", async (_, validate) => {
    const { outcomes, got } = await outcomesOf(standard(validate), [1]);
    expect(outcomes[0]).toMatchObject({ kind: "error", error: { code: "invalid-input" } });
    expect(got).toEqual([]);
  });

  test("whose issues are many is quoted in part", async () => {
    const issues = Array.from({ length: 9 }, (_, i) => ({ message: `issue ${i}`, path: [{ key: "list" }, i] }));
    const { outcomes } = await outcomesOf(
      standard(() => ({ issues })),
      [1],
    );
    expect(outcomes[0].error.message).toContain("list.0: issue 0");
    expect(outcomes[0].error.message).toContain("and 4 more");
  });

  test("cannot change what was recorded", async () => {
    const schema = standard((value: any) => {
      value.tampered = true;
      return { value };
    });
    const { stage } = await outcomesOf(schema, [{ a: 1 }]);
    const view = await stage.host({}, { checked: stage.tools.look }).runtime.read("r");
    expect(view.slots[0]!.input).toEqual({ a: 1 });
  });
});
