"""Fresh signals and images: variants of real ones, shifted, scaled, with noise, mixed or masked.

What every augmentation of time series does (Iwana and Uchida 2021 compare them), with one
difference: the teacher is asked what a variant is, so no variant needs to keep its label.

Rows are signals (t,), (t, c), (c, t) or images (c, h, w): of two axes the longer one is time, of
three the last two are places. Rows of a plain table are taken for signals of one channel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import SAMPLERS

__all__ = ["SIGNALS", "MaskedSignals", "MixedSignals", "NoisySignals", "ScaledSignals",
           "ShiftedSignals", "SignalVariants"]  # fmt: skip

Signals = NDArray[np.float64]
SIGNALS = ("signal_mix", "signal_variants")
"""What is tried on signals where ``sampler="auto"``, beside no queries at all."""
_NEIGHBOURS = 5


@dataclass(frozen=True)
class SignalSampler(ABC):
    """Variants of signals that are picked at random."""

    words: ClassVar[str]

    def draw(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw n variants of ``rows``.

        Parameters
        ----------
        rows : Rows
            Signals or images, numbers only.
        n : int
            Rows to draw.
        rng : numpy.random.Generator
            The source of chance.

        Raises
        ------
        InvalidInput
            If n is negative, or a column is no number.
        """
        return self.draw_with_sources(rows, n, rng)[0]

    def draw_with_sources(
        self, rows: Rows, n: int, rng: np.random.Generator
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Draw n variants, and say from which rows each was made.

        Parameters
        ----------
        rows, n, rng
            As in :meth:`draw`.

        Returns
        -------
        drawn : Rows
            Of shape (n, d).
        sources : ndarray of shape (n, 2), int
            The signal that was picked, and the one that it was mixed with (or itself).

        Raises
        ------
        InvalidInput
            As :meth:`draw`.
        """
        if n < 0:
            raise InvalidInput(f"n is {n}.", "Ask for a number of rows.")
        other = next((c.name for c in rows.features.columns if c.kind == "categorical"), None)
        if other is not None:
            raise InvalidInput(
                f"Column {other!r} is a category, and signals are numbers.",
                "Use sampler='munge' for tables.",
            )
        at = rng.integers(len(rows), size=n)
        with_ = self._partners(rows, at, rng)
        shape = _time_last(rows.features)
        signals = _to(rows.values[at], shape)
        every = _to(rows.values, shape)
        places = (0, *range(2, every.ndim))
        spread = np.nanstd(every, axis=places, keepdims=True)
        changed = self._changed(signals, _to(rows.values[with_], shape), spread, rng)
        values = _back(changed, shape)
        if rows.features.dtypes and rows.features.dtypes[0].lower() in ("float16", "float32"):
            values = values.astype(rows.features.dtypes[0].lower()).astype(np.float64)
        return Rows(rows.features, values), np.stack([at, with_], axis=1)

    def describe(self) -> str:
        """The distribution in words."""
        return f"signals of the data, {self.words}"

    def _partners(
        self, rows: Rows, at: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        return at

    @abstractmethod
    def _changed(
        self, signals: Signals, other: Signals, spread: Signals, rng: np.random.Generator
    ) -> Signals:
        """Variants of signals (n, c, t) or (n, c, h, w)."""


@SAMPLERS.register("signal_shift")
@dataclass(frozen=True)
class ShiftedSignals(SignalSampler):
    """Signals shifted in time, images along both sides; the ends are repeated.

    Parameters
    ----------
    most : float
        The largest shift, as a share of the length.
    """

    words: ClassVar[str] = "shifted in time"
    most: float = 0.1

    def __post_init__(self) -> None:
        _check_share("most", self.most)

    def _changed(
        self, signals: Signals, other: Signals, spread: Signals, rng: np.random.Generator
    ) -> Signals:
        for axis in range(2, signals.ndim):
            side = signals.shape[axis]
            reach = round(self.most * side)
            move = rng.integers(-reach, reach + 1, size=len(signals))
            from_ = np.clip(np.arange(side)[None] - move[:, None], 0, side - 1)
            index = from_.reshape(
                len(signals), *(side if a == axis else 1 for a in range(1, signals.ndim))
            )
            signals = np.take_along_axis(signals, index, axis=axis)
        return signals


@SAMPLERS.register("signal_scale")
@dataclass(frozen=True)
class ScaledSignals(SignalSampler):
    """Signals stretched in height about their own mean, by a factor exp(N(0, ``size``)).

    Parameters
    ----------
    size : float
        Standard deviation of the logarithm of the factor.
    """

    words: ClassVar[str] = "scaled in height"
    size: float = 0.2

    def __post_init__(self) -> None:
        _check_size("size", self.size)

    def _changed(
        self, signals: Signals, other: Signals, spread: Signals, rng: np.random.Generator
    ) -> Signals:
        axes = tuple(range(2, signals.ndim))
        middle = signals.mean(axis=axes, keepdims=True)
        factor = np.exp(self.size * rng.standard_normal((len(signals), *(1,) * (signals.ndim - 1))))
        return np.asarray(middle + (signals - middle) * factor)


@SAMPLERS.register("signal_noise")
@dataclass(frozen=True)
class NoisySignals(SignalSampler):
    """Signals with Gaussian noise at every point.

    Parameters
    ----------
    size : float
        Standard deviation of the noise, in units of that of the channel.
    """

    words: ClassVar[str] = "with noise"
    size: float = 0.1

    def __post_init__(self) -> None:
        _check_size("size", self.size)

    def _changed(
        self, signals: Signals, other: Signals, spread: Signals, rng: np.random.Generator
    ) -> Signals:
        return np.asarray(signals + self.size * spread * rng.standard_normal(signals.shape))


@SAMPLERS.register("signal_mix")
@dataclass(frozen=True)
class MixedSignals(SignalSampler):
    """Signals on the line to one of their five nearest neighbours, or beyond (SMOTE: Chawla 2002).

    Parameters
    ----------
    most : float
        How far at most: 1 reaches the neighbour.
    """

    words: ClassVar[str] = "mixed with one of their nearest neighbours"
    most: float = 1.0

    def __post_init__(self) -> None:
        _check_size("most", self.most)

    def _partners(
        self, rows: Rows, at: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        near = _nearest(rows)
        return np.asarray(near[at, rng.integers(near.shape[1], size=len(at))])

    def _changed(
        self, signals: Signals, other: Signals, spread: Signals, rng: np.random.Generator
    ) -> Signals:
        way = self.most * rng.random((len(signals), *(1,) * (signals.ndim - 1)))
        return np.asarray(signals + way * (other - signals))


@SAMPLERS.register("signal_mask")
@dataclass(frozen=True)
class MaskedSignals(SignalSampler):
    """Signals of which a stretch, and images of which a rectangle, is set to the channel's mean.

    Parameters
    ----------
    most : float
        The longest stretch, as a share of the length.
    """

    words: ClassVar[str] = "with a stretch masked"
    most: float = 0.2

    def __post_init__(self) -> None:
        _check_share("most", self.most)

    def _changed(
        self, signals: Signals, other: Signals, spread: Signals, rng: np.random.Generator
    ) -> Signals:
        inside = np.ones((len(signals), *(1,) * (signals.ndim - 1)), dtype=bool)
        for axis in range(2, signals.ndim):
            side = signals.shape[axis]
            long = rng.integers(0, max(1, round(self.most * side)) + 1, size=len(signals))
            start = (rng.random(len(signals)) * (side - long + 1)).astype(np.int64)
            place = np.arange(side)[None]
            hit = (place >= start[:, None]) & (place < (start + long)[:, None])
            inside = inside & _along(hit, axis, signals.ndim)
        middle = signals.mean(axis=tuple(range(2, signals.ndim)), keepdims=True)
        return np.where(inside, middle, signals)


@SAMPLERS.register("signal_variants")
@dataclass(frozen=True)
class SignalVariants(SignalSampler):
    """Signals mixed with a neighbour, and each shifted, scaled or given noise with probability p.

    Parameters
    ----------
    p : float
        The probability of each of these changes.
    shift, scale, noise, mix : float
        Their sizes; see the samplers of these names.
    """

    words: ClassVar[str] = "mixed with a near one, shifted, scaled and given noise by chance"
    p: float = 0.5
    shift: float = 0.05
    scale: float = 0.2
    noise: float = 0.1
    mix: float = 1.0

    def __post_init__(self) -> None:
        _check_share("p", self.p)
        self._parts()

    def _parts(self) -> tuple[SignalSampler, ...]:
        return (MixedSignals(self.mix), ShiftedSignals(self.shift), ScaledSignals(self.scale),
                NoisySignals(self.noise))  # fmt: skip

    def _partners(
        self, rows: Rows, at: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        return self._parts()[0]._partners(rows, at, rng)

    def _changed(
        self, signals: Signals, other: Signals, spread: Signals, rng: np.random.Generator
    ) -> Signals:
        for part in self._parts():
            yes = rng.random((len(signals), *(1,) * (signals.ndim - 1))) < self.p
            signals = np.where(yes, part._changed(signals, other, spread, rng), signals)
        return signals


@dataclass(frozen=True)
class _Shape:
    """The shape of one row, and whether its first axis is time and its last the channels."""

    sides: tuple[int, ...]
    turned: bool


def _time_last(features: Features) -> _Shape:
    sides = features.shape or (len(features),)
    if len(sides) > 3:
        raise InvalidInput(f"A row has shape {sides}.", "Give signals (t, c) or images (c, h, w).")
    return _Shape(sides, len(sides) == 2 and sides[0] > sides[1])


def _to(values: Signals, shape: _Shape) -> Signals:
    """Rows (n, d) as (n, c, t) or (n, c, h, w)."""
    sides = shape.sides if len(shape.sides) > 1 else (1, *shape.sides)
    signals = values.reshape(len(values), *sides)
    return signals.swapaxes(1, 2) if shape.turned else signals


def _back(signals: Signals, shape: _Shape) -> Signals:
    signals = signals.swapaxes(1, 2) if shape.turned else signals
    return signals.reshape(len(signals), -1)


def _along(values: NDArray[Any], axis: int, ndim: int) -> NDArray[Any]:
    """Values (n, side) of each row along one axis of arrays with so many dimensions."""
    n, side = values.shape
    return values.reshape(n, *(side if a == axis else 1 for a in range(1, ndim)))


_NEAR: WeakKeyDictionary[Rows, NDArray[np.int64]] = WeakKeyDictionary()


def _nearest(rows: Rows) -> NDArray[np.int64]:
    """For each row its nearest neighbours, at most five; itself where it is alone."""
    if rows not in _NEAR:
        from sklearn.neighbors import NearestNeighbors

        points = np.nan_to_num(rows.values).astype(np.float32)
        k = min(_NEIGHBOURS, len(points) - 1)
        if k < 1:
            return np.zeros((len(points), 1), dtype=np.int64)
        found = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
        _NEAR[rows] = np.asarray(found, dtype=np.int64)
    return _NEAR[rows]


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise InvalidInput(f"{name} is {value}.", "Give a share from 0 to 1.")


def _check_size(name: str, value: float) -> None:
    if not (np.isfinite(value) and value >= 0):
        raise InvalidInput(f"{name} is {value}.", "Give a number of at least 0.")
