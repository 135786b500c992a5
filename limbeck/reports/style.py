"""The style of pages and of notebook fragments; every rule stays under a class of limbeck's."""

__all__ = ["FRAGMENT", "PAGE"]

# Shared by both. Colours: Okabe and Ito (2008), lightened on dark pages.
_COMMON = """
.limbeck table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0; }
.limbeck figure { margin: 0 0 1.5rem; }
.limbeck figcaption { font-size: .875rem; color: var(--soft); max-width: 42rem; }
.limbeck .tabled figcaption { margin-bottom: .35rem; }
.limbeck th, .limbeck td { padding: .35rem 1rem .35rem 0; text-align: left;
  vertical-align: top; border: 0; background: none; }
.limbeck tr > :last-child { padding-right: 0; }
.limbeck thead th { border-bottom: 1px solid var(--line); font-weight: 600; font-size: .875rem;
  vertical-align: bottom; }
.limbeck tbody th { font-weight: 400; overflow-wrap: anywhere; min-width: 6.5rem; }
.limbeck tbody th:has(+ td .range) { min-width: 8rem; }
.limbeck tbody td { white-space: nowrap; }
.limbeck .under { display: block; color: var(--soft); font-weight: 400; font-size: .9em;
  overflow-wrap: anywhere; }
.limbeck .name { white-space: normal; }
.limbeck tbody tr + tr > * { border-top: 1px solid var(--faint); }
.limbeck tbody tr.strong > * { font-weight: 650; }
.limbeck tfoot td { padding-top: 0; padding-bottom: 0; }
.limbeck .number { text-align: right; }
.limbeck .range { color: var(--soft); font-weight: 400; white-space: nowrap; }
.limbeck .scroll { overflow-x: auto; max-width: 100%; }
.limbeck .yes::before { content: "✓ "; color: var(--main); }
.limbeck .no::before { content: "✗ "; color: var(--other); }
.limbeck td svg { display: block; margin: .15rem 0 0; }
.limbeck td svg.whisker { margin-left: -14px; overflow: visible; }
.limbeck td.number svg { margin-left: auto; }
.limbeck tfoot svg { margin-top: 0; }
.limbeck svg line { stroke-width: 1; }
.limbeck svg .rule { stroke: var(--faint); }
.limbeck svg .axis { stroke: var(--soft); }
.limbeck svg .interval { stroke: var(--soft); stroke-width: 1.5; }
.limbeck svg .dot { fill: var(--soft); }
.limbeck svg .dot.main { fill: var(--main); }
.limbeck .outline { display: none; font: .9375rem/1.4 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", sans-serif; overflow-wrap: anywhere; }
.limbeck .outline ul { list-style: none; margin: 0 0 0 .3rem; padding: 0 0 0 .7rem;
  border-left: 1px solid var(--line); }
.limbeck .outline li { margin: .25rem 0; }
.limbeck .outline details { margin: 0; }
.limbeck .outline summary { padding: .1rem 0; font-size: inherit; cursor: pointer; }
.limbeck .outline i { color: var(--soft); }
.limbeck .outline .leaf { display: block; border-left: 4px solid; padding-left: .4rem; }
@media screen and (max-width: 64rem) { /* a drawn tree is up to 60rem wide */
  .limbeck .drawn { display: none; }
  .limbeck .outline { display: block; }
  .limbeck td .range { display: block; }
  .limbeck th, .limbeck td { padding-right: .5rem; }
  .limbeck td svg.whisker { width: 120px; height: auto; margin-left: -10px; }
  .limbeck tfoot svg.whisker text { font-size: 15px; }
  .limbeck .scroll > svg { max-width: 100%; height: auto; min-width: 34rem; }
}
@media screen and (max-width: 40rem) { /* a row of a wide table becomes a list of its cells */
  .limbeck tbody td, .limbeck .range { white-space: normal; overflow-wrap: anywhere; }
  .limbeck td .range { display: inline; }
  .limbeck table.many, .limbeck .many tbody, .limbeck .many tr, .limbeck .many th {
    display: block; }
  .limbeck .many thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  .limbeck .many tfoot { display: none; }
  .limbeck .many tbody th { font-weight: 650; padding: .6rem 0 .2rem; }
  .limbeck .many tbody td { display: flow-root; padding: .15rem 0 .15rem 9.5rem;
    text-align: left; }
  .limbeck .many tbody tr > td { border-top: 0; }
  .limbeck .many td.number svg { margin-left: 0; }
  .limbeck .many tbody td:empty { display: none; }
  .limbeck .many td::before { content: attr(data-label); float: left; width: 9rem;
    margin-left: -9.5rem; color: var(--soft); font-weight: 400; }
}
"""

PAGE = (
    """
:root { color-scheme: light dark; }
.limbeck { --paper: #fff; --ink: #1c1d1f; --soft: #5c6066; --line: #8d9298; --faint: #dcdfe3;
  --shade: #f5f6f7; --main: #0072b2; --other: #c65a00; }
@media (prefers-color-scheme: dark) {
  .limbeck { --paper: #15171a; --ink: #e4e6e9; --soft: #a3a9b1; --line: #6d737b; --faint: #353a40;
    --shade: #1e2125; --main: #56b4e9; --other: #f0a13c; }
}
html { background: #fff; -webkit-text-size-adjust: 100%; }
@media (prefers-color-scheme: dark) { html { background: #15171a; } }
body.limbeck { margin: 0; container-type: inline-size; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.55 Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif; }
.limbeck main { max-width: 62rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
.limbeck h1, .limbeck h2, .limbeck h3, .limbeck table, .limbeck dl, .limbeck summary,
.limbeck figcaption, .limbeck .kind, .limbeck svg {
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
.limbeck .kind { color: var(--soft); font-size: .875rem; margin: 0 0 .25rem; }
.limbeck h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1.25rem; text-wrap: balance;
  overflow-wrap: anywhere; letter-spacing: -.01em; }
.limbeck h2 { font-size: 1.25rem; line-height: 1.3; margin: 3rem 0 .75rem; }
.limbeck h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
.limbeck p, .limbeck ul, .limbeck ol, .limbeck blockquote { max-width: 42rem;
  margin: 0 0 1rem; overflow-wrap: break-word; }
.limbeck .lead { font-size: 1.25rem; line-height: 1.45; }
.limbeck blockquote { border-left: 3px solid var(--main); padding: .1rem 0 .1rem 1rem; }
.limbeck li { margin-bottom: .3rem; }
.limbeck li::marker { color: var(--soft); }
.limbeck table, .limbeck dl { font-size: .9375rem; line-height: 1.4; }
.limbeck p + .scroll { margin: 0 0 1rem; }
.limbeck .scroll:focus-visible, .limbeck summary:focus-visible { outline: 2px solid var(--main);
  outline-offset: 2px; }
.limbeck dl { margin: 0 0 1.25rem; max-width: 52rem; }
.limbeck dl > div { display: grid; grid-template-columns: 12rem minmax(0, 1fr); gap: 1rem;
  padding: .35rem 0; border-top: 1px solid var(--faint); }
.limbeck dl > div:first-child { border-top: 0; }
.limbeck dt { color: var(--soft); }
.limbeck dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.limbeck code, .limbeck pre { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas,
  "DejaVu Sans Mono", monospace; }
.limbeck pre { margin: 0; background: var(--shade); padding: .75rem 1rem; border-radius: 4px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.limbeck .picture { overflow: auto; width: fit-content; max-width: 100%; max-height: 90vh;
  border: 1px solid var(--faint); border-radius: 4px; padding: .5rem; margin-bottom: .5rem;
  box-sizing: border-box; }
@supports (width: 1cqw) { /* a wide tree may use the right margin of the page */
  .limbeck .picture { max-width: calc(100% + max(0px, (100cqw - 64.5rem) / 2)); }
}
.limbeck .picture > svg { display: block; }
.limbeck .picture tbody td { white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
.limbeck .picture tbody td + td { white-space: nowrap; min-width: 0; }
.limbeck .picture p { display: none; }
.limbeck .charts { display: flex; flex-wrap: wrap; gap: 1.5rem 3rem; }
.limbeck .charts figure { flex: 0 1 360px; min-width: 0; margin: 0 0 1rem; }
.limbeck .charts svg { width: 100%; height: auto; display: block; }
.limbeck .charts h3 { margin: 0 0 .4rem; }
.limbeck .charts text, .limbeck tfoot text { fill: var(--soft); font-size: 12px;
  font-variant-numeric: tabular-nums; }
.limbeck .charts line.curve { stroke: var(--main); stroke-width: 2; stroke-linecap: round; }
.limbeck .charts line.other { stroke: var(--other); stroke-dasharray: 5 4; }
.limbeck .charts .point { fill: var(--other); }
.limbeck .charts .point.main { fill: var(--main); }
.limbeck .charts .ring { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.limbeck .charts .chosen { stroke: var(--soft); stroke-dasharray: 2 3; }
.limbeck .key { display: inline-block; width: .7em; height: .7em; border-radius: 50%;
  background: var(--main); }
.limbeck .key.other { background: var(--other); border-radius: 0; }
.limbeck .key.ring { background: none; border: 1.5px solid var(--ink); box-sizing: border-box; }
.limbeck svg .frame { fill: var(--shade); stroke: var(--faint); }
.limbeck svg .fill { fill: var(--main); }
.limbeck details { margin: 0 0 1rem; max-width: 100%; }
.limbeck summary { cursor: pointer; padding: .25rem 0; font-size: .9375rem; }
.limbeck details ol { padding-left: 2.5rem; font-size: .9375rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  body.limbeck { font-size: 1rem; }
  .limbeck main { padding: 1.5rem 1rem 3rem; }
  .limbeck h1 { font-size: 1.4rem; }
  .limbeck .lead { font-size: 1.125rem; }
  .limbeck h2 { margin-top: 2.25rem; }
  .limbeck dl > div { grid-template-columns: minmax(0, 1fr); gap: 0; }
}
@media print {
  .limbeck { --paper: #fff; --ink: #000; --soft: #444; --line: #888; --faint: #ccc; --shade: #fff;
    --main: #0072b2; --other: #c65a00; }
  html, body.limbeck { background: #fff; font-size: 10pt; }
  .limbeck main { max-width: none; padding: 0; }
  .limbeck .scroll, .limbeck .picture { overflow: visible; max-height: none; max-width: 100%;
    border: 0; padding: 0; }
  .limbeck .picture > svg { max-width: 100%; height: auto; }
  .limbeck pre { padding: 0; }
  .limbeck .rules::details-content { content-visibility: visible; } /* paper does not unfold */
  .limbeck h2, .limbeck h3 { break-after: avoid; }
  .limbeck tr, .limbeck .charts figure { break-inside: avoid; }
}
"""
    + _COMMON
)

# In a notebook ink and background are the notebook's own, light or dark.
FRAGMENT = (
    """
.limbeck { --ink: currentColor; --soft: color-mix(in srgb, currentColor 70%, transparent);
  --line: rgb(128 128 128 / 70%); --faint: rgb(128 128 128 / 30%); --main: #2b8cc4;
  --other: #d97a1f; }
.limbeck p { max-width: 44rem; margin: .5rem 0; }
.limbeck tfoot text { fill: currentColor; font-size: 12px; }
.limbeck .picture { overflow: auto; max-height: 40rem; margin: .5rem 0; }
"""
    + _COMMON
)
