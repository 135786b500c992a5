"""The pages of readable students as they run today: their pictures, and what they print.

    python docs/hooks/pictures.py [PAGE ...]

Each page is read from top to bottom in one namespace. Python blocks are run; the block of text that
follows is compared with what was printed (a line that ends in ... only up to there); where a
picture stands that is drawn by a student, it is made anew. Takes a minute.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import warnings
from difflib import ndiff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib

matplotlib.use("svg")

DOCS = Path(__file__).resolve().parent.parent
DRAWN = {
    "students_sparse_sum.svg": "result.student.plot()",
    "students_scorecard.svg": "result.student.plot()",
    "students_linear.svg": "sparse.student.plot()",
    "tree_iris.svg": "result.student.svg()",
    "text_classifier.svg": "result.student.plot()",
    "students_junta.svg": "found.student.plot()",
    "rule_list.svg": "result.student.svg()",
    "rule_set.svg": "rules.student.svg()",
    "m_of_n_tree.svg": "counts.student.svg()",
    "oblique_tree.svg": "exact.student.svg()",
    "additive_breast_cancer.png": "result.student.plot()",
}
PAGES = ("students.md", "rules.md", "readable.md", "additive.md", "text.md")
BEGINNINGS = {"text.md": 1}  # so many blocks of a page are run, where not all
_PART = re.compile(r"```python\n(.*?)```|```text\n(.*?)```|!\[[^\]]*\]\(([^)]+)\)", re.S)


def made(page: str) -> list[str]:
    """Run a page and make its pictures; what it prints otherwise than it says.

    Parameters
    ----------
    page : str
        Its name within docs.
    """
    names: dict[str, Any] = {}
    printed, differences = "", []
    left = BEGINNINGS.get(page, sys.maxsize)
    for part in _PART.finditer((DOCS / page).read_text()):
        code, text, picture = part.groups()
        if code is not None and not left:
            break
        left -= code is not None
        if code is not None:
            with contextlib.redirect_stdout(io.StringIO()) as out, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                refused = re.search(r"# (\w+): ", code)
                try:
                    exec(code, names)  # noqa: S102
                except Exception as error:
                    if refused is None or type(error).__name__ != refused[1]:
                        raise
            printed = out.getvalue()
        elif text is not None and printed:
            differences += compared(text, printed)
            printed = ""
        elif picture in DRAWN:
            drawn(eval(DRAWN[picture], names), DOCS / picture)  # noqa: S307
    return differences


def compared(text: str, printed: str) -> list[str]:
    """The lines of a page that were not printed, and those printed in their place.

    Parameters
    ----------
    text, printed : str
        What the page says, and what its code printed.
    """
    said, out = text.rstrip().splitlines(), printed.rstrip().splitlines()
    cut = {line[:-3] for line in said if line.endswith("...")}
    known = [next((f"{start}..." for start in cut if now.startswith(start)), now) for now in out]
    return [line for line in ndiff(said, known) if line[0] in "+-"]


def drawn(picture: Any, path: Path) -> None:
    """Write a drawing, or the figure of axes.

    Parameters
    ----------
    picture : str, Axes or ndarray of Axes
        What a student drew.
    path : Path
        The file.
    """
    if isinstance(picture, str):
        path.write_text(picture + "\n")
        return
    axes = picture.ravel()[0] if hasattr(picture, "ravel") else picture
    matplotlib.rcParams["svg.hashsalt"] = path.name
    axes.figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=110,
                        bbox_inches="tight")  # fmt: skip


if __name__ == "__main__":
    with TemporaryDirectory() as folder, contextlib.chdir(folder):  # where pages save their files
        for name in sys.argv[1:] or PAGES:
            print(name, *made(name) or ["prints what it says"], sep="\n")
