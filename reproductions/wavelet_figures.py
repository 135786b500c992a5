"""The drawings of a wavelet report as SVG files, for documents."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from limbeck.core.atomic_io import write_bytes
from limbeck.results.distillation import Distillation
from limbeck.results.wavelet_sections import sections as wavelet_sections
from limbeck.results.wavelet_sections.style import WAVELET

__all__ = ["draw"]

# One colour scheme: a document has the colours of its own page.
_STYLE = WAVELET.replace("(prefers-color-scheme: dark)", "(width: 0)")
_DRAWING = re.compile(r"<svg .*?</svg>", re.DOTALL)
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_LABEL = re.compile(r'aria-label="([^"]*)"')
_TOP = 26


def draw(result: Distillation, section: str, path: Path, columns: int = 2, most: int = 8) -> None:
    """Write the drawings of one section (filters, importance, kept, path) side by side."""
    html = str(getattr(wavelet_sections, section)(result))
    drawings = [d for d in _DRAWING.findall(html) if _LABEL.search(d)][:most]
    if not drawings:
        return
    sizes = [tuple(map(float, _SIZE.search(d).groups())) for d in drawings]
    wide, high = max(w for w, _ in sizes) + 20, max(h for _, h in sizes) + _TOP + 10
    columns = min(columns, len(drawings))
    rows = -(-len(drawings) // columns)
    parts = []
    for i, drawing in enumerate(drawings):
        x, y = 10 + i % columns * wide, 5 + i // columns * high
        label = unescape(_LABEL.search(drawing).group(1)).split(". ")[0].rstrip(".")[:64]
        parts.append(f'<text x="{x + 4}" y="{y + 16}" class="title">{_escape(label)}</text>')
        parts.append(drawing.replace("<svg ", f'<svg x="{x}" y="{y + _TOP}" ', 1))
    style = f"{_STYLE}\n.limbeck text {{ font-family: sans-serif; font-size: 12px; }}"
    width, height = 10 + columns * wide, 5 + rows * high
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="limbeck" width="{width:.0f}"'
        f' height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"><style>{_escape(style)}'
        f'</style><rect width="100%" height="100%" fill="#fff"/><g class="charts">'
        f"{''.join(parts)}</g></svg>\n"
    )
    write_bytes(text.encode(), path)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
