// The demo under every Node that the package promises to run on: killed, recovered, every promise kept.
// Each brings its own SQLite, so what one of them wrote down is what it finds again.
import { expect, test } from "vitest";
import { holdfast } from "../cli/command.ts";
import { environmentOf, NODE_MAJORS, nodeBinary } from "./nodes.ts";

test.for(NODE_MAJORS)("Node %i runs the demo and says nothing else", async (major, { skip }) => {
  const node = await nodeBinary(major, skip);
  const { LC_ALL: _, ...env } = environmentOf(node);
  const { code, stdout, stderr } = await holdfast(["demo", "--seed", String(major), "--json"], { node, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({ killed: true, kept: true });
  expect(document.calls).toHaveLength(24);
  expect(document.settledAtKill[0]).toBeGreaterThan(0);
});
