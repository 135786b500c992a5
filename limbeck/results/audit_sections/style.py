"""What the page of an audit adds to the style of all pages."""

from limbeck.reports.style import PAGE

__all__ = ["AUDIT"]

# Score and outcome differ in colour (Okabe and Ito 2008), in dash and in mark.
AUDIT = (
    PAGE
    + """
.limbeck .caveats { border: 1px solid var(--other); border-left-width: 4px; border-radius: 4px;
  padding: .75rem 1rem .25rem; margin: 0 0 1.5rem; max-width: 52rem; }
.limbeck .caveats h2 { margin: 0 0 .5rem; }
.limbeck .short .card { margin: 0 0 1rem; max-width: 52rem; }
.limbeck .short h2 { font-size: 1.0625rem; margin: .5rem 0; }
.limbeck .short .then::before { content: "→ "; color: var(--soft); }
.limbeck .legend { font-size: .9375rem; }
.limbeck .column { overflow-wrap: anywhere; }
.limbeck h3 { overflow-wrap: anywhere; }
.limbeck .shapes { gap: 1.5rem 2rem; }
.limbeck .shapes figure { flex: 1 1 20rem; max-width: 29.5rem; }
.limbeck .charts svg path { fill: none; stroke-linejoin: round; }
.limbeck .charts path.fitted { stroke: var(--other); stroke-width: 2; }
.limbeck .charts path.shape { stroke-width: 1.75; }
.limbeck .charts path.shape.score { stroke: var(--main); }
.limbeck .charts path.shape.outcome { stroke: var(--other); stroke-dasharray: 5 3; }
.limbeck .charts path.shape.difference { stroke: var(--ink); }
.limbeck .charts path.band { stroke: none; fill-opacity: .22; }
.limbeck .charts path.band.score { fill: var(--main); }
.limbeck .charts path.band.outcome { fill: var(--other); }
.limbeck .charts path.band.difference { fill: var(--soft); }
.limbeck .charts path.band.layer1 { fill-opacity: .4; }
.limbeck .charts line.spread { stroke-width: 1.5; }
.limbeck .charts line.spread.score { stroke: var(--main); }
.limbeck .charts line.spread.outcome { stroke: var(--other); }
.limbeck .charts line.spread.difference { stroke: var(--soft); }
.limbeck .charts line.spread.layer1 { stroke: var(--ink); stroke-width: 3.5; }
.limbeck .charts .mark.score { fill: var(--main); }
.limbeck .charts .mark.outcome { fill: var(--other); }
.limbeck .charts .mark.difference { fill: var(--ink); }
.limbeck .charts line.zero { stroke: var(--line); stroke-width: 1.25; }
.limbeck .charts .count { fill: var(--line); fill-opacity: .55; }
.limbeck .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(14.5rem, 100%),
  1fr)); gap: 1rem; margin: 0 0 1rem; }
.limbeck .cards.two { grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); }
.limbeck .card { border: 1px solid var(--faint); border-radius: 4px; padding: .25rem 1rem .5rem;
  min-width: 0; font-size: .9375rem; }
.limbeck .card h3 { margin: .5rem 0; }
.limbeck .card dl > div { grid-template-columns: minmax(0, 1fr); gap: 0; }
.limbeck .card p, .limbeck .card ul { margin-bottom: .6rem; }
.limbeck .card ul { padding-left: 1.25rem; }
.limbeck .assumes { color: var(--soft); }
.limbeck tbody th { min-width: 7rem; overflow-wrap: break-word; }
.limbeck details .tabled { margin-top: .25rem; }
@media (min-width: 40.01rem) { .limbeck td.number + td { padding-left: 0; } }
.limbeck tbody th:has(~ td svg.bar) { white-space: normal; }
/* nine columns fit a page of 1,100 pixels where intervals stand below their numbers */
@media (min-width: 40.01rem) and (max-width: 96rem) { .limbeck .wide td .range { display: block; } }
/* shadows at the ends of a box that scrolls sideways: there is more */
.limbeck .tabled .scroll { background:
  linear-gradient(to right, var(--paper) 40%, transparent) left / 2rem 100% no-repeat local,
  linear-gradient(to left, var(--paper) 40%, transparent) right / 2rem 100% no-repeat local,
  linear-gradient(to right, var(--line), transparent) left / .6rem 100% no-repeat,
  linear-gradient(to left, var(--line), transparent) right / .6rem 100% no-repeat; }
@media (max-width: 40rem) {
  .limbeck .tabled th, .limbeck .tabled td { padding-right: .6rem; }
  .limbeck .tabled table { font-size: .8125rem; }
  .limbeck .tabled thead th { font-size: .8125rem; }
}
@media print {
  .limbeck .tabled .scroll { background: none; }
  .limbeck .card, .limbeck .caveats { break-inside: avoid; }
  .limbeck .wide td svg, .limbeck .wide tfoot { display: none; }
  .limbeck .wide table, .limbeck details table { font-size: .8rem; }
  .limbeck details summary { list-style: none; font-weight: 600; break-after: avoid; }
  .limbeck .charts figure { flex: 0 1 45%; }
  .limbeck .cards { grid-template-columns: repeat(3, 1fr); }
  .limbeck .cards.two { grid-template-columns: repeat(2, 1fr); }
  .limbeck .charts path.band, .limbeck .count { print-color-adjust: exact;
    -webkit-print-color-adjust: exact; }
}
"""
)
