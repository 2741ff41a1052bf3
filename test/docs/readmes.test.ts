// What the READMEs say is true: examples check and run, scripts and links exist. Fails when one breaks.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repositoryFiles, root } from "../tidy/tree.ts";
import { type Block, blocksOf, deadLinks, unknownMarks, unknownScripts } from "./blocks.ts";
import { syntaxErrors, tryExample } from "./example.ts";

const documents = repositoryFiles().filter(({ path }) => path.endsWith(".md"));
const blocks = documents.flatMap(blocksOf);
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const code = blocks.filter(({ language }) => ["ts", "js"].includes(language));
const marked = code.filter(({ mark }) => mark !== "");
const title = (block: Block): string => `${block.path}:${block.line}`;

/** A block made up for a test. */
const block = (language: string, mark: string, text: string): Block => ({
  path: "a.md",
  line: 1,
  language,
  mark,
  text,
});

/** What the README says that an example prints: the block `text printed` next after it. */
function promised(example: Block): string | undefined {
  const next = blocks[blocks.indexOf(example) + 1];
  return next?.path === example.path && next.mark === "printed" ? next.text : undefined;
}

describe("dx.docs_run: examples", () => {
  test("the first README has one that runs", () => {
    expect(marked.filter(({ path, mark }) => path === "README.md" && mark === "runnable").length).toBeGreaterThan(0);
  });

  test.each(marked.map((example) => [title(example), example] as const))(
    "%s does what it says",
    async (_at, example) => {
      const { problems, stdout } = await tryExample(example);
      expect(problems).toEqual([]);
      const output = promised(example);
      if (output !== undefined) expect(stdout.trim()).toBe(output.trim());
    },
  );

  test("every other one reads as code", () => {
    const broken = code
      .filter(({ mark }) => mark === "")
      .flatMap((example) => syntaxErrors(example).map(() => title(example)));
    expect(broken).toEqual([]);
  });

  test("a type that is wrong, a throw and a slip in the syntax are found", async () => {
    const wrong = await tryExample(block("ts", "checked", `import { tool } from "holdfast"; tool(1);`));
    expect(wrong.problems).toHaveLength(1);
    const thrown = await tryExample(block("ts", "runnable", `throw new Error("not so");`));
    expect(thrown.problems.join()).toContain("not so");
    expect(syntaxErrors(block("ts", "", "const = 1;"))).not.toEqual([]);
  });

  test("what an example prints is heard", async () => {
    expect(await tryExample(block("ts", "runnable", `console.log("heard" as string);`))).toEqual({
      problems: [],
      stdout: "heard\n",
    });
  });
});

describe("the rest", () => {
  test("every mark is one that is tested", () => {
    expect(unknownMarks(blocks)).toEqual([]);
    expect(unknownMarks([block("ts", "runable", "")])).toHaveLength(1);
  });

  test("every npm script that is named is there", () => {
    expect(unknownScripts(blocks, scripts)).toEqual([]);
    expect(unknownScripts([block("sh", "", "npm ci && npm run nothing")], scripts)).toHaveLength(1);
  });

  test("every link into the repository leads somewhere", () => {
    const isThere = (path: string) => existsSync(join(root, path));
    expect(documents.flatMap((document) => deadLinks(document, isThere))).toEqual([]);
    const dead = {
      path: "test/README.md",
      text: "[here](README.md) [there](../nowhere.md) [out](https://example.org)\n",
    };
    expect(deadLinks(dead, isThere)).toHaveLength(1);
  });

  test("blocks are found wherever they stand, with their place", () => {
    const text =
      "# A\n\n```ts runnable\nrun();\n```\n\n1. step\n   ```sh\n   npm test\n   ```\n````md\n```ts\n```\n````\n";
    expect(blocksOf({ path: "a.md", text })).toEqual([
      { path: "a.md", line: 3, language: "ts", mark: "runnable", text: "run();\n" },
      { path: "a.md", line: 8, language: "sh", mark: "", text: "npm test\n" },
      { path: "a.md", line: 11, language: "md", mark: "", text: "```ts\n```\n" },
    ]);
  });
});
