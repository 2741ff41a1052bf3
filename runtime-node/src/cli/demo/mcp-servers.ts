// The MCP reference servers as child processes over stdio: found, started, called, ended. They are not
// dependencies of the package, so their absence is said clearly. It knows nothing of Holdfast's tools.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { HoldfastError } from "../../../../bindings/js/src/errors.ts";
import type { ToolAnnotations } from "./annotations.ts";
import type { Input } from "./turn.ts";

const PACKAGES = [
  "@modelcontextprotocol/sdk",
  "@modelcontextprotocol/server-filesystem",
  "@modelcontextprotocol/server-everything",
] as const;
/** A server answers within this time or not at all, ms. */
const ANSWER_MS_MAX = 60_000;

export interface ServerTool {
  readonly name: string;
  readonly annotations: ToolAnnotations | undefined;
  /** Names of its arguments. */
  readonly takes: readonly string[];
}

export interface CallWith {
  readonly signal: AbortSignal;
  readonly onProgress: (part: number) => void;
}

export interface Server {
  readonly tools: readonly ServerTool[];
  /** The text that the tool answers. Throws what it reports as an error. */
  call(tool: string, input: Input, by: CallWith): Promise<string>;
  close(): Promise<void>;
}

/** Folder of an installed package, looked for where Node would; undefined if it is not there. */
function folderOf(name: string): string | undefined {
  const bases = createRequire(import.meta.url).resolve.paths(name) ?? [];
  return bases.map((base) => join(base, name)).find((folder) => existsSync(join(folder, "package.json")));
}

/** Throws, naming what to install, unless the servers and the SDK are there. */
export function needServers(): void {
  const missing = PACKAGES.filter((name) => folderOf(name) === undefined);
  if (missing.length === 0) return;
  const what = `the demo calls real tools, and these packages that bring them are not installed: ${missing.join(", ")}`;
  throw new HoldfastError("invalid-option", what, `Install them beside holdfast: npm install ${missing.join(" ")}`, {
    details: { missing },
  });
}

/** By a name that a bundler does not follow: the SDK must not end up inside the package. */
function load<Module>(file: string): Promise<Module> {
  return import(pathToFileURL(join(folderOf(PACKAGES[0])!, "dist/esm/client", file)).href) as Promise<Module>;
}

async function start(name: string, args: readonly string[]): Promise<Server> {
  const sdk = await load<typeof import("@modelcontextprotocol/sdk/client/index.js")>("index.js");
  const stdio = await load<typeof import("@modelcontextprotocol/sdk/client/stdio.js")>("stdio.js");
  const program = join(folderOf(name)!, "dist/index.js");
  const transport = new stdio.StdioClientTransport({
    command: process.execPath,
    args: [program, ...args],
    stderr: "ignore",
  });
  const client = new sdk.Client({ name: "holdfast-demo", version: "1.0.0" });
  await client.connect(transport, { timeout: ANSWER_MS_MAX });
  const { tools } = await client.listTools(undefined, { timeout: ANSWER_MS_MAX });
  return {
    tools: tools.map((tool) => ({
      name: tool.name,
      annotations: tool.annotations,
      takes: Object.keys(tool.inputSchema.properties ?? {}),
    })),
    call: (tool, input, by) => callTool(client, tool, input, by),
    close: () => close(client, transport),
  };
}

async function callTool(client: Client, name: string, input: Input, { signal, onProgress }: CallWith): Promise<string> {
  const options = {
    signal,
    timeout: ANSWER_MS_MAX,
    onprogress: (report: { progress: number; total?: number | undefined }): void =>
      onProgress(report.progress / (report.total ?? 1)),
  };
  const answer = await client.callTool({ name, arguments: { ...input } }, undefined, options);
  const content = answer.content as readonly { readonly type: string; readonly text?: string }[];
  const text = content.flatMap((part) => (part.type === "text" ? [part.text ?? ""] : [])).join("\n");
  // MCP reports a failed tool as a result; here it is what it is.
  if (answer.isError === true) throw new Error(text === "" ? `${name} failed` : text);
  return text;
}

/** A server that is asked politely takes up to two seconds; it holds nothing that a signal could lose. */
async function close(client: Client, transport: StdioClientTransport): Promise<void> {
  if (transport.pid !== null) process.kill(transport.pid, "SIGTERM");
  await client.close();
}

/** Starts both servers; the one for files sees this folder and nothing else. */
export async function startServers(folder: string): Promise<readonly Server[]> {
  needServers();
  return Promise.all([start(PACKAGES[1], [folder]), start(PACKAGES[2], ["stdio"])]);
}
