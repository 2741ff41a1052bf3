// Who is provably gone, and who only may be.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { isGone, newHolder } from "../../runtime-node/src/lease-holder.ts";

describe("a holder", () => {
  const me = newHolder();

  test("that lives is not gone, and two of one process are two", () => {
    expect(isGone(me)).toBe(false);
    expect(newHolder().id).not.toBe(me.id);
  });

  test("whose process has ended is gone", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    await once(child, "spawn");
    const holder = { ...me, pid: child.pid!, started: "" };
    expect(isGone(holder)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isGone(holder)).toBe(true);
  });

  test.runIf(process.platform === "linux")("whose number is another process's by now is gone", () => {
    expect(isGone({ ...me, started: "1" })).toBe(true);
  });

  test("of another machine, boot or container is not known to be gone", () => {
    expect(isGone({ ...me, pid: 2 ** 22 + 1, machine: `${me.machine} elsewhere` })).toBe(false);
  });
});
