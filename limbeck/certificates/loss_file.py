"""Losses that lie on disk, in order: sums and means of them bit for bit as of the same array."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.streamed_draws import StreamedDraws

__all__ = ["LossFile", "RowsInOrder"]

_ROWS = 65_536


class LossFile:
    """Numbers in a file, read a part at a time.

    Parameters
    ----------
    path : Path
        The file: float64, without a header. It is made where there is none.
    """

    def __init__(self, path: Path) -> None:
        path.touch()
        self.path = path

    def __len__(self) -> int:
        return self.path.stat().st_size // 8

    def append(self, losses: NDArray[np.float64]) -> None:
        """Write losses (b,) behind those that are there.

        Parameters
        ----------
        losses : ndarray of shape (b,)
            The losses.
        """
        with self.path.open("ab") as file:
            file.write(np.ascontiguousarray(losses, dtype="<f8").tobytes())

    def read(self, start: int, n: int) -> NDArray[np.float64]:
        """Losses from a place on, (n,).

        Parameters
        ----------
        start, n : int
            The first, and how many.
        """
        return np.fromfile(self.path, dtype="<f8", count=n, offset=8 * start)

    def starts(self) -> Iterator[int]:
        """Where each part of 65,536 losses starts, in order."""
        return iter(range(0, len(self), _ROWS))

    def parts(self) -> Iterator[NDArray[np.float64]]:
        """All losses, in parts."""
        return (self.read(start, _ROWS) for start in self.starts())

    def total(self, of: Callable[[int, int], NDArray[np.float64]] | None = None) -> float:
        """The sum, halved as numpy halves long sums, so that it rounds as numpy's does.

        Parameters
        ----------
        of : callable, optional
            ``of(start, n) -> (n,)``: what is summed instead of the losses, such as their squares.
        """
        return _pairwise(of or self.read, 0, len(self))

    def mean(self) -> float:
        """As ``losses.mean()``."""
        return self.total() / len(self)

    def variance(self, ddof: int = 0) -> float:
        """As ``losses.var(ddof=ddof)``.

        Parameters
        ----------
        ddof : int
            What is taken off the number of losses in the divisor.
        """
        mean = self.mean()
        return self.total(lambda start, n: (self.read(start, n) - mean) ** 2) / (len(self) - ddof)


def _pairwise(of: Callable[[int, int], NDArray[np.float64]], start: int, n: int) -> float:
    if n <= _ROWS:
        return float(of(start, n).sum())
    half = n // 2
    half -= half % 8  # numpy's pairwise sum: blocks of eight stay whole
    return _pairwise(of, start, half) + _pairwise(of, start + half, n - half)


class RowsInOrder:
    """What goes with each row of a table that is read in batches, in the order of the rows.

    Parameters
    ----------
    folder : Path
        Where to write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._losses, self.groups = LossFile(folder / "losses"), folder / "groups"

    def add(
        self,
        entries: NDArray[np.bytes_],
        losses: NDArray[np.float64],
        groups: NDArray[np.int32] | None,
    ) -> None:
        """Write a batch of b rows.

        Parameters
        ----------
        entries : ndarray of shape (b,)
            The fingerprint of each row with its answer.
        losses : ndarray of shape (b,)
            The loss of each.
        groups : ndarray of shape (b,), optional
            The number of the group of each.
        """
        self._losses.append(losses)
        with (self._folder / "ordered").open("ab") as file:
            file.write(entries.tobytes())
        if groups is not None:
            with self.groups.open("ab") as file:
                file.write(groups.astype("<i4").tobytes())

    def digest(self, start: Any) -> str:
        """The hexadecimal digest of a hash, continued over the rows in their order.

        Parameters
        ----------
        start : hashlib hash
            What was hashed before.
        """
        with (self._folder / "ordered").open("rb") as file:
            while block := file.read(1 << 20):
                start.update(block)
        return str(start.hexdigest())

    def different(self, draws: StreamedDraws | None) -> LossFile:
        """Losses of different rows, or of all.

        Parameters
        ----------
        draws : StreamedDraws, optional
            Which rows are identical; None where all are draws of their own.
        """
        if draws is None:
            return self._losses
        return self._parted(draws, ("hash",), grouped=False)[0]

    def by_group(self, draws: StreamedDraws | None) -> dict[int, LossFile]:
        """The same of each group, by its number.

        Parameters
        ----------
        draws : StreamedDraws, optional
            As for `different`.
        """
        return self._parted(draws, ("hash", "group"), grouped=True)

    def marked(self, draws: StreamedDraws | None, keys: tuple[str, ...]) -> LossFile:
        """A copy of all losses, NaN for rows that copy another one; see `StreamedDraws.mark`.

        Parameters
        ----------
        draws : StreamedDraws, optional
            As for `different`.
        keys : tuple of str
            As for `StreamedDraws.mark`.
        """
        marked = LossFile(self._folder / "marked")
        shutil.copyfile(self._losses.path, marked.path)
        if draws is not None:
            draws.mark(marked.path, keys)
        return marked

    def _parted(
        self, draws: StreamedDraws | None, keys: tuple[str, ...], *, grouped: bool
    ) -> dict[int, LossFile]:
        marked = self.marked(draws, keys)
        out: dict[int, LossFile] = {}
        for start, part in zip(marked.starts(), marked.parts(), strict=True):
            codes = np.zeros(len(part), dtype="<i4")
            if grouped:
                codes = np.fromfile(self.groups, dtype="<i4", count=len(part), offset=4 * start)
            codes, part = codes[~np.isnan(part)], part[~np.isnan(part)]
            for code in np.unique(codes).tolist():
                name = f"group {code}" if grouped else "different"
                file = out.setdefault(code, LossFile(self._folder / name))
                file.append(part[codes == code])
        return out
