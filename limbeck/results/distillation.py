"""What a distillation returns: printed, drawn, saved and loaded."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from rich.console import RenderableType

from limbeck.certificates.certificate_file import load as load_certificate
from limbeck.certificates.certificate_file import save as save_certificate
from limbeck.certificates.fingerprint import read_seen_hashes
from limbeck.core.arrays import read_array
from limbeck.core.atomic_io import write_bytes
from limbeck.core.contract import Student
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.status import Status
from limbeck.core.strict_json import read_json, record, write_json
from limbeck.data.formulas import with_formulas, without_formulas
from limbeck.data.tables import read_table
from limbeck.export.students import export_student
from limbeck.reports.table import Table
from limbeck.results.chain_files import read_chain, step_folders
from limbeck.results.distillation_record import DistillationRecord, Holdout
from limbeck.results.distillation_sections.page import fragment, write_page
from limbeck.results.distillation_sections.plot import plot_models
from limbeck.results.distillation_sections.tables import result_table, tables
from limbeck.results.model_card import write_card
from limbeck.results.result import Result, saved_whole
from limbeck.students.files import load as load_student

__all__ = ["Distillation", "Holdout", "check_saved_names"]

_FORMAT, _VERSION = "limbeck-result", 1
_TOLD = {"answers": "teacher_label", "y": "true_label", "groups": "group", "cases": "case"}


@dataclass(frozen=True, eq=False, repr=False)
class Distillation(DistillationRecord, Result):
    """The result of one distillation; its fields are those of `DistillationRecord`.

    See Also
    --------
    limbeck.load : Reads what :meth:`save` wrote.

    Examples
    --------
    >>> import numpy as np
    >>> import limbeck
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> result = limbeck.distill(lambda rows: rows[:, 0] > 0, X, max_leaves=2)
    >>> len(result.student.nodes_)
    3
    """

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path.

        Raises
        ------
        InvalidInput
            If the folder does not exist.
        """
        return write_page(self, path)

    def save(self, folder: str | Path, *, rows: bool = True) -> Path:
        """Write student, certificate, table, report, and the rows of the certificate.

        Parameters
        ----------
        folder : path
            Made if it does not exist; what a result before wrote there is replaced, all at once.
        rows : bool
            Whether to write the holdout rows, with the teacher's answers in the column
            ``teacher_label``, labels in ``true_label``, groups in ``group``, cases in ``case``;
            without them nobody can verify the certificate. The hashes of the rows that the method
            saw are in ``seen.npy``, for ``limbeck verify --seen``.

        Returns
        -------
        Path
            The folder.
        """
        with saved_whole(folder) as to:
            self.student.save(to / "student.json")
            save_certificate(self.certificate, to / "certificate.json")
            write_json(self.to_dict(), to / "result.json")
            if self.holdout is not None:
                _write_holdout(to, self.holdout, rows)
            self._save_steps(to, rows)
            self.report(to / "report.html")
        return Path(folder)

    def _save_steps(self, folder: Path, rows: bool) -> None:
        """A folder for each of several steps, in which the student before it is the teacher."""
        if self.chain is None:
            return
        step = None if self.holdout is None else replace(self.holdout, y=None, groups=None)
        folders = step_folders(folder, self.chain)
        for one, student, certificate in zip(folders, self.steps, self.chain.steps, strict=True):
            one.mkdir(parents=True, exist_ok=True)
            student.save(one / "student.json")
            save_certificate(certificate, one / "certificate.json")
            if step is not None:
                _write_holdout(one, step, rows)
                step = replace(step, answers=np.asarray(student.predict(step.rows)))

    def export(self, path: str | Path, **settings: Any) -> Path:
        """Write the student as a file that runs without limbeck; the end of the name says which.

        Parameters
        ----------
        path : str or Path
            ``.sql``, ``.c``, ``.h``, ``.py``, ``.js`` or ``.mjs``; ``.onnx``; ``.json`` for
            limbeck; ``.md`` for a model card with the fields of Hugging Face's.
        **settings
            ``dtype`` and ``inputs`` of ``.onnx``, ``dialect`` of ``.sql``, see
            :func:`limbeck.export.students.export_student`; ``license`` of a card.

        Raises
        ------
        InvalidInput
            If there is no such language, or the student cannot be written in it.
        """
        if Path(path).suffix.lower() == ".md":
            return write_card(self, path, settings)
        if "license" in settings:
            raise InvalidInput("license was given, which is for a card.", "Export to card.md.")
        return export_student(self.student, path, **settings)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote; see :func:`limbeck.load`.

        Raises
        ------
        FileRefused
            If a file is lacking, malformed, or newer than this limbeck.
        """
        folder = Path(folder)
        data = read_json(folder / "result.json", _FORMAT, _VERSION)
        student = load_student(folder / "student.json")
        certificate = load_certificate(folder / "certificate.json")
        steps, chain = read_chain(
            folder, (data.pop("chain", None) or {}).get("students"), certificate
        )
        result = record(
            cls,
            data,
            student=student,
            status=Status.from_dict(data.get("status")),
            certificate=certificate,
            holdout=_read_rows(folder, student),
            steps=steps,
            chain=chain,
        )
        try:
            str(result)  # what does not hold together cannot be printed
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise FileRefused(
                f"{str(folder / 'result.json')!r} does not hold together: {error!r}.",
                "Save the result again.",
            ) from None
        return result

    def tables(self) -> dict[str, Table[Any]]:
        """All tables that have rows, by name: models, differences, classes, groups, sizes, ..."""
        return tables(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw teacher, student, control and baselines with their intervals.

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
        return plot_models(self.comparison, self.student.task_.classifies, ax)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite; student and rows are left out."""
        told = self._saved(
            _FORMAT, _VERSION, "status", "verdict", "notes", "comparison", "frontier", "queries",
            "rows_seen", "trace", "settings",
        )  # fmt: skip
        return told | {
            "chain": self.chain and {
                "students": list(self.chain.students),
                "epsilon": self.chain.epsilon,
                "delta": self.chain.delta,
                "tolerance": self.chain.tolerance,
                "sentence": self.chain.sentence,
            },
        }  # fmt: skip

    def __rich__(self) -> RenderableType:
        return result_table(self)

    def _repr_html_(self) -> str:
        return fragment(self)


def check_saved_names(names: Sequence[str], groups: Any, cases: Any) -> None:
    """Refuse features whose values would be lost beside what is saved with the holdout rows.

    Parameters
    ----------
    names : sequence of str
        The features.
    groups, cases : str, array-like or None
        As given to `limbeck.distill`; a column of that very name is the same thing.

    Raises
    ------
    InvalidInput
        With the name.
    """
    taken = {"teacher_label": True, "true_label": True}
    for name, given in (("group", groups), ("case", cases)):
        taken[name] = given is not None and not (isinstance(given, str) and given == name)
    for name in names:
        if taken.get(name):
            raise InvalidInput(
                f"A feature is called {name!r}, and so is what is saved beside the holdout rows.",
                f"Rename the column: X.rename(columns={{{name!r}: 'my_{name}'}}).",
            )


def _write_holdout(folder: Path, holdout: Holdout, rows: bool) -> None:
    """The hashes of the rows that were seen, and the rows of the certificate if wanted."""
    buffer = io.BytesIO()
    np.save(buffer, holdout.seen, allow_pickle=False)
    write_bytes(buffer.getvalue(), folder / "seen.npy")
    if rows:
        _write_rows(folder, holdout)


def _write_rows(folder: Path, holdout: Holdout) -> None:
    import importlib.util

    import pandas as pd

    rows, names = holdout.rows, list(holdout.rows.features.names)
    native = rows.features.decode(rows.values) if rows.features.shape else rows.native()
    if isinstance(native, pd.DataFrame):
        frame = native.set_axis(names, axis=1)
    else:  # signals and images lie flat, named by place
        frame = pd.DataFrame(np.asarray(native).reshape(len(native), -1), columns=names)
    frame = frame.assign(teacher_label=holdout.answers)
    if holdout.y is not None:
        frame = frame.assign(true_label=holdout.y)
    if holdout.groups is not None:
        frame = frame.assign(group=holdout.groups)
    if holdout.cases is not None:
        frame = frame.assign(case=holdout.cases)
    buffer = io.BytesIO()
    if importlib.util.find_spec("pyarrow"):
        frame.to_parquet(buffer)
        write_bytes(buffer.getvalue(), folder / "holdout.parquet")
    else:  # float64 prints exactly, float32 does not
        floats = frame.select_dtypes("float32").columns
        exact = frame.astype(dict.fromkeys(floats, "float64"))
        without_formulas(exact).to_csv(buffer, index=False)
        write_bytes(buffer.getvalue(), folder / "holdout.csv")


def _read_rows(folder: Path, student: Student) -> Holdout | None:
    """The rows of the certificate, where they were written."""
    import pandas as pd

    if (folder / "holdout.parquet").exists():
        frame = read_table(folder / "holdout.parquet")
    elif (folder / "holdout.csv").exists():
        frame = with_formulas(pd.read_csv(folder / "holdout.csv"))
    else:
        return None
    others = set(frame.columns) - set(student.features_.names)
    told = {name: frame[c].to_numpy() for name, c in _TOLD.items() if c in others}
    seen = np.empty(0, np.uint64)
    if (folder / "seen.npy").exists():
        seen = read_seen_hashes(read_array(folder / "seen.npy"))
    rows = student.features_.rows(frame)
    return Holdout(rows, told.pop("answers"), told.pop("y", None), told.pop("groups", None), seen,
                   **told)  # fmt: skip
