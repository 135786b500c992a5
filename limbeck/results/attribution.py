"""What `limbeck.trim` found: an attribution for every coefficient of every row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, Self

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType

from limbeck.core.arrays import read_arrays, write_arrays
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.strict_json import plain, read_json, record, write_json
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import tag
from limbeck.reports.style import PAGE
from limbeck.reports.table import Table
from limbeck.results.attributions import (
    FEW,
    attribution_fragment,
    attribution_table,
    band_table,
    plot_bands,
)
from limbeck.results.result import Result, saved_whole
from limbeck.signal.bands import Band

__all__ = ["Attribution", "StoredTransform", "Way"]

Way = Literal["saliency", "input_x_gradient", "integrated_gradients", "differences"]
Vector = NDArray[np.float64]
_FORMAT, _VERSION = "limbeck-attribution", 1
_MOST = 4096  # coefficients in a picture


@dataclass(frozen=True, eq=False, repr=False)
class StoredTransform:
    """What a saved result keeps of its transform: its name, its bands and where they lie.

    Parameters
    ----------
    text : str
        As the transform printed itself.
    shape : tuple of int
        The shape of one row.
    bands : tuple of Band
        In the order of the columns.
    by_place : ndarray of shape (bands, *shape), or None
        See :meth:`Attribution.by_place`.
    """

    text: str
    shape: tuple[int, ...]
    bands: tuple[Band, ...]
    by_place: Vector | None = None

    def __repr__(self) -> str:
        return self.text

    def forward(self, x: Any) -> NoReturn:
        """Refused: what the transform learned was not saved.

        Raises
        ------
        InvalidInput
            Always.
        """
        raise InvalidInput(
            f"{self.text} was read from a result, which keeps its bands alone.",
            "Make the transform again and fit it to the same rows.",
        )

    inverse = forward


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(Result):
    """What each coefficient of each row does to the model's answer.

    Parameters
    ----------
    scores : ndarray of shape (n, m)
        The attributions, with their signs.
    coefficients : ndarray of shape (n, m)
        T(x).
    outputs : ndarray of int, shape (n,)
        Which output of the model was explained, by row.
    attribution : str
        How: saliency, input_x_gradient, integrated_gradients or differences.
    transform : Transform or StoredTransform
        The transform, fitted; of a result that was read from disk, what is kept of it.
    model : str
        The name of the model.
    inverse_error : float
        ||T^-1(T(x)) - x|| / ||x|| over all rows. What the inverse loses stays in the model's
        input as it was, and gets no attribution.
    step : float
        For differences, what each coefficient was moved by, in units of its band's size.
    still : float
        For differences, the mean share of rows whose answer did not change when a coefficient
        that the model reads was moved. Where it is large, the step is too small.
    """

    scores: Vector
    coefficients: Vector
    outputs: NDArray[np.int64]
    attribution: Way
    transform: Any
    model: str
    inverse_error: float
    step: float = 0.0
    still: float = 0.0

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands of the transform, in the order of the columns."""
        return tuple(self.transform.bands)

    def by_band(self) -> dict[str, float]:
        """The sum of absolute attributions in each band, on average over the rows."""
        sums = _sums(self.scores, self.bands)
        return {band.name: size for band, size in zip(self.bands, sums, strict=True)}

    def by_place(self) -> Vector | None:
        """Absolute attributions of each band over the inputs, on average over the rows.

        Returns
        -------
        ndarray of shape (bands, *shape), or None
            None for single inputs in no order, and where a transform has more than 4,096
            coefficients.
        """
        if isinstance(self.transform, StoredTransform):
            return self.transform.by_place
        shape, m = self.transform.shape, self.scores.shape[1]
        if len(shape) > 3 or shape[-1] < 2 or m > _MOST:
            return None
        return np.asarray(self.transform.spread(np.abs(self.scores).mean(axis=0)))

    def tables(self) -> dict[str, Table[Any]]:
        """The bands: coefficients, attribution, share."""
        return {"bands": band_table(self)}

    def plot(self, ax: Any = None) -> Any:
        """Draw a bar per band, of the strongest 24, in the order of the transform.

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
        return plot_bands(self, ax)

    def __rich__(self) -> RenderableType:
        return attribution_table(self)

    def _repr_html_(self) -> str:
        return attribution_fragment(self)

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path.

        Parameters
        ----------
        path : path
            Where; an older file is replaced.
        """
        title = "What the model reads"
        body = [tag("h1", title), attribution_fragment(self)]
        if len(self.bands) > FEW:
            body.append(band_table(self).to_html())
        return write_document(document(f"limbeck: {title}", body, PAGE), path)

    def to_dict(self) -> dict[str, Any]:
        """The bands with their attributions, and how they were found; the rows have a file."""
        names = ("attribution", "model", "inverse_error", "step", "still")
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "rows": len(self.scores),
            "transform": repr(self.transform),
            "shape": list(self.transform.shape),
            "bands": [
                {"name": b.name, "shape": list(b.shape), "sum": size}
                for b, size in zip(self.bands, _sums(self.scores, self.bands), strict=True)
            ],
            **{name: plain(getattr(self, name)) for name in names},
        }

    def save(self, folder: str | Path) -> Path:
        """Write the attributions of every row, the numbers and the page.

        Of the transform its name, its bands and where they lie are kept, which the page draws; not
        what it learned.

        Parameters
        ----------
        folder : str or Path
            It is made where it is not there.
        """
        place = self.by_place()
        arrays = {"scores": self.scores, "coefficients": self.coefficients, "outputs": self.outputs}
        with saved_whole(folder) as to:
            self.report(to / "report.html")
            write_arrays(
                to / "attribution.npz", **arrays, **({} if place is None else {"by_place": place})
            )
            write_json(self.to_dict(), to / "result.json")
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that :meth:`save` wrote.

        Parameters
        ----------
        folder : str or Path
            The folder.

        Raises
        ------
        FileRefused
            If it is of another kind, malformed or newer than this limbeck.
        """
        data = read_json(Path(folder) / "result.json", _FORMAT, _VERSION)
        path = Path(folder) / "attribution.npz"
        found = read_arrays(path, ("scores", "coefficients", "outputs"), ("by_place",))
        scores, place = found["scores"], found.get("by_place")
        kept = record(_Numbers, data)
        bands, start = [], 0
        for band in kept.bands:
            bands.append(Band(band.name, start, start + math.prod(band.shape), band.shape))
            start += math.prod(band.shape)
        n = kept.rows
        fits = (
            scores.shape == found["coefficients"].shape == (n, start)
            and found["outputs"].shape == (n,)
            and (place is None or place.shape == (len(bands), *kept.shape))
            and all(np.issubdtype(a.dtype, np.number) for a in found.values())
            and min(start, n) > 0
            and min(kept.inverse_error, kept.step) >= 0
            and 0 <= kept.still <= 1
        )
        stated = [band.sum for band in kept.bands]
        fits = fits and np.allclose(_sums(scores, bands), stated, 1e-9, 0.0, equal_nan=True)
        if not fits:
            raise FileRefused(
                f"{str(path)!r} does not fit the result beside it.", "Save the result again."
            )
        transform = StoredTransform(kept.transform, kept.shape, tuple(bands), place)
        return cls(
            scores, found["coefficients"], found["outputs"], kept.attribution, transform,
            kept.model, kept.inverse_error, kept.step, kept.still,
        )  # fmt: skip


def _sums(scores: Vector, bands: Sequence[Band]) -> list[float]:
    """Of absolute attributions in each band, on average over the rows."""
    size = np.abs(scores).mean(axis=0)
    return [float(size[band.start : band.stop].sum()) for band in bands]


@dataclass(frozen=True)
class _Part:
    """A band on disk."""

    name: str
    shape: tuple[int, ...]
    sum: float


@dataclass(frozen=True)
class _Numbers:
    """The numbers of a result on disk."""

    attribution: Way
    model: str
    inverse_error: float
    step: float
    still: float
    rows: int
    transform: str
    shape: tuple[int, ...]
    bands: tuple[_Part, ...]
