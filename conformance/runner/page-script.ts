// What the conformance page does: shows what is behind a cell, filters by status and by words, walks with the
// arrow keys, keeps the chosen cell in the address. Text from hosts is only ever set as text.

export const pageScript = `
const data = JSON.parse(document.getElementById("data").textContent);
const aside = document.querySelector("aside");
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const brief = (message) => {
  const { type, session, n, ...rest } = message;
  if (type === "append") return rest.when + " " + rest.entries.map((one) => one.kind + (one.ids ? " " + one.ids.slice(0, 6).join(",") : "")).join(" · ");
  if (type === "call" || type === "ask") return rest.id + " " + rest.tool + (rest.attempt ? " attempt " + rest.attempt : "");
  if (type === "answer") return rest.outcome + " " + JSON.stringify(rest.value ?? rest.error ?? rest.odd ?? null);
  if (type === "go") return rest.fail ? "and fail" : "";
  return JSON.stringify(rest).slice(0, 300);
};
const transcript = (lines) => {
  const box = make("div", "transcript");
  let life = 0;
  for (const line of lines) {
    if (line.life !== life) {
      life = line.life;
      box.append(make("div", "life", "Process " + life));
    }
    const row = make("details", "from-" + line.from);
    const summary = make("summary");
    summary.append(make("span", "ms", line.ms + " ms"));
    summary.append(make("span", "from", line.from === "host" ? "←" : line.from === "runner" ? "→" : "✶"));
    if (line.from === "note") summary.append(make("span", "short", line.text));
    else {
      let message;
      try { message = JSON.parse(line.text); } catch { message = undefined; }
      summary.append(make("span", "type", message?.type ?? "…"), make("span", "short", message ? brief(message) : line.text));
      row.append(make("pre", "", message ? JSON.stringify(message, null, 2) : line.text));
    }
    row.prepend(summary);
    box.append(row);
  }
  return box;
};
const show = (index) => {
  const result = data.results[index];
  if (!result) return;
  for (const cell of document.querySelectorAll("[aria-current]")) cell.removeAttribute("aria-current");
  const cell = document.querySelector('[data-result="' + index + '"]');
  cell?.setAttribute("aria-current", "true");
  const host = data.hosts.find((one) => one.name === result.host);
  const rounds = result.rounds > 1 ? " · " + result.rounds + " rounds" : "";
  aside.replaceChildren(
    make("h2", "", result.id),
    make("p", "meta", result.host + " " + (host?.version ?? "") + " · " + data.words[result.status] + " · " + result.ms + " ms" + rounds + (result.rules.length ? " · rules " + result.rules.join(", ") : "")),
    make("p", "prose", result.prose),
  );
  if (result.reason) aside.append(make("p", "reason", result.reason));
  if (result.fault) aside.append(make("h3", "", "Fault of the host"), make("p", "reason failed", result.fault.kind + ": " + result.fault.message));
  if (result.findings.length) aside.append(make("h3", "", "Expected, and what came"));
  for (const { what, expected, got } of result.findings) {
    const box = make("div", "finding");
    box.append(make("b", "", what), make("div", "expected", expected), make("div", "got", got));
    aside.append(box);
  }
  if (result.transcript.length) aside.append(make("h3", "", "Transcript"), transcript(result.transcript));
  aside.scrollTop = 0;
  history.replaceState(null, "", "#" + encodeURIComponent(result.id + " " + result.host));
};
document.querySelector("table").addEventListener("click", (event) => {
  const cell = event.target.closest("[data-result]");
  if (cell) show(Number(cell.dataset.result));
});
document.querySelector("table").addEventListener("keydown", (event) => {
  const cell = event.target.closest("[data-result]");
  const step = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
  if (!cell || !step) return;
  event.preventDefault();
  const rows = [...document.querySelectorAll("tr[data-statuses]:not([hidden])")];
  const row = cell.closest("tr");
  const column = [...row.cells].indexOf(cell.closest("td"));
  const next = rows[rows.indexOf(row) + step[0]]?.cells[column + step[1]]?.querySelector("[data-result]");
  next?.focus();
  next?.click();
});
const search = document.querySelector("input[type=search]");
const boxes = [...document.querySelectorAll("input[type=checkbox]")];
const filter = () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  let any = false;
  for (const body of document.querySelectorAll("tbody")) {
    let some = false;
    for (const row of body.querySelectorAll("tr[data-statuses]")) {
      const text = row.cells[0].textContent.toLowerCase();
      const rules = [...row.querySelectorAll(".rule")].map((rule) => rule.textContent);
      const fits = words.every((word) => (/^\\d+$/.test(word) ? rules.includes(word) : text.includes(word)));
      row.hidden = !fits || !row.dataset.statuses.split(" ").some((status) => wanted.has(status));
      some ||= !row.hidden;
    }
    body.hidden = !some;
    any ||= some;
  }
  document.querySelector(".none").hidden = any;
};
search.addEventListener("input", filter);
for (const box of boxes) box.addEventListener("change", filter);
const wanted = decodeURIComponent(location.hash.slice(1));
const chosen = data.results.findIndex((result) => result.id + " " + result.host === wanted);
const failed = data.results.findIndex((result) => result.status === "failed" || result.status === "listed-but-passes");
if (chosen !== -1 || failed !== -1) show(chosen === -1 ? failed : chosen);
`;
