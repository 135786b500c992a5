"""Text and tables as Markdown, in which no name of a column or class does anything."""

from __future__ import annotations

import re
from typing import Any

from limbeck.reports.table import Table

__all__ = ["fenced", "markdown_table", "plain_markdown"]


def plain_markdown(text: str) -> str:
    """Text in which nothing is markup.

    Parameters
    ----------
    text : str
        Such as the name of a column.
    """
    one_line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    escaped = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", one_line)
    # at the start of a line these would begin a list, a quotation or a heading
    escaped = re.sub(r"^(>|[-+=](?=\D|$))", r"\\\1", escaped)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", escaped)


def fenced(text: str) -> str:
    """Lines as they are, in a box that no line of theirs can end.

    Parameters
    ----------
    text : str
        The lines.
    """
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def markdown_table(table: Table[Any]) -> str:
    """A table with its caption above, intervals behind their numbers.

    Parameters
    ----------
    table : Table
        Columns that stand below others in a terminal are columns here.
    """
    columns = table.shown
    heads = [plain_markdown(c.title) for c in columns]
    rows = [[plain_markdown(" ".join(filter(None, c.texts(row)))) for c in columns]
            for row in table.rows]  # fmt: skip
    rule = ["---:" if c.align == "right" else "---" for c in columns]
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows)]
    return "\n".join([plain_markdown(table.caption), "", *lines])
