"""The table of teachers, from what each kind declares; ``python docs/hooks/teachers.py`` writes it.

The page holds the table between two comments, so that it can be read without the site.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["filled", "table"]

PAGE = Path(__file__).resolve().parent.parent / "teachers.md"
_PLACE = re.compile(r"(<!-- teachers -->\n).*?(<!-- /teachers -->)", re.S)


def table() -> str:
    """One line per registered kind: what it is, what it grants and needs, and an example."""
    from limbeck.core.contract import Access
    from limbeck.teachers.entry import entries

    lines = ["| teacher | grants | needs | for example |", "|---|---|---|---|"]
    for _, made, entry in entries():
        if not made.__module__.startswith("limbeck."):
            continue  # those of other packages are not documented here
        granted = ", ".join(str(a) for a in Access if a.name and a in entry.grants)
        files = ", ".join(f"`{f}`" for f in entry.files)
        what = f"{entry.summary} ({files})" if files else entry.summary
        needs = f"limbeck[{entry.extra}]" if entry.extra else ""
        cells = [what, granted, needs, f"`{entry.example}`"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def filled(page: str) -> str:
    """A page with the table between its two comments.

    Parameters
    ----------
    page : str
        The page as Markdown.
    """
    return _PLACE.sub(lambda found: f"{found[1]}\n{table()}\n\n{found[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
