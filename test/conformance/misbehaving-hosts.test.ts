// Hosts that keep to no rule: each is told what it did, within a bound, and none of its processes stays.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { HostFault } from "../../conformance/runner/host-fault.ts";
import { HostProcess } from "../../conformance/runner/host-process.ts";
import { suiteOn } from "./suite-on.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-misbehaving-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HELLO = `say({type:"hello",protocol:1,name:"odd",version:"1",levels:["recovery"],capabilities:["reuse"]});`;
const HEAD = `
  const say = (message) => process.stdout.write(JSON.stringify(message) + "\\n");
  const listen = (each) => { let rest = ""; process.stdin.on("data", (bytes) => {
    const lines = (rest + bytes).split("\\n"); rest = lines.pop(); for (const line of lines) each(JSON.parse(line)); }); };
  process.stdin.on("end", () => process.exit(0));`;

/** A host of these words; `on` is what it does with the runner's messages. */
function hostOf(name: string, hello: string, on: string): readonly string[] {
  const path = join(folder, `${name}.cjs`);
  writeFileSync(path, `${HEAD}\n${hello}\nlisten((message) => { ${on} });\n`);
  return [process.execPath, path];
}

async function faultOf(command: readonly string[]): Promise<string> {
  try {
    const { results } = await suiteOn({ command, only: ["recovery/one-fails"], hangMs: 700 });
    expect(results).toHaveLength(1);
    expect(results[0]?.status).toBe("failed");
    return `${results[0]?.fault?.kind}: ${results[0]?.fault?.message}`;
  } catch (error) {
    if (error instanceof HostFault) return `${error.kind}: ${error.message}`;
    throw error;
  }
}

const ONCE_RUN = `if (message.type === "run")`;
const SESSION = "session: message.session";

describe("a host that", () => {
  test.each([
    ["is silent after hello", "", "hung: it was silent for 700 ms while the runner waited for call A"],
    [
      "writes what is no JSON",
      `${ONCE_RUN} process.stdout.write("Traceback!\\n")`,
      "garbage: a line is not JSON: Traceback!",
    ],
    [
      "says what is no message",
      `${ONCE_RUN} say({type:"calls",${SESSION}})`,
      'garbage: a message is not of the protocol: it has no "type" of',
    ],
    [
      "leaves a field out",
      `${ONCE_RUN} say({type:"call",${SESSION},n:1,run:"r",id:"A",tool:"put"})`,
      '$ has no field "input"',
    ],
    [
      "misspells a field",
      `${ONCE_RUN} say({type:"call",${SESSION},n:1,run:"r",id:"A",tool:"put",input:{},atempt:1})`,
      '$ has an unknown field "atempt"',
    ],
    [
      "never ends a line",
      `${ONCE_RUN} process.stdout.write("x".repeat(3 << 20))`,
      "flooded: a line is longer than 1048576 bytes",
    ],
    [
      "nests without end",
      `${ONCE_RUN} process.stdout.write("[".repeat(500_000) + "\\n")`,
      "garbage: a line is nested deeper than 96",
    ],
    [
      "floods",
      `${ONCE_RUN} setInterval(() => { for (let i = 0; i < 5000; i++) say({type:"said",${SESSION},run:"r",value:i}); }, 1)`,
      "flooded: it sent more than 50000 lines in one session",
    ],
    [
      "answers another session",
      `${ONCE_RUN} say({type:"said",session:99999,run:"r",value:1})`,
      "other-session: it answers session 99999",
    ],
    [
      "dies in the middle",
      `${ONCE_RUN} { console.error("out of luck"); process.exit(7) }`,
      "died: it ended with code 7; its standard error: out of luck",
    ],
    [
      "uses a number twice",
      `${ONCE_RUN} for (const id of ["A","B"]) say({type:"call",${SESSION},n:1,run:"r",id,tool:"put",input:{}})`,
      "protocol: it used the number 1 twice",
    ],
    [
      "ends a run that nobody started",
      `${ONCE_RUN} say({type:"returned",${SESSION},run:"x",result:1})`,
      "protocol: it ends the run x, which nobody started",
    ],
    ["says hello twice", `${ONCE_RUN} { ${HELLO} }`, "protocol: it said hello twice"],
  ])("%s", async (name, on, expected) => {
    expect(await faultOf(hostOf(name.replaceAll(" ", "-"), HELLO, on))).toContain(expected);
  });

  test("ends before it says hello", async () => {
    expect(await faultOf(hostOf("no-hello", "process.exit(3)", ""))).toContain(
      "died: it ended with code 3 before it said hello",
    );
  });

  test("says something else before hello", async () => {
    const first = `say({type:"ended",session:1});`;
    expect(await faultOf(hostOf("other-first", first, ""))).toContain(
      "no-hello: its first message is ended, not hello",
    );
  });

  test("is not there", async () => {
    expect(await faultOf([join(folder, "nowhere")])).toContain("no-start");
  });

  test("does not end when it is dismissed", async () => {
    const host = new HostProcess(
      hostOf("stays", `${HELLO} process.stdin.removeAllListeners("end"); setInterval(() => {}, 1000);`, ""),
    );
    await host.greeted(20_000);
    await expect(host.dismiss(300)).rejects.toMatchObject({ kind: "left-over" });
  });
});

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("a process that a host has started goes with it", async () => {
  const note = join(folder, "pid");
  const child = `const { spawn } = require("node:child_process");
    const { pid } = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    require("node:fs").writeFileSync(${JSON.stringify(note)}, String(pid));`;
  const fault = await faultOf(hostOf("parent", `${child} ${HELLO}`, ""));
  expect(fault).toContain("hung");
  const pid = Number(readFileSync(note, "utf8"));
  expect(pid).toBeGreaterThan(1);
  // Killed, though its parent's parent may take a moment to bury it.
  for (let i = 0; i < 100 && lives(pid) && !isZombie(pid); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(lives(pid) && !isZombie(pid)).toBe(false);
});

function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
