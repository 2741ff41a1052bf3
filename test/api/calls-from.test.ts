// The tool calls in the replies of model providers: shapes as they come, shapes that are broken, shapes
// that mean harm. Only how the reply is built is judged here; what a call asks for is its slot's affair.
import { describe, expect, test } from "vitest";
import { HoldfastError } from "../../bindings/js/src/errors.ts";
import { callsFrom } from "../../bindings/js/src/model-calls.ts";
import { settle } from "../rules/fakes.ts";
import { Stage } from "../rules/stage.ts";

const expected = [
  { id: "call_1", tool: "get_weather", input: { city: "Paris" } },
  { id: "call_2", tool: "get_time", input: {} },
];

describe("replies as they come", () => {
  test("OpenAI, chat completions", () => {
    const message = {
      role: "assistant",
      content: null,
      refusal: null,
      tool_calls: [
        { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
        { id: "call_2", type: "function", function: { name: "get_time", arguments: "" } },
      ],
    };
    expect(callsFrom.openai(message)).toEqual(expected);
  });

  test("OpenAI, responses", () => {
    const response = {
      id: "resp_1",
      output: [
        { type: "reasoning", id: "rs_1", summary: [] },
        {
          type: "function_call",
          id: "fc_1",
          call_id: "call_1",
          name: "get_weather",
          arguments: '{"city":"Paris"}',
          status: "completed",
        },
        { type: "message", id: "msg_1", role: "assistant", content: [] },
        { type: "function_call", id: "fc_2", call_id: "call_2", name: "get_time", arguments: "{}" },
      ],
    };
    expect(callsFrom.openai(response)).toEqual(expected);
  });

  test("Anthropic", () => {
    const message = {
      id: "msg_1",
      role: "assistant",
      stop_reason: "tool_use",
      content: [
        { type: "text", text: "Let me look." },
        { type: "tool_use", id: "call_1", name: "get_weather", input: { city: "Paris" } },
        { type: "tool_use", id: "call_2", name: "get_time", input: {} },
      ],
    };
    expect(callsFrom.anthropic(message)).toEqual(expected);
  });

  test.each(["input", "args"])("AI SDK, whose calls carry `%s`", (field) => {
    const toolCalls = [
      { type: "tool-call", toolCallId: "call_1", toolName: "get_weather", [field]: { city: "Paris" } },
      { type: "tool-call", toolCallId: "call_2", toolName: "get_time", [field]: {} },
    ];
    expect(callsFrom.aiSdk({ text: "", toolCalls, finishReason: "tool-calls" })).toEqual(expected);
  });

  test("MCP, with ids of both kinds", () => {
    const requests = [
      {
        jsonrpc: "2.0",
        id: "call_1",
        method: "tools/call",
        params: { name: "get_weather", arguments: { city: "Paris" } },
      },
      { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "get_time" } },
    ];
    expect(callsFrom.mcp(requests)).toEqual([expected[0], { id: "2", tool: "get_time", input: {} }]);
  });

  test.each([
    ["openai", { role: "assistant", content: "Hello." }],
    ["openai", { role: "assistant", tool_calls: null }],
    ["openai", { output: [] }],
    ["anthropic", { content: [{ type: "text", text: "Hello." }] }],
    ["anthropic", { content: [] }],
    ["aiSdk", { text: "Hello.", toolCalls: [] }],
    ["mcp", []],
  ] as const)("%s: a reply without calls has none: %j", (provider, reply) => {
    expect(callsFrom[provider](reply as never)).toEqual([]);
  });

  test("arguments that are no JSON are an invalid input of their own call, and no error of the batch", async () => {
    const stage = new Stage();
    const calls = callsFrom.openai({
      tool_calls: [
        { id: "A", function: { name: "work", arguments: '{"city": "Par' } },
        { id: "B", function: { name: "look", arguments: "{}" } },
      ],
    });
    const tools = {
      ...stage.tools,
      work: stage.worker({
        input: {
          "~standard": {
            version: 1,
            vendor: "t",
            validate: (value: unknown) =>
              typeof value === "object" ? { value } : { issues: [{ message: "not an object" }] },
          },
        },
      }),
    };
    const state = await stage.begin(stage.host({}, tools), (run) => run.batch(calls));
    await settle();
    await stage.end("B", "b");
    expect(state.result).toMatchObject([{ kind: "error", error: { code: "invalid-input" } }, { kind: "ok" }]);
  });
});

describe("replies that are broken", () => {
  const cases: [keyof typeof callsFrom, unknown, string][] = [
    ["openai", null, "message is not an object"],
    ["openai", "reply", "message is not an object"],
    ["openai", [], "message is not an object"],
    ["openai", { tool_calls: {} }, "tool_calls is not an array"],
    ["openai", { tool_calls: [null] }, "tool_calls[0] is not an object"],
    ["openai", { tool_calls: [{ id: "a" }] }, "tool_calls[0].function is not an object"],
    ["openai", { tool_calls: [{ id: 5, function: { name: "f" } }] }, "tool_calls[0].id is not a string"],
    ["openai", { tool_calls: [{ id: "a", function: { name: "" } }] }, "tool_calls[0].function.name is not a string"],
    ["openai", { output: [null] }, "output[0] is not an object"],
    ["openai", { output: [{ type: "function_call", name: "f" }] }, "output[0].call_id is not a string"],
    ["anthropic", undefined, "message is not an object"],
    ["anthropic", { content: "text" }, "content is not an array"],
    ["anthropic", { content: [5] }, "content[0] is not an object"],
    ["anthropic", { content: [{ type: "text" }, { type: "tool_use", name: "f" }] }, "content[1].id is not a string"],
    ["aiSdk", {}, "toolCalls is not an array"],
    ["aiSdk", { toolCalls: Promise.resolve([]) }, "toolCalls is not an array"],
    ["aiSdk", { toolCalls: [{ toolName: "f" }] }, "toolCalls[0].toolCallId is not a string"],
    ["mcp", {}, "requests is not an array"],
    ["mcp", undefined, "requests is not an array"],
    ["mcp", [{ id: 1 }], "[0].params is not an object"],
    ["mcp", [{ params: { name: "f" } }], "[0].id is not a string"],
    ["mcp", [{ id: 1.5, params: { name: "f" } }], "[0].id is not a string"],
  ];
  test.each(cases)("%s: %j: %s", (provider, reply, message) => {
    let error: any;
    try {
      callsFrom[provider](reply as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toMatchObject({ code: "invalid-call" });
    expect(error.message).toContain(`callsFrom.${provider}: ${message}`);
  });
});

describe("replies that mean harm", () => {
  test("a __proto__ in arguments never reaches a prototype, and is refused as an input", async () => {
    const stage = new Stage();
    const calls = callsFrom.openai({
      tool_calls: [{ id: "A", function: { name: "work", arguments: '{"__proto__":{"polluted":1}}' } }],
    });
    const state = await stage.begin(stage.host(), (run) => run.batch(calls));
    expect((state.result as any)[0].error).toMatchObject({ code: "input-not-json" });
    expect(({} as any).polluted).toBeUndefined();
    expect(stage.began).toEqual([]);
  });

  test("tools named like what every object has are unknown tools", async () => {
    const stage = new Stage();
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const calls = callsFrom.anthropic({
      content: names.map((name, i) => ({ type: "tool_use", id: `t${i}`, name, input: {} })),
    });
    const state = await stage.begin(stage.host(), (run) => run.batch(calls));
    expect((state.result as any[]).map(({ error }) => error.code)).toEqual(names.map(() => "unknown-tool"));
  });

  test("one id for two calls is refused before anything starts", async () => {
    const stage = new Stage();
    const block = { type: "tool_use", id: "same", name: "work", input: {} };
    const state = await stage.begin(stage.host(), (run) => run.batch(callsFrom.anthropic({ content: [block, block] })));
    expect(state.error).toMatchObject({ code: "duplicate-call-id" });
    expect(stage.began).toEqual([]);
  });

  test("arguments nested without end are an outcome of their own slot", async () => {
    const stage = new Stage();
    const calls = callsFrom.openai({
      tool_calls: [{ id: "A", function: { name: "work", arguments: `${"[".repeat(5_000)}${"]".repeat(5_000)}` } }],
    });
    const state = await stage.begin(stage.host(), (run) => run.batch(calls));
    expect((state.result as any)[0].error).toMatchObject({ code: "input-not-json" });
  });
});
