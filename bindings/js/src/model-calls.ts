// The tool calls of a model's reply, as calls: one small pure function per provider. A reply is
// untrusted: what is not of the right shape is refused with its place; what a call asks for is not
// looked at here, so a wrong tool or a wrong input is an outcome of its own slot.
import type { ModelCall } from "./api.ts";
import { HoldfastError } from "./errors.ts";
import type { Json } from "./outcome.ts";

type Fields = Readonly<Record<string, unknown>>;

function refuse(from: string, path: string, expected: string): never {
  throw new HoldfastError(
    "invalid-call",
    `${from}: ${path} is not ${expected}`,
    "Hand over the provider's reply as it came.",
    { details: { path } },
  );
}

function object(from: string, path: string, value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(from, path, "an object");
  return value as Fields;
}

function list(from: string, path: string, value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(from, path, "an array");
}

function text(from: string, path: string, value: unknown): string {
  return typeof value === "string" && value !== "" ? value : refuse(from, path, "a string");
}

/** Arguments come as JSON text from some; text that is none stays as it is, and the tool's schema says what is wrong. */
function parsed(value: unknown): Json {
  if (typeof value !== "string") return (value ?? {}) as Json;
  if (value === "") return {};
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value; // invalid JSON is an invalid input: an outcome of this call, not an error of the batch
  }
}

/** OpenAI: a chat completion's message (`tool_calls`), or a response (`output` items of type `function_call`). */
function openai(reply: unknown): ModelCall[] {
  const from = "callsFrom.openai";
  const message = object(from, "message", reply);
  if (Array.isArray(message.output)) {
    return message.output
      .map((item, i) => [object(from, `output[${i}]`, item), i] as const)
      .filter(([item]) => item.type === "function_call")
      .map(([item, i]) => ({
        id: text(from, `output[${i}].call_id`, item.call_id),
        tool: text(from, `output[${i}].name`, item.name),
        input: parsed(item.arguments),
      }));
  }
  return list(from, "tool_calls", message.tool_calls ?? []).map((item, i) => {
    const call = object(from, `tool_calls[${i}]`, item);
    const called = object(from, `tool_calls[${i}].function`, call.function);
    return {
      id: text(from, `tool_calls[${i}].id`, call.id),
      tool: text(from, `tool_calls[${i}].function.name`, called.name),
      input: parsed(called.arguments),
    };
  });
}

/** Anthropic: a message, whose `content` holds `tool_use` blocks. */
function anthropic(reply: unknown): ModelCall[] {
  const from = "callsFrom.anthropic";
  return list(from, "content", object(from, "message", reply).content)
    .map((block, i) => [object(from, `content[${i}]`, block), i] as const)
    .filter(([block]) => block.type === "tool_use")
    .map(([block, i]) => ({
      id: text(from, `content[${i}].id`, block.id),
      tool: text(from, `content[${i}].name`, block.name),
      input: parsed(block.input),
    }));
}

/** AI SDK: a result of `generateText` or `streamText`, with its `toolCalls`. */
function aiSdk(result: unknown): ModelCall[] {
  const from = "callsFrom.aiSdk";
  return list(from, "toolCalls", object(from, "result", result).toolCalls).map((item, i) => {
    const call = object(from, `toolCalls[${i}]`, item);
    return {
      id: text(from, `toolCalls[${i}].toolCallId`, call.toolCallId),
      tool: text(from, `toolCalls[${i}].toolName`, call.toolName),
      input: parsed("input" in call ? call.input : call.args),
    };
  });
}

/** MCP: `tools/call` requests as a client would send them (`{ id, params: { name, arguments } }`). */
function mcp(requests: unknown): ModelCall[] {
  const from = "callsFrom.mcp";
  return list(from, "requests", requests).map((item, i) => {
    const request = object(from, `[${i}]`, item);
    const params = object(from, `[${i}].params`, request.params);
    const id = Number.isSafeInteger(request.id) ? String(request.id) : text(from, `[${i}].id`, request.id);
    return { id, tool: text(from, `[${i}].params.name`, params.name), input: parsed(params.arguments) };
  });
}

/** The calls in a provider's reply, for `run.batch`. Throws `invalid-call` when it is not such a reply. */
export const callsFrom = { openai, anthropic, aiSdk, mcp } as const;
