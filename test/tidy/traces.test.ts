// Nothing undone and nothing of one machine is left in the repository, and the search for it can find.
import { expect, test } from "vitest";
import { places, undone } from "./traces.ts";
import { repositoryFiles } from "./tree.ts";

const files = repositoryFiles();
const file = (text: string) => [{ path: "a.ts", text }];
// Written in parts, so that this file passes its own gate.
const home = ["", "home", "ada", "holdfast"].join("/");

test("no work is left undone in the text", () => {
  expect(undone(files)).toEqual([]);
});

test.each(["TO" + "DO: finish", "// FIX" + "ME", "XX" + "X"])("%j is found", (text) => {
  expect(undone(file(`line\n${text}`))).toEqual([expect.stringMatching(/^a\.ts:2 /)]);
});

test("no file names a place of one machine or network", () => {
  expect(places(files)).toEqual([]);
});

test.each([
  `const path = "${home}";`,
  ["https://regis", "try.npmjs.org/zod"].join(""),
  `"resol${"ved"}": "file:a.tgz"`,
])("%j is found", (text) => {
  expect(places(file(text)).length).toBeGreaterThan(0);
});

test("relative paths and addresses of documents are no such places", () => {
  expect(places(file(`"./work/a" "examples/home/b" "https://example.org/home/ada"`))).toEqual([]);
});
