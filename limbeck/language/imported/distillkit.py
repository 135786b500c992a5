"""Log-probabilities as arcee-ai's DistillKit v1 packs them, read without it.

For each place ids are packed at ceil(log2 d) bits, the most probable first. Of the
log-probabilities the first ``exact_k`` are stored as they are; the others as least-squares
coefficients of some terms of t, and residuals in bins, each with a scale; all bits the most
significant first. With ``delta_encoding`` each value is the difference to the one before
(DistillKit's ``compression/monotonic_logprobs.py`` and ``bitpack.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.errors import FileRefused, InvalidInput, did_you_mean
from limbeck.data.yaml_files import read_yaml

__all__ = ["DistillKitLayout", "ResidualBin", "parquet_rows"]

_BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
_REMEDY = "Give the mapping that the files were written with: DistillKit does not store it."
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class ResidualBin:
    """Residuals of so many values, each of so many bits, with one scale."""

    scale_dtype: str
    element_bits: int
    num_elements: int


@dataclass(frozen=True)
class DistillKitLayout:
    """How log-probabilities are packed: the fields of DistillKit's DistributionQuantizationConfig.

    Parameters
    ----------
    d, k, exact_k : int
        Outputs of the teacher, kept values, and those among them that are stored exactly.
    exact_dtype, term_dtype : str
        Number types of exact values and of coefficients.
    polynomial_terms : sequence of int or str
        Powers of t, "sqrt" or "exp".
    residual_bins : sequence of ResidualBin
        Of the values behind the exact ones.
    delta_encoding, normalize_t : bool
        Differences instead of values; t in [0, 1] instead of 0, 1, 2, ...

    Raises
    ------
    InvalidInput
        If the layout has no meaning.
    """

    d: int
    k: int
    exact_k: int
    exact_dtype: str = "float32"
    polynomial_terms: tuple[int | str, ...] = ()
    term_dtype: str = "float32"
    residual_bins: tuple[ResidualBin, ...] = field(default_factory=tuple)
    delta_encoding: bool = True
    normalize_t: bool = False

    def __post_init__(self) -> None:
        for name in (
            self.exact_dtype,
            self.term_dtype,
            *(b.scale_dtype for b in self.residual_bins),
        ):
            if name not in _BYTES:
                raise InvalidInput(f"A number type is {name!r}.", did_you_mean(name, _BYTES))
        if not 0 <= self.exact_k <= self.k < self.d:
            raise InvalidInput(
                f"d is {self.d}, k {self.k} and exact_k {self.exact_k}.", "exact_k <= k < d."
            )
        bad = [t for t in self.polynomial_terms if isinstance(t, str) and t not in ("sqrt", "exp")]
        if bad:
            raise InvalidInput(f"A polynomial term is {bad[0]!r}.", "Give powers, 'sqrt' or 'exp'.")

    @classmethod
    def read(cls, given: Any) -> DistillKitLayout:
        """The layout from DistillKit's own configuration.

        Parameters
        ----------
        given : mapping or DistillKitLayout
            As its YAML files hold it, ``error_diffusion`` included, which readers need not know.
        """
        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping):
            raise InvalidInput(f"compression is {given!r}.", _REMEDY)
        known = {k: v for k, v in given.items() if k != "error_diffusion"}
        try:
            bins = tuple(ResidualBin(**b) for b in known.pop("residual_bins", None) or ())
            terms = tuple(known.pop("polynomial_terms", None) or ())
            return cls(**known, residual_bins=bins, polynomial_terms=terms)
        except TypeError as error:
            raise InvalidInput(f"compression does not fit: {error}.", _REMEDY) from None

    @classmethod
    def beside(cls, path: Path, given: Any = None) -> DistillKitLayout | None:
        """The layout as given, or from the compression_config.yaml beside the files.

        Parameters
        ----------
        path : Path
            A .parquet file, or a folder of them.
        given : mapping or DistillKitLayout, optional
            The configuration itself.
        """
        if given is not None:
            return cls.read(given)
        beside = (path if path.is_dir() else path.parent) / "compression_config.yaml"
        if not beside.is_file():
            return None
        try:
            given = read_yaml(beside.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FileRefused(
                f"{str(beside)!r} cannot be read: {error}.", "Check the file."
            ) from None
        return cls.read(given)

    def unpacked(self, logs: Bytes, ids: Bytes) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids and log-probabilities of n places, both (n, k).

        Parameters
        ----------
        logs, ids : ndarray of uint8, shape (n, bytes)
            ``compressed_logprobs`` and ``bytepacked_indices``.

        Raises
        ------
        InvalidInput
            If there are more or fewer bytes than the layout says.
        """
        bits = int(np.ceil(np.log2(self.d)))
        wanted = self._size(), (self.k * bits + 7) // 8
        if (logs.shape[1], ids.shape[1]) != wanted:
            raise InvalidInput(
                f"Places have {logs.shape[1]} bytes of log-probabilities and {ids.shape[1]} of ids,"
                f" and the layout says {wanted[0]} and {wanted[1]}.",
                _REMEDY,
            )
        found, at = [], 0
        if self.exact_k:
            exact, at = _numbers(logs, at, self.exact_k, self.exact_dtype)
            found.append(exact)
        rest = np.zeros((len(logs), self.k - self.exact_k))
        if self.polynomial_terms:
            coefficients, at = _numbers(logs, at, len(self.polynomial_terms), self.term_dtype)
            rest += coefficients @ self._terms(rest.shape[1]).T
        start = 0
        for one in self.residual_bins:
            scale, at = _numbers(logs, at, 1, one.scale_dtype)
            size = (one.num_elements * one.element_bits + 7) // 8
            whole = _integers(logs[:, at : at + size], one.element_bits, one.num_elements)
            low = -(2 ** (one.element_bits - 1)) if one.element_bits > 1 else None
            values = whole * 2.0 - 1 if low is None else whole + float(low)
            rest[:, start : start + one.num_elements] += values * scale
            at, start = at + size, start + one.num_elements
        logprobs = np.concatenate([*found, rest], 1)
        if self.delta_encoding:
            logprobs = logprobs.cumsum(1)
        return _integers(ids, bits, self.k), logprobs

    def _size(self) -> int:
        """Bytes of the log-probabilities of a place."""
        out = self.exact_k * _BYTES[self.exact_dtype]
        out += len(self.polynomial_terms) * _BYTES[self.term_dtype]
        for one in self.residual_bins:
            out += _BYTES[one.scale_dtype] + (one.num_elements * one.element_bits + 7) // 8
        return out

    def _terms(self, n: int) -> NDArray[np.float64]:
        t = np.linspace(0, 1, n) if self.normalize_t else np.arange(n, dtype=np.float64)
        named = {"sqrt": np.sqrt, "exp": np.exp}
        columns = [named[i](t) if isinstance(i, str) else t**i for i in self.polynomial_terms]
        return np.stack(columns, 1)


def _numbers(logs: Bytes, at: int, count: int, name: str) -> tuple[NDArray[np.float64], int]:
    """So many numbers of each place from a byte on, and where they end."""
    end = at + count * _BYTES[name]
    part = torch.from_numpy(np.array(logs[:, at:end], order="C"))  # numpy has no bfloat16
    found: NDArray[np.float64] = part.view(getattr(torch, name)).double().numpy()
    return found, end


def _integers(packed: Bytes, bits: int, count: int) -> NDArray[np.int64]:
    """So many whole numbers of each place, the most significant bit first."""
    stream = np.unpackbits(np.ascontiguousarray(packed), axis=1)[:, : count * bits]
    powers = 1 << np.arange(bits - 1, -1, -1, dtype=np.int64)
    found: NDArray[np.int64] = stream.reshape(len(packed), count, bits).astype(np.int64) @ powers
    return found


def parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """Rows of Parquet files in the order of their names and places, some at a time.

    Parameters
    ----------
    path : Path
        A file, or a folder of them.
    """
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise InvalidInput(
            f"Reading {str(path)!r} needs pyarrow.", "pip install 'limbeck[parquet]'."
        ) from None
    files = sorted(path.glob("*.parquet"), key=_numbered) if path.is_dir() else [path]
    for name in files:
        try:
            with pq.ParquetFile(name) as file:
                for batch in file.iter_batches(batch_size=64):
                    yield from batch.to_pylist()
        except (OSError, ValueError) as error:
            raise FileRefused(
                f"{str(name)!r} cannot be read: {error}.", "Check the file."
            ) from None


def _numbered(path: Path) -> tuple[int, str]:
    """data_2 before data_10."""
    digits = "".join(c for c in path.stem if c.isdigit())
    return int(digits or 0), path.name
