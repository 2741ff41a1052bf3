// How the conformance page looks: light and dark, one column of detail beside the matrix, nothing fetched.

export const pageStyle = `
:root{color-scheme:light dark;--bg:#f7f8fa;--card:#fff;--ink:#1c2330;--soft:#667085;--line:#e4e7ec;--hover:#f2f4f7;
--good:#067647;--good-bg:#dcfae6;--bad:#b42318;--bad-bg:#fee4e2;--known:#b54708;--known-bg:#fef0c7;--none:#98a2b3;--accent:#3538cd;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--card:#151b23;--ink:#e6e9ef;--soft:#8b95a5;--line:#262d38;--hover:#1c2430;
--good:#4ade80;--good-bg:#0f2e1d;--bad:#ff8a80;--bad-bg:#3d1513;--known:#fbbf4d;--known-bg:#3a2a0b;--none:#566072;--accent:#9aa5ff}}
*{box-sizing:border-box}
html{height:100%}
body{margin:0;height:100%;display:flex;flex-direction:column;background:var(--bg);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
header{display:flex;flex-wrap:wrap;gap:12px 32px;align-items:center;justify-content:space-between;padding:18px 28px;border-bottom:1px solid var(--line);background:var(--card)}
h1{margin:0;font-size:20px;letter-spacing:-.01em}
header p{margin:2px 0 0;color:var(--soft);font-size:13px;font-variant-numeric:tabular-nums}
.tools{display:flex;flex-wrap:wrap;gap:8px 18px;align-items:center}
.tools label{display:inline-flex;gap:7px;align-items:center;color:var(--soft);cursor:pointer;font-size:13px;user-select:none}
.tools label b{color:var(--ink);font-variant-numeric:tabular-nums}
.tools label:has(input:not(:checked)){opacity:.45}
.tools input[type=checkbox]{position:absolute;opacity:0}
.tools label:has(:focus-visible){outline:2px solid var(--accent);outline-offset:3px;border-radius:4px}
input[type=search]{width:250px;padding:8px 12px;border:1px solid var(--line);border-radius:8px;background:var(--bg);color:inherit;font:inherit}
input[type=search]:focus{outline:2px solid var(--accent);outline-offset:-1px}
main{flex:1;min-height:0;display:grid;grid-template-columns:minmax(420px,11fr) minmax(380px,9fr)}
.matrix{overflow:auto;padding:0 28px 40px}
table{border-collapse:separate;border-spacing:0;width:100%}
thead th{position:sticky;top:0;z-index:2;background:var(--bg);padding:16px 12px 12px;text-align:center;vertical-align:bottom;font-weight:400;border-bottom:1px solid var(--line);min-width:112px}
thead .corner{text-align:left;padding-left:0;font-weight:600;min-width:300px}
.corner span{color:var(--soft);font-weight:400;margin-left:6px}
.host{display:block;font-weight:600;line-height:1.25;margin-bottom:2px}
.version{display:block;color:var(--soft);font:12px var(--mono)}
.bar{display:flex;height:6px;margin:8px auto 6px;width:88px;border-radius:3px;overflow:hidden;background:var(--line)}
.bar i.passed{background:#17b26a}.bar i.failed{background:#f04438}.bar i.known-failing{background:#f79009}
.tally{display:block;font-size:12px;line-height:1.4;color:var(--soft);font-variant-numeric:tabular-nums}
.good{color:var(--good)}.bad{color:var(--bad)}
tr.level th{padding:26px 0 8px;text-align:left;font-size:12px;letter-spacing:.08em;text-transform:uppercase;color:var(--soft);border-bottom:1px solid var(--line)}
tr.level span{margin-left:8px;font-weight:400;opacity:.75}
tbody tr:not(.level):hover>*{background:var(--hover)}
tbody th[scope=row]{text-align:left;font-weight:400;padding:5px 10px 5px 0;border-bottom:1px solid var(--line)}
.name{display:inline-block}
.environment{margin-left:8px;padding:1px 7px;border-radius:9px;background:var(--hover);color:var(--soft);font-size:11.5px;white-space:nowrap}
tr:hover .environment{background:var(--line)}
.rules{float:right;margin-left:12px}
.rule{display:inline-block;margin-left:4px;color:var(--soft);font:11px/20px var(--mono)}
.rule::before{content:"§";opacity:.5}
td{text-align:center;padding:3px;border-bottom:1px solid var(--line)}
.cell{display:inline-flex;align-items:center;justify-content:center;gap:3px;min-width:30px;height:24px;padding:0 7px;border:0;border-radius:7px;background:none;color:var(--none);font:600 13px system-ui,sans-serif}
button.cell{cursor:pointer}
button.cell:hover{box-shadow:0 0 0 1.5px currentColor}
button.cell:focus-visible,button.cell[aria-current]{outline:2px solid var(--accent);outline-offset:1px}
.cell small{font:10.5px var(--mono);opacity:.8}
.cell.passed{color:var(--good);background:var(--good-bg)}
.cell.failed,.cell.listed-but-passes{color:var(--bad);background:var(--bad-bg)}
.cell.known-failing,.cell.harness-fault{color:var(--known);background:var(--known-bg)}
aside{overflow:auto;border-left:1px solid var(--line);background:var(--card);padding:24px 28px 60px}
aside h2{margin:0 0 2px;font-size:17px;overflow-wrap:anywhere}
aside .meta{color:var(--soft);font-size:13px;margin:0 0 14px}
aside .prose{white-space:pre-line;margin:0 0 18px;max-width:68ch}
aside h3{margin:22px 0 8px;font-size:12px;letter-spacing:.07em;text-transform:uppercase;color:var(--soft)}
.empty{height:100%;display:grid;place-items:center;color:var(--soft);text-align:center}
.empty p{max-width:34ch}
.reason{padding:10px 14px;border-radius:8px;background:var(--hover);white-space:pre-wrap;overflow-wrap:anywhere}
.reason.failed{background:var(--bad-bg);color:var(--bad)}
.finding{margin:0 0 10px;border:1px solid var(--line);border-radius:9px;overflow:hidden;font:12.5px/1.55 var(--mono)}
.finding b{display:block;padding:7px 12px;background:var(--hover);font:600 13px system-ui,sans-serif}
.finding div{display:flex;padding:5px 12px;overflow-wrap:anywhere;white-space:pre-wrap}
.finding div::before{flex:none;width:76px;font:600 12px/1.6 system-ui,sans-serif;opacity:.75}
.finding .expected{background:var(--good-bg);color:var(--good)}.finding .expected::before{content:"expected"}
.finding .got{background:var(--bad-bg);color:var(--bad)}.finding .got::before{content:"got"}
.transcript{font:12px/1.6 var(--mono);border:1px solid var(--line);border-radius:9px;overflow:hidden}
.transcript .life{padding:5px 12px;background:var(--hover);font:600 12px system-ui,sans-serif;color:var(--soft)}
.transcript details{border-top:1px solid var(--line)}
.transcript summary{display:grid;grid-template-columns:52px 20px 74px 1fr;gap:6px;padding:2px 12px;cursor:pointer;list-style:none}
.transcript summary::-webkit-details-marker{display:none}
.transcript summary:hover{background:var(--hover)}
.transcript .ms{color:var(--none);text-align:right;font-variant-numeric:tabular-nums}
.transcript .from{text-align:center;color:var(--soft)}
.transcript .type{color:var(--accent)}
.transcript .from-runner .type{color:var(--soft)}
.transcript .short{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;color:var(--ink)}
.transcript .from-note{background:var(--known-bg);color:var(--known)}
.transcript .from-note summary{grid-template-columns:52px 20px 1fr}
.transcript pre{margin:0;padding:8px 12px 10px 96px;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--bg)}
.none{color:var(--soft);padding:40px 0;text-align:center}
@media(max-width:980px){main{display:block;overflow:auto}.matrix,aside{overflow:visible;padding-left:16px;padding-right:16px}aside{border-left:0;border-top:1px solid var(--line)}}
@media print{main{display:block}.matrix,aside{overflow:visible}.tools{display:none}}
`;
