// Our own host under the whole suite: nothing fails, and nothing is passed over.
import { expect, test } from "vitest";
import { ourHost, suiteOn, wrong } from "./suite-on.ts";

test("our host passes every scenario in every environment", async () => {
  const { results, hosts } = await suiteOn({ command: ourHost });
  expect(wrong(results)).toEqual([]);
  expect(results.filter(({ status }) => status === "not-covered").map(({ id }) => id)).toEqual([]);
  expect(hosts[0]?.levels).toHaveLength(5);
  // It does die at each append, and there are some.
  expect(results.find(({ id }) => id === "recovery/turn@crash-each")?.rounds).toBeGreaterThan(10);
});
