// The results as one page that needs nothing else: hosts across, scenarios down, and behind each cell what was
// expected, what came, and the transcript. Whatever a host said is text in it, never markup.
import { pageScript } from "./page-script.ts";
import { pageStyle } from "./page-style.ts";
import { counts, type HostInfo, type ScenarioResult, type Status, type SuiteResult } from "./result.ts";

const MARKS: Readonly<Record<Status, string>> = {
  passed: "✓",
  failed: "✗",
  "not-covered": "–",
  "known-failing": "⚑",
  "listed-but-passes": "!",
  "harness-fault": "⚠",
};

const WORDS: Readonly<Record<Status, string>> = {
  passed: "passed",
  failed: "failed",
  "not-covered": "not covered",
  "known-failing": "known to fail",
  "listed-but-passes": "listed as failing, passes",
  "harness-fault": "fault of the suite",
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);

function duration(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function cell(result: ScenarioResult | undefined, index: number): string {
  if (result === undefined) return "<td></td>";
  const { status, rounds, reason } = result;
  const title = reason ?? `${WORDS[status]} in ${duration(result.ms)}`;
  const more = rounds > 1 ? `<small>×${rounds}</small>` : "";
  const label = `${WORDS[status]}: ${result.id} on ${result.host}`;
  return `<td><button class="cell ${status}" data-result="${index}" title="${escaped(title.slice(0, 300))}" aria-label="${escaped(label)}">${MARKS[status]}${more}</button></td>`;
}

function hostHead(host: HostInfo, results: readonly ScenarioResult[]): string {
  const count = counts(results.filter((result) => result.host === host.name));
  const covered = results.filter((result) => result.host === host.name).length - count["not-covered"];
  const bad = count.failed + count["listed-but-passes"];
  const share = (part: number): string => `${((100 * part) / Math.max(1, covered)).toFixed(2)}%`;
  const verdict =
    bad > 0
      ? `<b class="bad">${bad} failed</b>`
      : covered > 0
        ? `<b class="good">conforms</b>`
        : "<b>nothing covered</b>";
  return `<th scope="col"><span class="host">${escaped(host.name).replace(/[-.]/g, "$&<wbr>")}</span><span class="version">${escaped(host.version)}</span>
<span class="bar" title="${count.passed} of ${covered} covered passed"><i class="passed" style="width:${share(count.passed)}"></i><i class="known-failing" style="width:${share(count["known-failing"])}"></i><i class="failed" style="width:${share(bad)}"></i></span>
<span class="tally">${verdict}<br>${count.passed} of ${covered}${count["not-covered"] > 0 ? `<br>${count["not-covered"]} not covered` : ""}</span></th>`;
}

function rowName(id: string): string {
  const [, name = id] = /^[^/]+\/(.*)$/.exec(id) ?? [];
  const [plain = name, environment] = name.split("@");
  const under = environment === undefined ? "" : `<span class="environment">${escaped(environment)}</span>`;
  return `<span class="name">${escaped(plain.replaceAll("-", " "))}</span>${under}`;
}

function levelRows(level: string, suite: SuiteResult): string {
  const ids = [...new Set(suite.results.filter((one) => one.level === level).map(({ id }) => id))];
  const at = new Map(suite.results.map((result, i) => [`${result.host}\n${result.id}`, [result, i] as const]));
  const rows = ids.map((id) => {
    const own = suite.results.find((result) => result.id === id);
    const rules = own?.rules.map((rule) => `<span class="rule">${rule}</span>`).join("") ?? "";
    const cells = suite.hosts.map(({ name }) => {
      const [result, index] = at.get(`${name}\n${id}`) ?? [undefined, -1];
      return cell(result, index);
    });
    const statuses = suite.results.filter((result) => result.id === id).map(({ status }) => status);
    return `<tr data-statuses="${statuses.join(" ")}"><th scope="row" title="${escaped(own?.prose ?? "")}">${rowName(id)}<span class="rules">${rules}</span></th>${cells.join("")}</tr>`;
  });
  return `<tbody><tr class="level"><th colspan="${suite.hosts.length + 1}">${escaped(level)}<span>${ids.length}</span></th></tr>${rows.join("\n")}</tbody>`;
}

function legend(results: readonly ScenarioResult[]): string {
  const count = counts(results);
  return (Object.keys(MARKS) as Status[])
    .filter((status) => count[status] > 0)
    .map(
      (status) =>
        `<label><input type="checkbox" checked value="${status}"><span class="cell ${status}">${MARKS[status]}</span>${WORDS[status]} <b>${count[status]}</b></label>`,
    )
    .join("");
}

/** One self-contained page. */
export function htmlPage(suite: SuiteResult): string {
  const levels = [...new Set(suite.results.map(({ level }) => level))];
  // Inside a script element only this sequence could end it.
  const data = JSON.stringify({ hosts: suite.hosts, results: suite.results, words: WORDS }).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>Holdfast conformance</title><style>${pageStyle}</style></head>
<body><header><div><h1>Conformance</h1><p>${suite.results.length} results in ${duration(suite.ms)} · seed ${suite.seed} · ${escaped(suite.startedAt.slice(0, 16).replace("T", " "))} UTC</p></div>
<div class="tools"><input type="search" placeholder="Find a scenario or a rule" aria-label="Find a scenario or a rule">${legend(suite.results)}</div></header>
<main><div class="matrix"><table><thead><tr><th class="corner" scope="col">Scenario <span>and the rules it holds</span></th>${suite.hosts.map((host) => hostHead(host, suite.results)).join("")}</tr></thead>
${levels.map((level) => levelRows(level, suite)).join("\n")}</table><p class="none" hidden>Nothing matches.</p></div>
<aside aria-live="polite"><div class="empty"><p>Choose a cell: what was expected, what came, and every message stand here.</p></div></aside></main>
<script type="application/json" id="data">${data}</script><script>${pageScript}</script></body></html>
`;
}
