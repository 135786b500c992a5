"""Which method takes which constraint, from the registry; run this file to write the table.

``python docs/hooks/constraints.py``. The page holds the table between two comments, so that it can
be read without the site.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

__all__ = ["filled", "table"]

PAGE = Path(__file__).resolve().parent.parent / "students.md"
_PLACE = re.compile(r"(<!-- constraints -->\n).*?(<!-- /constraints -->)", re.S)


def table() -> str:
    """One line for each student of tables and method, with what it takes."""
    from limbeck.methods.base import CONSTRAINTS
    from limbeck.selection.routes import students

    names = (*CONSTRAINTS, "class_weight")
    lines = [
        f"| student, method | {' | '.join(f'`{name}`' for name in names)} |",
        "|---" * (1 + len(names)) + "|",
    ]
    for into, methods in students().items():
        for name, method in methods.items():
            if method.signals or method.texts or not method.__module__.startswith("limbeck."):
                continue
            fields = set(method.__dataclass_fields__) - set(method.without)
            fields |= set(inspect.signature(method.distill).parameters)
            cells = ["yes" if n in fields else "" for n in names]
            what = f"`{into}`" if len(methods) == 1 else f"`{into}`, `{name}`"
            lines.append(f"| {what} | {' | '.join(cells)} |")
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
