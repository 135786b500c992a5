"""What the drawings of wavelets add to the style of all pages."""

from limbeck.reports.style import PAGE

__all__ = ["BARS", "HEAT", "WAVELET"]

# Bars, for notebooks, whose style has none.
BARS = """
.limbeck svg .frame { fill: none; stroke: var(--faint); }
.limbeck svg .fill { fill: var(--main); }
"""

HEAT = """
.limbeck svg .lane { fill: none; stroke: var(--faint); }
.limbeck svg .heat { fill: var(--main); shape-rendering: crispEdges; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
.limbeck figure .scroll svg { display: block; }
.limbeck .maps { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; font-size: .875rem; }
.limbeck .maps svg { display: block; }
.limbeck figure .scroll svg text { fill: var(--soft); font-size: 12px; }
"""

WAVELET = (
    PAGE
    + HEAT
    + """
.limbeck .charts figure.signal { flex: 1 1 270px; max-width: 330px; margin: 0; }
.limbeck .charts figure.pair { flex: 0 0 236px; margin: 0; }
.limbeck .charts figure.map { flex: 0 0 140px; margin: 0; }
.limbeck .charts figure.map h3 { font-size: .875rem; font-weight: 400; }
.limbeck .charts svg path { fill: none; stroke-linejoin: round; }
.limbeck .charts path.after { stroke: var(--main); stroke-width: 2; }
.limbeck .charts path.before { stroke: var(--other); stroke-width: 1.5; stroke-dasharray: 5 3; }
.limbeck .charts path.original { stroke: var(--soft); stroke-width: 1.25; }
.limbeck .charts path.kept { stroke: var(--main); stroke-width: 2; }
.limbeck .charts line.stem.after { stroke: var(--main); stroke-width: 2; }
.limbeck .charts line.stem.before { stroke: var(--other); stroke-width: 1.5;
  stroke-dasharray: 5 3; }
.limbeck .charts line.zero { stroke: var(--line); }
.limbeck .charts .mark.after { fill: var(--main); }
.limbeck .charts .mark.before { fill: var(--other); }
.limbeck .charts path.heat { fill: var(--main); stroke: none; }
.limbeck .charts path.grey { stroke: none; shape-rendering: crispEdges; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
.limbeck .legend { font-size: .9375rem; }
.limbeck .legend .key { margin-left: 1rem; }
.limbeck .legend .key:first-child { margin-left: 0; }
.limbeck .key.line { height: 0; width: 1.6em; border-radius: 0; vertical-align: middle;
  background: none; border-top: 2.5px solid var(--main); }
.limbeck .key.line.before { border-top: 2px dashed var(--other); }
.limbeck .key.line.original { border-top: 1.5px solid var(--soft); }
"""
)
