"""What a fair search returns: the tuned student with its tuned control, and all trials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rich.console import Group, RenderableType
from rich.text import Text

from limbeck.core.errors import plural
from limbeck.core.printable import visible
from limbeck.core.strict_json import plain, read_json, record, write_json
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Html, join, tag
from limbeck.reports.plots import axes_of
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.reports.table import Column, Table
from limbeck.results.network import NetworkDistillation
from limbeck.results.result import Result
from limbeck.results.tune_record import Trial, TuningRecord

__all__ = ["Tuning"]

_FORMAT, _VERSION, _FILE = "limbeck-tuning", 1, "tuning.json"
_SHOWN = 8  # trials of each role in a terminal


@dataclass(frozen=True, eq=False, repr=False)
class Tuning(TuningRecord, Result):
    """The result of one search; its fields are those of `TuningRecord`.

    See Also
    --------
    limbeck.tune : Makes one.
    """

    @property
    def student(self) -> Any:
        """The student with the best settings."""
        return self.result.student

    @property
    def verdict(self) -> str:
        """What came out, and how the settings were chosen."""
        return f"{self.result.verdict} {self.selection}"

    def tables(self) -> dict[str, Table[Any]]:
        """The trials, then the tables of the tuned student."""
        return {"trials": self._sheet(self.trials), **self.result.tables()}

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page of the search; returns its path."""
        return self._page(Path(path), Html(""))

    def _page(self, path: Path, beside: Html) -> Path:
        """Write the page of the search, which names the pages beside it."""
        body = [
            join([
                tag("p", "limbeck: report of a search", class_="kind"),
                tag("h1", f"{len(self.trials)} trials, student and control alike"),
                tag("p", self.result.comparison.sentence, class_="lead"),
                tag("p", self.selection),
                beside,
            ]),
            join([tag("h2", "Trials"), self._sheet(self._ranked()).to_html()]),
            *([join([tag("h2", "Notes"), tag("ul", *(tag("li", n) for n in self.notes))])]
              if self.notes else []),
        ]  # fmt: skip
        return write_document(document("A search for settings", body, PAGE), path)

    def save(self, folder: str | Path) -> Path:
        """Write the tuned student as its result does, with ``tuning.json`` and ``tuning.html``.

        Parameters
        ----------
        folder : path
            Made if it does not exist.
        """
        folder = Path(folder)
        self.result.save(folder)
        self.kept(folder)
        return folder

    def kept(self, folder: Path) -> None:
        """Write the trials beside the student."""
        write_json(self.to_dict(), folder / _FILE)
        page = tag("a", "The page of the tuned student", href="report.html")
        self._page(folder / "tuning.html", tag("p", page, "."))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote; see :func:`limbeck.load`.

        Raises
        ------
        FileRefused
            If a file is lacking, malformed, or newer than this limbeck.
        """
        data = read_json(Path(folder) / _FILE, _FORMAT, _VERSION)
        return record(cls, data, result=NetworkDistillation.load(folder))

    def to_dict(self) -> dict[str, Any]:
        """The trials and how they were made, ready for JSON; the student is in ``result``."""
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "trials": plain(self.trials),
            "settings": plain(self.settings),
            "notes": plain(self.notes),
        }

    def plot(self, ax: Any = None) -> Any:
        """Draw the score of every trial on the validation rows against its learning.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        ax = axes_of(ax, (6.0, 3.6))
        for role, marker in (("student", "o"), ("control", "s")):
            known = [t for t in self.of(role) if not t.failed]
            ax.plot([t.longest for t in known], [t.score for t in known], marker, label=role,
                    alpha=0.6)  # fmt: skip
        ax.set_xscale("log")
        ax.set_xlabel("updates of the last round")
        ax.set_ylabel("score on the validation rows")
        ax.legend(frameon=False)
        return ax

    def export(self, path: str | Path, **settings: Any) -> Path:
        """Write a model card of the tuned student; see its own ``export``.

        Parameters
        ----------
        path : str or Path
            A file whose name ends in ``.md``.
        **settings
            As `NetworkDistillation.export`.
        """
        found: Path = self.result.export(path, **settings)
        return found

    def _ranked(self) -> list[Trial]:
        """Student before control, the chosen one first, then by rounds and score."""

        def place(trial: Trial) -> tuple[Any, ...]:
            bad = bool(trial.failed)
            score = 0.0 if bad else -trial.score
            return (trial.role != "student", not trial.chosen, bad, -trial.rounds, score)

        return sorted(self.trials, key=place)

    def _sheet(self, trials: Any) -> Table[Trial]:
        names = list(dict.fromkeys(name for t in self.trials for name in t.settings))

        def setting(name: str) -> Column[Trial]:
            return Column(name, lambda t: t.settings.get(name), optional=True, wrap=True,
                          format=_brief)  # fmt: skip

        columns: list[Column[Trial]] = [
            Column("role", lambda t: t.role),
            Column("trial", lambda t: t.place, align="right"),
            *(setting(name) for name in names),
            Column("rounds", lambda t: t.rounds, align="right"),
            Column("updates", lambda t: t.updates, align="right"),
            Column("score", lambda t: None if t.failed else t.score, "validation\nscore",
                   format=lambda v: f"{v:.4g}"),
            Column("outcome", lambda t: t.failed or ("chosen" if t.chosen else ""), " ", wrap=True),
        ]  # fmt: skip
        return Table("Trials, scored on the validation rows.", columns, list(trials),
                     strong=lambda t: t.chosen)  # fmt: skip

    def __rich__(self) -> RenderableType:
        shown = [t for role in ("student", "control")
                 for t in [t for t in self._ranked() if t.role == role][:_SHOWN]]  # fmt: skip
        left = len(self.trials) - len(shown)
        more = f"{plural(left, 'more trial')}: to_frame()." if left else ""
        lines = [self.selection, *self.notes, more]
        return Group(
            self.result.__rich__(), Text(), self._sheet(shown).to_rich(),
            *(Text(visible(line)) for line in lines if line),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        return tag(
            "div", tag("style", Html(FRAGMENT)), tag("p", self.verdict),
            self._sheet(self._ranked()).to_html(), class_="limbeck",
        )  # fmt: skip


def _brief(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
