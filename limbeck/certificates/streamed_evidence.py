"""Rows and answers that are read once, in batches; what is kept of each lies on disk."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.evidence import Predictor, count
from limbeck.certificates.fingerprint import read_seen_hashes
from limbeck.certificates.losses import BoundedLoss, encode_answers, encode_predictions
from limbeck.core.errors import InvalidInput
from limbeck.data.cases import Units
from limbeck.data.duplicates import (
    Duplicates,
    Rule,
    near_hashes,
    round_to_float32,
    row_hashes,
)
from limbeck.data.spilled import Spilled

__all__ = ["StreamedEvidence"]

_ENTRY = np.dtype("S40")  # the SHA-256 of a row and its answer, as in `Fingerprint`
_DRAW = np.dtype([("hash", "<u8"), ("loss", "u1")])
_NEAR = np.dtype([("near", "<u8"), ("hash", "<u8")])


class StreamedEvidence:
    """The counterpart of `Evidence` for rows that do not fit into memory, and losses that count.

    Of each row 49 bytes are written to disk: its fingerprint and answer, its hash, and whether the
    student was wrong. They are compared bucket by bucket, so that memory does not grow with rows.

    Parameters
    ----------
    student : Predictor
        The student.
    loss : BoundedLoss
        What is counted: 0 or 1 for each row.
    folder : Path
        An empty folder for what is written.
    seen : ndarray of uint64, shape (m,), optional
        Hashes of the rows that training saw.
    rule : {"auto", "drop", "keep"}
        What identical rows are.
    """

    has_cases = False
    ordered_rows = None

    def __init__(
        self,
        student: Predictor,
        loss: BoundedLoss,
        folder: Path,
        seen: NDArray[np.uint64] | None = None,
        rule: Rule = "auto",
    ) -> None:
        self.student, self.loss, self.rule = student, loss, rule
        self.seen = None if seen is None else np.sort(_hashes_of_rows(seen))
        self.count, self._hits = 0, 0
        self._entries = Spilled(folder / "entries", _ENTRY)
        self._draws = Spilled(folder / "draws", _DRAW)
        self._near = Spilled(folder / "near", _NEAR)

    def record(self, rows: Any, answers: Any) -> None:
        """Ask the student about a batch, and write down what is kept of it.

        Parameters
        ----------
        rows : DataFrame of shape (b, d)
            The rows.
        answers : array-like of shape (b,)
            The teacher's answers.

        Raises
        ------
        InvalidInput
            If rows, answers or predictions do not fit; the row is that of the whole table.
        """
        n, task = count(rows), self.student.task_
        raw, encoded = encode_answers(answers, n, task)
        predicted, p = encode_predictions(self.student.predict(rows), n, task)
        losses = self.loss.each(predicted, raw, p, encoded)
        values = self.student.features_.encode(rows)
        told = round_to_float32(encoded)
        entries = np.array(
            [
                hashlib.sha256(row.tobytes()).digest() + answer.tobytes()
                for row, answer in zip(round_to_float32(values), told, strict=True)
            ],
            dtype=_ENTRY,
        )
        self._entries.add(entries, entries.view(np.uint8).reshape(n, 40)[:, 0])
        bare = getattr(self.student, "bare", None)
        values = values if bare is None else bare(values)
        own = row_hashes(values)
        self._draws.add(_records(_DRAW, own, losses), _bucket(own))
        nears = near_hashes(values)
        for near in nears:
            beside = near != own
            self._near.add(_records(_NEAR, near[beside], own[beside]), _bucket(near[beside]))
        if self.seen is not None:
            met = np.isin(own, self.seen)
            for near in nears:
                met |= np.isin(near, self.seen)
            self._hits += int(met.sum())
        self.count += n

    @cached_property
    def rows(self) -> str:
        """SHA-256 of the rows with their answers, in any order; as `Fingerprint.hexdigest`."""
        out = hashlib.sha256(b"limbeck rows 2\n")
        classes = [str(c) for c in self.student.task_.classes]
        out.update(json.dumps([False, self.count, classes], allow_nan=False).encode())
        for bucket in self._entries:
            out.update(np.sort(bucket).tobytes())
        return out.hexdigest()

    @cached_property
    def _distinct(self) -> tuple[int, int]:
        """Different rows, and how many of them the student is wrong on."""
        n = errors = 0
        near, known = [], iter(self._near)
        for draws in self._draws:
            hashes, losses = _worst(draws)
            n, errors = n + len(hashes), errors + int(losses.sum())
            pairs = next(known)
            near.append(pairs[np.isin(pairs["near"], hashes)])
        pairs = np.concatenate(near)
        if len(pairs):  # rows of two hashes that are one row: rounding set them apart
            merged, wrong = self._joined(pairs)
            n, errors = n - merged, errors - wrong
        return n, errors

    def _joined(self, pairs: NDArray[Any]) -> tuple[int, int]:
        """How many hashes, and errors, fewer there are if these pairs are one row each."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        known, at = np.unique(np.concatenate([pairs["near"], pairs["hash"]]), return_inverse=True)
        size = len(pairs)
        edges = coo_array((np.ones(size), (at[:size], at[size:])), shape=(len(known), len(known)))
        groups, label = connected_components(edges, directed=False)
        wrong = np.zeros(len(known), dtype=np.int64)
        for bucket in np.unique(_bucket(known)):
            hashes, losses = _worst(self._draws[int(bucket)])
            here = _bucket(known) == bucket
            wrong[here] = losses[np.searchsorted(hashes, known[here])]
        worst = np.zeros(groups, dtype=np.int64)
        np.maximum.at(worst, label, wrong)
        return len(known) - groups, int(wrong.sum() - worst.sum())

    @cached_property
    def draws(self) -> tuple[int, int]:
        """Independent draws, and how many of them the student is wrong on.

        Raises
        ------
        InvalidInput
            If rows are identical, and it was not said what they are.
        """
        n, errors = self._distinct
        repeated = self.count - n
        if repeated and self.rule == "auto":
            raise InvalidInput(
                f"{repeated:,} of {self.count:,} rows are identical to another one, and a table"
                " that is read in batches does not tell copies from inputs that are frequent.",
                'Say which: duplicates="drop" if rows were copied, so that each counts once;'
                ' duplicates="keep" if each is a draw of its own, as in a log of requests.',
            )
        if self.rule == "keep":
            return self.count, sum(int(d["loss"].sum()) for d in self._draws)
        return n, errors

    @property
    def duplicates(self) -> Duplicates:
        """How many rows are copies, or coincide; of which row each is one is not kept."""
        repeated, none = self.count - self._distinct[0], np.empty(0, dtype=np.int64)
        return (
            Duplicates(none, 0, repeated) if self.rule == "keep" else Duplicates(none, repeated, 0)
        )

    @property
    def units(self) -> Units:
        """No draws are joined: there are no cases."""
        none = np.empty(0, dtype=np.int64)
        return Units(none, none)

    @property
    def seen_facts(self) -> dict[str, Any] | None:
        """The numbers of the comparison with rows that training saw; None without a list.

        Raises
        ------
        InvalidInput
            If training saw any.
        """
        if self.seen is None:
            return None
        if self._hits:
            raise InvalidInput(
                f"Training saw {self._hits:,} of these {self.count:,} rows.",
                "Leave them out; or certify on a sample that fits into memory, where limbeck judges"
                " whether chance explains them.",
            )
        digest = hashlib.sha256(self.seen.astype("<u8").tobytes()).hexdigest()
        return {
            "rows": len(self.seen), "hits": 0, "of": self.count, "cases": None, "list": digest,
        }  # fmt: skip


def _hashes_of_rows(seen: NDArray[np.uint64]) -> NDArray[np.uint64]:
    seen = read_seen_hashes(seen)
    return seen if seen.ndim == 1 else seen[:, 0]


def _bucket(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.asarray(hashes >> np.uint64(56), dtype=np.uint8)


def _records(kind: np.dtype[Any], *columns: NDArray[Any]) -> NDArray[Any]:
    out = np.empty(len(columns[0]), dtype=kind)
    for name, column in zip(kind.names or (), columns, strict=True):
        out[name] = column
    return out


def _worst(draws: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Different hashes in order, and the largest loss of each: copies count once."""
    order = np.argsort(draws["hash"], kind="stable")
    hashes, losses = draws["hash"][order], draws["loss"][order]
    starts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]][: len(hashes)])
    if not len(starts):
        return hashes, losses
    return hashes[starts], np.maximum.reduceat(losses, starts)
