"""What a network's distillation leaves on disk, so that others can use and verify it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.certificate_file import save as save_certificate
from limbeck.core.arrays import write_arrays
from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import LimbeckError
from limbeck.core.strict_json import strict_json
from limbeck.data.duplicates import Rule
from limbeck.evaluation.network_comparison import issue
from limbeck.export.networks import write_student
from limbeck.export.onnx_graph import export_onnx
from limbeck.modules.outputs import reading_of
from limbeck.networks.predictor import Certified
from limbeck.students.onnx.layout import Layout
from limbeck.students.onnx.student import KEY, OnnxStudent

__all__ = ["Artifacts"]


@dataclass(frozen=True, eq=False)
class Artifacts:
    """The rows of the certificate, and how it was issued.

    Parameters
    ----------
    certified : Certified or None
        The student with the table of its test rows; None without a teacher.
    layout : Layout
        That of the inputs.
    seen : ndarray of uint64, optional
        Hashes of the training rows.
    epsilon, delta : float
        What was asked for.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are.
    """

    certified: Certified | None
    layout: Layout
    seen: NDArray[np.uint64] | None
    epsilon: float
    delta: float
    duplicates: Rule = "auto"

    def write(self, result: Any, folder: Path) -> tuple[str, ...]:
        """Write weights, ONNX, certificate and rows; returns what could not be written.

        Parameters
        ----------
        result : NetworkDistillation
            Its student is written.
        folder : Path
            It is there, and empty.
        """
        write_student(result.student, folder)
        if self.certified is None:
            return ()
        table = self.certified.table
        write_arrays(
            folder / "rows.npz",
            rows=table.rows.astype(_smallest(table.rows)),
            names=np.array(table.layout.features.names),
            answers=np.asarray(table.answers),
            **({} if table.cases is None else {"cases": np.array([str(c) for c in table.cases])}),
        )
        if self.seen is not None:
            buffer = io.BytesIO()
            np.save(buffer, self.seen, allow_pickle=False)
            write_bytes(buffer.getvalue(), folder / "seen.npy")
        certificate, lost = result.certificate, []
        try:
            inputs = self._inputs()
            export_onnx(result.student, inputs, folder / "student.onnx", metadata=self._meta())
            exported = OnnxStudent(folder / "student.onnx")
            certificate = issue(
                exported, table, self.seen, self.epsilon, self.delta, self.duplicates
            )
        except LimbeckError as error:
            lost.append(f"student.onnx was not written: {error.problem} {error.remedy}")
        save_certificate(certificate, folder / "certificate.json")
        return tuple(lost)

    def _inputs(self) -> Any:
        """Two test rows, as the network takes them."""
        assert self.certified is not None  # noqa: S101  (see write)
        return self.certified.inputs(self.certified.table.rows[:2])

    def _meta(self) -> dict[str, str]:
        assert self.certified is not None  # noqa: S101  (see write)
        task, table = self.certified.task_, self.certified.table
        classes = [c.item() if isinstance(c, np.generic) else c for c in task.classes]
        told = {
            "classes": classes,
            "unit": task.unit,
            "layout": table.layout.to_list(),
            "compared": table.compared,
            "form": reading_of(self.certified.module).form,
        }
        return {KEY: strict_json(told, indent=None)}


def _smallest(rows: NDArray[np.float64]) -> str:
    """float32 where it holds the rows exactly."""
    return "float32" if (rows.astype(np.float32) == rows).all() else "float64"
