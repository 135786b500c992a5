"""The texts of a certificate as tokens, with their losses: what anyone recomputes it from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.arrays import read_arrays, write_arrays
from limbeck.core.errors import FileRefused
from limbeck.language.prompts import Prompts

__all__ = ["TEXTS", "CertifiedTexts"]

TEXTS = ("the student's texts", "the teacher's texts", "real texts")
"""Whose texts, in the order of a certificate."""
Tokens = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class CertifiedTexts:
    """Test prompts, the texts after them, and the loss of each.

    Parameters
    ----------
    losses : mapping of str to ndarray of shape (n,)
        By whose texts they are: the mean over tokens of the total variation, a prompt each.
    prompts : tuple of tuple of int
        Tokens of the n prompts; empty where they were not kept.
    texts : mapping of str to tuple of tuple of int
        Tokens of the texts after them, by whose they are; of real texts that are not known, none.
    """

    losses: Mapping[str, NDArray[np.float64]]
    prompts: Tokens = ()
    texts: Mapping[str, Tokens] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        losses: Mapping[str, NDArray[np.float64]],
        prompts: Prompts,
        student: Sequence[Sequence[int]],
        teacher: Sequence[Sequence[int]],
    ) -> CertifiedTexts:
        """Of a student that was judged.

        Parameters
        ----------
        losses : mapping
            As the certificate takes them.
        prompts : Prompts
            Test prompts, with the real texts.
        student, teacher : sequence of sequence of int
            What both wrote after them.
        """
        each = (student, teacher, [c or () for c in prompts.completions])
        texts = {name: tuple(map(tuple, t)) for name, t in zip(TEXTS, each, strict=True)}
        return cls(losses, tuple(prompts.ids), texts)

    def fingerprint(self) -> str:
        """That of the prompts and real texts, as the certificate names it."""
        real = tuple(t or None for t in self.texts[TEXTS[2]])
        n = len(self.prompts)
        return Prompts(("",) * n, self.prompts, real, (None,) * n).fingerprint()

    def save(self, path: Path) -> Path:
        """Write an .npz file.

        Parameters
        ----------
        path : Path
            Where.
        """
        names = list(self.losses)
        arrays = {"losses": np.stack([self.losses[n] for n in names]), "names": np.array(names)}
        if self.prompts:
            each = [self.prompts, *(self.texts[name] for name in TEXTS)]
            arrays["lengths"] = np.array([[len(t) for t in one] for one in each], dtype=np.int64)
            flat = [token for one in each for text in one for token in text]
            arrays["tokens"] = np.array(flat, dtype=np.int64)
        return write_arrays(path, **arrays)

    @classmethod
    def open(cls, path: Path) -> CertifiedTexts:
        """Read what `save` wrote.

        Parameters
        ----------
        path : Path
            The file.

        Raises
        ------
        FileRefused
            If it cannot be read, or its arrays do not fit each other.
        """
        found = read_arrays(path, ("losses", "names"), ("lengths", "tokens"))
        names, losses = [str(n) for n in found["names"].ravel()], found["losses"]
        good = losses.ndim == 2 and losses.dtype == np.float64 and len(names) == len(losses)
        by_name = dict(zip(names, losses, strict=False))
        if good and not {"lengths", "tokens"} <= found.keys():
            return cls(by_name)
        if not good or not _fitting(losses, found["lengths"], found["tokens"]):
            raise FileRefused(
                f"{str(path)!r} holds losses and texts that do not fit each other.",
                "Copy the folder again, or distil anew.",
            )
        lengths, tokens = found["lengths"], found["tokens"]
        parts = iter(np.split(tokens, np.cumsum(lengths.ravel())[:-1]))
        each = [tuple(tuple(map(int, next(parts))) for _ in row) for row in lengths]
        return cls(by_name, each[0], dict(zip(TEXTS, each[1:], strict=True)))


def _fitting(losses: NDArray[Any], lengths: NDArray[Any], tokens: NDArray[Any]) -> bool:
    """Whether lengths and tokens can be those of prompts and texts with these losses."""
    return bool(
        lengths.shape == (1 + len(TEXTS), losses.shape[1])
        and lengths.dtype == tokens.dtype == np.int64
        and tokens.ndim == 1
        and (lengths >= 0).all()
        and (lengths <= len(tokens)).all()
        and lengths.sum() == len(tokens)
        and (tokens >= 0).all()
    )
