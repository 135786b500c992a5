"""Tutorials: notebooks without outputs, executed when the site is built."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from textwrap import fill
from typing import Any

import nbformat
from nbclient import NotebookClient

__all__ = ["execute", "page"]

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LIMIT = 900  # seconds for one cell
_WIDE = 100  # characters; sentences that are longer are wrapped


def execute(source: Path, folder: Path) -> None:
    """Run a notebook in a folder of its own and keep it there with its outputs.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails; the build stops.
    """
    book = nbformat.read(source, as_version=4)
    scratch = folder / "scratch"
    scratch.mkdir()
    NotebookClient(
        book,
        timeout=_LIMIT,
        startup_timeout=_LIMIT,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors
        resources={"metadata": {"path": str(scratch)}},
    ).execute()
    nbformat.write(book, folder / source.name)


def page(executed: Path) -> tuple[str, dict[str, str], dict[str, bytes]]:
    """A notebook as a page.

    Parameters
    ----------
    executed : Path
        A notebook with its outputs.

    Returns
    -------
    markdown : str
        With a comment where an HTML output goes.
    html : dict
        The HTML output by the comment that stands for it.
    pictures : dict
        File names and their bytes.
    """
    html: dict[str, str] = {}
    pictures: dict[str, bytes] = {}
    parts: list[str] = []
    for cell in nbformat.read(executed, as_version=4).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            kind, content = _content(output)
            if kind == "html":
                mark = f"<!-- output {len(html)} -->"
                html[mark] = f'<div class="output">{content}</div>'
                parts.append(mark)
            elif kind == "png":
                name = f"{executed.stem}_{len(pictures)}.png"
                pictures[name] = base64.b64decode(content)
                parts.append(f"![What the cell above draws]({name})")
            elif content.strip():
                parts.append(f"``` {{.text .output}}\n{_plain(content)}\n```")
    return "\n\n".join(parts) + "\n", html, pictures


def _plain(text: str) -> str:
    lines = _COLOURS.sub("", text).rstrip().splitlines()
    return "\n".join(line if len(line) <= _WIDE else fill(line, _WIDE) for line in lines)


def _content(output: Any) -> tuple[str, str]:
    if output.output_type == "stream":  # what other packages warn of is no result
        return "text", output.text if output.name == "stdout" else ""
    data = output.data
    for mime, kind in (("text/html", "html"), ("image/svg+xml", "html"), ("image/png", "png")):
        if mime in data:
            return kind, data[mime]
    text = data.get("text/plain", "")
    return "text", text if isinstance(text, str) else json.dumps(text)
