"""How the page looks: light and dark, on paper, on a phone; blue lifts, orange lowers."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f7f6f2; --card: #ffffff; --ink: #22282e; --soft: #5b646c; --faint: #d9d8d1;
  --grid: #ebeae4; --lift: #1f6f9f; --lower: #c2601c; --band: #1f6f9f; --rival: #6d5a85;
  --count: #c9ced0; --yes: #1e7045; --no: #b03a1e; --tint: #eef3f5; --shadow: 0 1px 2px #0000000d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15191c; --card: #1d2226; --ink: #e4e6e3; --soft: #a0a8ac; --faint: #3a4146;
    --grid: #2b3136; --lift: #68b3dd; --lower: #ee9a5c; --band: #68b3dd; --rival: #b9a5d3;
    --count: #4a5358; --yes: #74c79a; --no: #f0907a; --tint: #232b30; --shadow: none;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink); line-height: 1.6; font-size: 16px;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei",
    "Noto Sans CJK SC", "Noto Sans SC", sans-serif;
  overflow-wrap: break-word;
}
main, header, footer, nav { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 44px; }
.eyebrow { margin: 0; color: var(--soft); font-size: 14px; letter-spacing: .04em; }
h1 { margin: 4px 0 6px; font-size: 32px; line-height: 1.25; font-weight: 650; text-wrap: balance; }
h2 { margin: 0 0 6px; font-size: 22px; line-height: 1.35; font-weight: 650; }
h3 { margin: 0; font-size: 16.5px; line-height: 1.4; font-weight: 620; }
p { margin: 0 0 12px; max-width: 46em; }
code, .version { font-family: ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; }
.version { color: var(--soft); font-size: 14px; overflow-wrap: anywhere; }
code { font-size: 13px; overflow-wrap: anywhere; }
.note { color: var(--soft); font-size: 14.5px; }
nav { padding-top: 14px; font-size: 14.5px; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0; padding: 10px 0;
  list-style: none;
  border-top: 1px solid var(--faint); border-bottom: 1px solid var(--faint); }
a { color: var(--lift); text-underline-offset: 3px; }
nav a { text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--lift); outline-offset: 2px; border-radius: 3px; }
section { margin: 44px 0 0; scroll-margin-top: 12px; }
footer { padding-top: 36px; padding-bottom: 48px; color: var(--soft); font-size: 14px; }
.chip { display: inline-block; padding: 1px 9px; border: 1px solid var(--faint);
  border-radius: 99px;
  color: var(--soft); font-size: 13px; line-height: 1.55; white-space: nowrap; }
.chip.yes { color: var(--yes); border-color: currentColor; font-weight: 600; }
.chip.no { color: var(--no); border-color: currentColor; font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px;
  margin: 22px 0 0; }
.tile, .box { background: var(--card); border: 1px solid var(--faint); border-radius: 10px;
  box-shadow: var(--shadow); }
.tile { padding: 14px 18px 13px; }
.tile b { display: block; font-size: 28px; line-height: 1.25; font-weight: 620;
  font-variant-numeric: tabular-nums; }
.tile span { display: block; color: var(--soft); font-size: 14px; line-height: 1.45; }
.box { padding: 18px 20px; margin-top: 14px; }
dl { margin: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr));
  gap: 12px 28px; }
dt { color: var(--soft); font-size: 13.5px; }
dt::first-letter, .sheet thead th::first-letter { text-transform: uppercase; }
dd { margin: 0; overflow-wrap: anywhere; }
.gates { list-style: none; margin: -9px 0; padding: 0; }
.gates li { display: grid; grid-template-columns: 6em 1fr; justify-items: start; gap: 12px;
  padding: 9px 0; border-top: 1px solid var(--grid); align-items: baseline; }
.gates li:first-child { border-top: 0; }
.sheet { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14.5px;
  font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: 6px 14px 6px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--grid); }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-weight: 500; font-size: 13.5px;
  border-bottom-color: var(--faint);
  vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody tr:last-child > * { border-bottom: 0; }
.number { text-align: right; white-space: nowrap; }
.measures td, .measures th { vertical-align: middle; white-space: nowrap; }
.measures tbody th { min-width: 15em; white-space: normal; }
.says { display: block; color: var(--soft); font-size: 13.5px; font-weight: 400;
  line-height: 1.4; }
.interval { display: block; color: var(--soft); font-size: 13px; line-height: 1.3;
  white-space: nowrap; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 14px; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(440px, 100%), 1fr));
  gap: 14px; margin-top: 14px; }
.cards:has(details[open]) { align-items: start; }
.cards .box { margin: 0; display: flex; flex-direction: column; scroll-margin-top: 12px; }
.cards .box:target { border-color: var(--lift); }
.meta { display: flex; flex-wrap: wrap; gap: 4px 10px; margin: 3px 0 8px; color: var(--soft);
  font-size: 13.5px; }
.meta span + span::before { content: "·"; margin-right: 10px; }
.why { margin: 6px 0 0; color: var(--soft); font-size: 14px; }
.scroll { overflow-x: auto; }
details { margin-top: 8px; }
summary { cursor: pointer; color: var(--lift); font-size: 14px; width: fit-content; }
details > .sheet { margin-top: 6px; }
.key { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 4px 0 8px; color: var(--soft);
  font-size: 14px; }
.key span { display: inline-flex; align-items: center; gap: 7px; }
svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.key svg, .measures svg { margin: 0; flex: none; }
.measures svg { max-width: none; }
svg text { fill: var(--ink); font-size: 12px; font-family: inherit;
  font-variant-numeric: tabular-nums; }
svg .tick, svg .faint { fill: var(--soft); font-size: 11.5px; }
svg .axis { fill: var(--soft); font-size: 12.5px; }
svg .value { font-weight: 600; }
.grid { stroke: var(--grid); }
.zero { stroke: var(--soft); stroke-opacity: .75; }
.divide { stroke: var(--faint); stroke-dasharray: 3 3; }
.diagonal { stroke: var(--soft); stroke-dasharray: 5 4; stroke-opacity: .7; }
.steps { fill: none; stroke: var(--lift); stroke-width: 2; stroke-linejoin: round; }
.band { fill: var(--band); fill-opacity: .16; }
.count { fill: var(--count); }
.lifts { fill: var(--lift); }
.lowers { fill: var(--lower); }
.touch { fill: transparent; }
.touch:hover { fill: var(--ink); fill-opacity: .07; }
.whisker { fill: none; stroke: var(--lift); stroke-width: 1.4; }
.whisker.champion { stroke: var(--rival); }
.whisker.over { stroke: var(--ink); stroke-opacity: .75; stroke-width: 1.2; }
.mark { fill: var(--lift); stroke: var(--card); stroke-width: 1; }
.mark.champion { fill: var(--card); stroke: var(--rival); stroke-width: 1.6; }
.path { fill: none; stroke: var(--lift); stroke-width: 1.6; }
.path.champion { stroke: var(--rival); stroke-dasharray: 1.5 3; stroke-linecap: round; }
.reach svg { width: 100%; height: 18px; min-width: 90px; }
.reach td, .reach th { padding-top: 2px; padding-bottom: 2px; vertical-align: middle; }
.reach .zero { vector-effect: non-scaling-stroke; }
.reach td:nth-child(3) { width: 50%; }
.ladder table { table-layout: fixed; }
.ladder thead th:first-child { width: 22%; }
.reach td:nth-child(3), .reach thead th:nth-child(3) { text-align: center; }
.reach td:nth-child(4), .reach thead th:nth-child(4) { text-align: left; }
.reach tbody a { color: inherit; text-decoration-color: var(--faint); }
@media (max-width: 560px) {
  header { padding-top: 28px; }
  h1 { font-size: 26px; }
  main, header, footer, nav { padding-left: 14px; padding-right: 14px; }
  .box { padding: 14px; }
  .reach svg { min-width: 64px; }
  .reach td:nth-child(3) { width: 26%; }
  .ladder table { table-layout: auto; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444;
  --faint: #bbb;
    --grid: #ddd; --lift: #1f6f9f; --lower: #c2601c; --band: #1f6f9f; --rival: #6d5a85;
    --count: #c9ced0; --yes: #1e7045; --no: #b03a1e; --shadow: none; }
  body { font-size: 10.5pt; }
  main, header, footer, nav { max-width: none; padding-left: 0; padding-right: 0; }
  nav { display: none; }
  summary { display: block; color: var(--soft); break-after: avoid; }
  details::details-content { content-visibility: visible; display: block; }
  section { margin-top: 24pt; }
  h2, h3, .note, .meta { break-after: avoid; }
  .tile, svg, tr, .gates li { break-inside: avoid; }
  .cards { display: block; columns: 2; column-gap: 14pt; }
  .cards .box { margin-bottom: 12pt; }
  .sheet, .scroll { overflow: visible; }
  .pair { display: block; }
  .pair svg { width: 60%; }
  table { font-size: 8.5pt; }
  .says, .interval, thead th, code { font-size: 8pt; }
  th, td { padding-top: 2pt; padding-bottom: 2pt; }
  a { color: inherit; text-decoration: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
