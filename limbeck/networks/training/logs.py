"""Metrics while training: a CSV file, and TensorBoard's event files where it is installed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused

__all__ = ["Metrics"]

NAME = "metrics.csv"


class Metrics:
    """Rows of metrics of one training.

    Parameters
    ----------
    folder : Path
        Where ``metrics.csv`` and, where TensorBoard is installed, ``tensorboard/`` are written.
    columns : sequence of str
        Names; the first is ``step``.
    step : int
        The update that training goes on from; rows that an interrupted run wrote after it are
        taken out, for they come again.
    """

    def __init__(self, folder: Path, columns: Sequence[str], step: int) -> None:
        self._columns = list(columns)
        path = folder / NAME
        kept: list[dict[str, str]] = []
        if step and path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                kept = [r for r in csv.DictReader(file) if int(r["step"]) <= step]
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
        write_bytes(text.getvalue().encode(), path)
        self._path = path
        self._events = _events(folder / "tensorboard", step)

    def write(self, row: Mapping[str, float | None]) -> None:
        """Add a row; what is None stays empty."""
        given = {k: v for k, v in row.items() if v is not None}
        try:
            with self._path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self._columns, lineterminator="\n").writerow(given)
        except OSError as error:
            raise FileRefused(
                f"{str(self._path)!r} cannot be written: {error.strerror or error}.",
                "Make room on the disk, then start the same training again: it goes on.",
            ) from None
        if self._events is not None:
            for name, value in given.items():
                if name != "step":
                    self._events.add_scalar(name, value, int(given["step"]))

    def close(self) -> None:
        """Write what is still in memory."""
        if self._events is not None:
            self._events.close()


def _events(folder: Path, step: int) -> Any:
    """TensorBoard's writer; None where it is not installed."""
    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
