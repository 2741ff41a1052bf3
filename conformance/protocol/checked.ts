// One line of the protocol, read and checked: never too long, never too deep, never of another form than
// its schema says. Both sides read with it.
import hostSays from "./host-says.schema.json" with { type: "json" };
import type { HostMessage, RunnerMessage } from "./messages.ts";
import runnerSays from "./runner-says.schema.json" with { type: "json" };
import { type Check, compileSchema } from "./schema.ts";

/** A line may be this long, in bytes, its break not counted. */
export const LINE_BYTES_MAX = 1 << 20;
/** Arrays and objects inside one another. */
export const DEPTH_MAX = 96;
/** A host may send so many lines in one session. */
export const LINES_MAX = 50_000;

/** A line that is no message. */
export class NotAMessage extends Error {}

const SHOWN_MAX = 200;
const excerpt = (line: string): string => (line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX)}…` : line);

/** How deep arrays and objects of a JSON text are nested; looked at before it is parsed. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (quoted) {
      if (character === 0x5c) i++;
      else if (character === 0x22) quoted = false;
    } else if (character === 0x22) quoted = true;
    else if (character === 0x5b || character === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (character === 0x5d || character === 0x7d) depth--;
  }
  return deepest;
}

function read(line: string, check: Check): unknown {
  if (depthOf(line) > DEPTH_MAX) throw new NotAMessage(`a line is nested deeper than ${DEPTH_MAX}: ${excerpt(line)}`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new NotAMessage(`a line is not JSON: ${excerpt(line)}`);
  }
  const wrong = check(value);
  if (wrong === undefined) return value;
  throw new NotAMessage(`a message is not of the protocol: ${wrong}, in ${excerpt(line)}`);
}

const checkHost = byType(hostSays);
const checkRunner = byType(runnerSays);

/** The check of the form that the message says it is, so that what is found is about that form. */
function byType(schema: { readonly $defs: object; readonly oneOf: readonly { readonly $ref: string }[] }): Check {
  const forms = new Map(
    schema.oneOf.map(({ $ref }) => [$ref.slice("#/$defs/".length), compileSchema({ $defs: schema.$defs, $ref })]),
  );
  return (value) => {
    const type = (value as { type?: unknown } | null)?.type;
    const form = typeof type === "string" ? forms.get(type) : undefined;
    return form === undefined ? `it has no "type" of ${[...forms.keys()].join(", ")}` : form(value);
  };
}

/** What a host said. Throws `NotAMessage`. */
export function readHostLine(line: string): HostMessage {
  return read(line, checkHost) as HostMessage;
}

/** What the runner said. Throws `NotAMessage`. */
export function readRunnerLine(line: string): RunnerMessage {
  return read(line, checkRunner) as RunnerMessage;
}

/** A message as a line. Throws `NotAMessage` when it is not one: nobody sends what the other side must refuse. */
export function writeHostLine(message: HostMessage): string {
  return written(message, checkHost);
}

/** The same for the runner's side. */
export function writeRunnerLine(message: RunnerMessage): string {
  return written(message, checkRunner);
}

function written(message: HostMessage | RunnerMessage, check: Check): string {
  const line = JSON.stringify(message);
  const wrong = check(message);
  if (wrong !== undefined) throw new NotAMessage(`a message to be sent is not of the protocol: ${wrong}`);
  if (Buffer.byteLength(line) > LINE_BYTES_MAX)
    throw new NotAMessage(`a message to be sent is longer than ${LINE_BYTES_MAX} bytes`);
  return `${line}\n`;
}
