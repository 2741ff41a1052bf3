// Names, openings, lengths and READMEs of this repository's files; each gate is shown to fail as well.
import { expect, test } from "vitest";
import { emptyNames, FILE_LINES_MAX, README_LINES_MAX, tooLong, unexplained, unopened } from "./forms.ts";
import { repositoryFiles } from "./tree.ts";

const files = repositoryFiles();
const opening = "// Says what it is for.\n";

test("no file or folder has an empty name", () => {
  expect(emptyNames(files)).toEqual([]);
});

test.each(["a/utils.ts", "helpers/a.ts", "lease-manager.ts", "src/common.test.ts"])("%s is an empty name", (path) => {
  expect(emptyNames([{ path, text: opening }])).toHaveLength(1);
});

test("every file opens with what it is for", () => {
  expect(unopened(files)).toEqual([]);
});

test.each([
  "",
  `import a from "a";\n`,
  "#!/usr/bin/env node\nrun();\n",
  "//\n",
  "// @ts-check\n",
  "// biome-ignore lint: why not so\n",
])("%j does not open with what it is for", (text) => {
  expect(unopened([{ path: "a.ts", text }])).toHaveLength(1);
});

test("a shebang may come before the opening", () => {
  expect(unopened([{ path: "a.mjs", text: `#!/usr/bin/env node\n${opening}` }])).toEqual([]);
});

test(`no file is longer than ${FILE_LINES_MAX} lines, no README than ${README_LINES_MAX}`, () => {
  expect(tooLong(files)).toEqual([]);
});

test("one line too many is found", () => {
  const lines = (count: number) => opening.repeat(count);
  expect(tooLong([{ path: "a.ts", text: lines(FILE_LINES_MAX) }])).toEqual([]);
  expect(tooLong([{ path: "a.ts", text: lines(FILE_LINES_MAX + 1) }])).toHaveLength(1);
  expect(tooLong([{ path: "a/README.md", text: lines(README_LINES_MAX + 1) }])).toHaveLength(1);
});

test("every folder with source has a README", () => {
  expect(unexplained(files)).toEqual([]);
});

test("a folder without a README is found; the one above src is enough", () => {
  const source = { path: "a/src/b.ts", text: opening };
  expect(unexplained([source])).toEqual(["a/README.md is missing"]);
  expect(unexplained([source, { path: "a/README.md", text: "# a\n" }])).toEqual([]);
  expect(
    unexplained([
      { path: "a/b/c.ts", text: opening },
      { path: "a/README.md", text: "# a\n" },
    ]),
  ).toHaveLength(1);
});
