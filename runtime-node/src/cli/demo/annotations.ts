// What an MCP server says of a tool, as the effect that Holdfast goes by. Pure. A server that says nothing
// is taken at its worst: such a tool is never run twice.
import type { Effect } from "../../../../bindings/js/src/outcome.ts";

/** The annotations of an MCP tool that matter here; all of them are hints and may be absent. */
export interface ToolAnnotations {
  readonly readOnlyHint?: boolean | undefined;
  readonly idempotentHint?: boolean | undefined;
}

/** `readOnlyHint` → read, else `idempotentHint` → idempotent, else once. */
export function effectOf(annotations: ToolAnnotations | undefined): Effect {
  if (annotations?.readOnlyHint === true) return "read";
  return annotations?.idempotentHint === true ? "idempotent" : "once";
}
