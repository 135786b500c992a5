"""Real reports, made by the command ``limbeck`` when the site is built."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cached import ROOT

__all__ = ["ENTRIES", "Entry", "index", "make", "markdown"]

_MODELS = ROOT / "docs" / "gallery" / "models.py"


@dataclass(frozen=True)
class Entry:
    """One report: the function that gives its table, the model's, and the command."""

    name: str
    title: str
    about: str
    rows: str = ""
    model: str = ""
    command: str = ""
    script: str = ""  # in place of a command, for what only Python offers

    @property
    def typed(self) -> str:
        """What is typed in a shell."""
        return f"python {self.script}" if self.script else f"limbeck {self.command}"


ENTRIES = (
    Entry(
        "forest_tree",
        "A random forest into a tree",
        "200 trees that tell benign from malignant tumours become one small tree. The table"
        " compares it with the forest, with a tree that learned from labels alone, and with a"
        " greedy tree; the certificate bounds how often tree and forest differ on new patients.",
        "cancer_rows",
        "forest",
        "distill --teacher models:forest --data rows.csv --label diagnosis --into tree"
        " --max-leaves 8 --epsilon 0.1 --holdout 0.5 --out run",
    ),
    Entry(
        "boosting_tree",
        "Gradient boosting into a regression tree",
        "A model that predicts a number: how far diabetes progresses within a year. For numbers the"
        " certificate is a tolerance, within which tree and model agree on nearly all inputs.",
        "diabetes_rows",
        "boosting",
        "distill --teacher models:boosting --data rows.csv --label progression --into tree"
        " --max-leaves 12 --epsilon 0.1 --holdout 0.4 --out run",
    ),
    Entry(
        "three_columns_junta",
        "Which columns a model uses",
        "The model is given 13 measurements of a wine and uses three. A junta names the columns and"
        " is a table over them.",
        "wine_rows",
        "three_columns",
        "distill --teacher models:three_columns --data rows.csv --label cultivar --into junta"
        " --epsilon 0.1 --holdout 0.4 --out run",
    ),
    Entry(
        "digits_network",
        "A network into a smaller network",
        "A convolutional network for handwritten digits, and a student of a thousand parameters"
        " with 100 labelled images. Its control is trained on the labels alone, from the same"
        " start.",
        command="distill run.yaml",
    ),
    Entry(
        "score_audit",
        "An audit of a score",
        "Only the scores are there, no model: what each column does to the score and to the"
        " outcome, and whether the score knows something that is not in the table. It does here:"
        " the model that gave the scores also saw the concavity of the nuclei.",
        "scored_patients",
        command="audit rows.csv --score score --outcome malignant --threshold 6 --bags 30"
        " --report report.html",
    ),
    Entry(
        "curves_wavelet",
        "The wavelet of a signal network",
        "A convolutional network reads each digit as a curve of 64 numbers. The report shows the"
        " wavelet that was learned from its gradients, the few coefficients that the student uses,"
        " and whether the student is better than one that learned from labels alone.",
        "wave_rows",
        "network",
        script="curves.py",
    ),
)


def make(entry: Entry, folder: Path) -> None:
    """Run one entry in a folder; ``report.html`` and ``output.txt`` are left there.

    Raises
    ------
    RuntimeError
        If the command fails; what it said is in the message.
    """
    work = folder / "work"
    work.mkdir()
    if entry.rows:
        for path in _MODELS.parent.glob("*.py"):
            shutil.copy(path, work)
        _models()[entry.rows]().to_csv(work / "rows.csv", index=False)
    else:
        shutil.copytree(ROOT / "examples" / "network", work, dirs_exist_ok=True)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *_arguments(entry)],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)},
    )
    if done.returncode:
        raise RuntimeError(f"{entry.typed}: {done.stdout}{done.stderr}")
    report = work / "report.html"
    shutil.move(report if report.exists() else work / "run" / "report.html", folder)
    (folder / "output.txt").write_text(done.stdout, encoding="utf-8")
    shutil.rmtree(work)


def markdown(entry: Entry, folder: Path) -> str:
    """The page of one entry: the report in a frame, the command, its output, the model."""
    said = (folder / "output.txt").read_text(encoding="utf-8").rstrip()
    lines = "\n".join(_broken(entry.typed))
    parts = [
        f"# {entry.title}",
        entry.about,
        f"[Open the report](reports/{entry.name}.html){{ .md-button }}",
        f'<iframe class="report" title="{entry.title}" src="reports/{entry.name}.html"></iframe>',
        "## The command",
        f"```\n{lines}\n```",
        f"It prints:\n\n``` {{.text .output}}\n{said}\n```",
        "## The model and the rows",
    ]
    if entry.rows:
        named = [n for n in (entry.model, entry.rows) if n]
        source = "\n\n".join(inspect.getsource(_models()[n]).rstrip() for n in named)
        if entry.script:
            script = (_MODELS.parent / entry.script).read_text(encoding="utf-8").rstrip()
            parts.append(f"`{entry.script}`:\n\n```python\n{script}\n```")
        parts.append("From `models.py`:")
    else:
        source = (ROOT / "examples/network/digits.py").read_text(encoding="utf-8").rstrip()
        file = (ROOT / "examples/network/run.yaml").read_text(encoding="utf-8").rstrip()
        parts.append(f"`run.yaml`:\n\n```yaml\n{file}\n```\n\n`digits.py`:")
    return "\n\n".join([*parts, f"```python\n{source}\n```"]) + "\n"


def index() -> str:
    """The first page of the gallery."""
    cards = "\n\n".join(f"## [{e.title}]({e.name}.md)\n\n{e.about}" for e in ENTRIES)
    return (
        "# Gallery\n\nReports as `limbeck` writes them, on data that scikit-learn ships. Each is"
        f" one file of HTML without scripts. This site's build made all of them.\n\n{cards}\n"
    )


def _arguments(entry: Entry) -> list[str]:
    return [entry.script] if entry.script else ["-m", "limbeck", *entry.command.split()]


def _models() -> dict[str, object]:
    folder = str(_MODELS.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import models

    return vars(models)


def _broken(command: str) -> list[str]:
    """A long command over several lines, as a shell takes it."""
    lines, line = [], ""
    for word in command.split(" --"):
        piece = word if not lines and not line else f"--{word}"
        if line and len(line) + len(piece) > 76:
            lines.append(line + " \\")
            line = "    " + piece
        else:
            line = f"{line} {piece}" if line else piece
    return [*lines, line]
