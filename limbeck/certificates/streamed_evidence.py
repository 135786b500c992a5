"""Rows and answers that are read once, in batches; what is kept of each lies on disk."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.evidence import Predictor, count, fresh_cases
from limbeck.certificates.fingerprint import among, digests_of_rows, read_seen_hashes
from limbeck.certificates.loss_file import LossFile, RowsInOrder
from limbeck.certificates.losses import BoundedLoss, encode_answers, encode_predictions
from limbeck.certificates.streamed_cases import StreamedCases
from limbeck.certificates.streamed_draws import StreamedDraws
from limbeck.core.errors import InvalidInput
from limbeck.data.cases import Units
from limbeck.data.duplicates import (
    Duplicates,
    Rule,
    hashes_with_near,
    round_to_float32,
)
from limbeck.data.labels import is_missing, label_array
from limbeck.data.spilled import Spilled

__all__ = ["StreamedEvidence"]

_ENTRY = np.dtype("S40")  # the SHA-256 of a row and its answer, as in `Fingerprint`


class StreamedEvidence:
    """The counterpart of `Evidence` for rows that do not fit into memory.

    Of each row 49 bytes are written to disk: its fingerprint and answer, its hash, and whether the
    student was wrong; where the loss is no count also what `RowsInOrder` keeps. They are compared
    bucket by bucket, so that memory does not grow with rows.

    Parameters
    ----------
    student : Predictor
        The student.
    loss : BoundedLoss
        The loss; its tolerance is fixed.
    folder : Path
        An empty folder for what is written.
    seen : ndarray of uint64, shape (m,), optional
        Hashes of the rows that training saw.
    rule : {"auto", "drop", "keep"}
        What identical rows are.
    grouped : bool
        Whether each row has the label of a group, 4 bytes more.
    cases : bool
        Whether rows belong to cases; see `StreamedCases`.
    """

    def __init__(
        self,
        student: Predictor,
        loss: BoundedLoss,
        folder: Path,
        seen: NDArray[np.uint64] | None = None,
        rule: Rule = "auto",
        *,
        grouped: bool = False,
        cases: bool = False,
    ) -> None:
        self.student, self.loss, self.rule = student, loss, rule
        seen = None if seen is None else read_seen_hashes(seen)
        self._seen_cases = None if seen is None or seen.ndim == 1 else np.unique(seen[:, 1])
        self.seen = None if seen is None else np.sort(seen if seen.ndim == 1 else seen[:, 0])
        self.count, self._hits = 0, 0
        self._entries = Spilled(folder / "entries", _ENTRY)
        self.group_names: dict[str, int] = {}
        self._grouped = grouped
        self._in_order: RowsInOrder | None = None
        columns = {"loss": "u1", **({"group": "<i4"} if grouped else {})}
        self._cases = StreamedCases(folder) if cases else None
        if cases or not loss.counts:
            self._in_order = RowsInOrder(folder)
            columns |= {"loss": "<f8", "place": "<i8", **({"case": "<i8"} if cases else {})}
        self._draws = StreamedDraws(folder, columns)

    def record(self, rows: Any, answers: Any, groups: Any = None, cases: Any = None) -> None:
        """Ask the student about a batch, and write down what is kept of it.

        Parameters
        ----------
        rows : DataFrame of shape (b, d)
            The rows.
        answers : array-like of shape (b,)
            The teacher's answers.
        groups : array-like of shape (b,), optional
            The group of each row.
        cases : array-like of shape (b,), optional
            The case of each row.

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
                row + answer
                for row, answer in zip(
                    digests_of_rows(values), told.view(f"V{told.itemsize}").tolist(), strict=True
                )
            ],
            dtype=_ENTRY,
        )
        self._entries.add(entries, entries.view(np.uint8).reshape(n, 40)[:, 0])
        bare = getattr(self.student, "bare", None)
        values = values if bare is None else bare(values)
        own, *nears = hashes_with_near(values)
        more: list[NDArray[Any]] = [self._group_codes(groups, n)] if self._grouped else []
        if self._in_order is not None:
            self._check_range(losses)
            self._in_order.add(entries, losses, more[0] if more else None)
            more.append(np.arange(self.count, self.count + n))
        if self._cases is not None:
            more.append(self._cases.add(cases, n))
        self._draws.add(own, nears, losses, *more)
        if self.seen is not None:
            met = among(own, self.seen)
            for near in nears:
                met |= among(near, self.seen)
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
    def ordered_rows(self) -> str | None:
        """The same of rows in their order; None where only counts were kept."""
        if self._in_order is None:
            return None
        classes = [str(c) for c in self.student.task_.classes]
        out = hashlib.sha256(b"limbeck rows 2\n")
        out.update(json.dumps([True, self.count, classes], allow_nan=False).encode())
        digest = self._in_order.digest(out)
        return digest if self._cases is None else self._cases.digest(digest)

    def losses(self) -> LossFile:
        """One loss for each draw, in the order in which draws first occur."""
        if self._in_order is None:
            raise TypeError("Of counts no losses are kept.")
        n, _ = self.draws  # refuses
        return self._in_order.different(self._draws if n < self.count else None)

    def losses_by_group(self) -> dict[str, LossFile]:
        """The same of each group, by its label, in the order of labels."""
        if self._in_order is None:
            raise TypeError("Of counts no losses are kept.")
        draws = self._draws if self.rule != "keep" and self._distinct[0] < self.count else None
        found = self._in_order.by_group(draws)
        return {name: found[self.group_names[name]] for name in sorted(self.group_names)}

    @property
    def has_cases(self) -> bool:
        """Whether rows belong to cases."""
        return self._cases is not None

    @cached_property
    def _merged(self) -> int:
        copies = self.rule != "keep" and self._distinct[0] < self.count
        return self._cases.join(self._draws.shared_cases()) if self._cases and copies else 0

    def losses_of_cases(self) -> NDArray[np.float64]:
        """The mean loss of each case, in the order in which cases first occur, shape (m,)."""
        marked, cases, _ = self._marked_cases("hash")
        return cases.losses(marked)

    def losses_of_cases_by_group(self) -> dict[str, NDArray[np.float64]]:
        """The same of the rows of each group, by its label, in the order of labels."""
        marked, cases, groups = self._marked_cases("hash", "group")
        known = self.group_names
        return {name: cases.losses(marked, groups, known[name]) for name in sorted(known)}

    def _marked_cases(self, *keys: str) -> tuple[LossFile, StreamedCases, Path]:
        if self._in_order is None or self._cases is None:
            raise TypeError("There are no cases.")
        n, _ = self.draws  # refuses
        _ = self._merged  # joins
        marked = self._in_order.marked(self._draws if n < self.count else None, keys)
        return marked, self._cases, self._in_order.groups

    def _check_range(self, losses: NDArray[np.float64]) -> None:
        low, high = self.loss.low, self.loss.high
        wrong = np.flatnonzero(~((losses >= low) & (losses <= high)))
        if len(wrong):
            raise InvalidInput(
                f"The loss of row {self.count + wrong[0]} is {losses[wrong[0]]}, outside the range"
                f" ({low}, {high}).",
                "Give the range that the loss can never leave, known before the losses are seen.",
            )

    def _group_codes(self, groups: Any, n: int) -> NDArray[np.int32]:
        labels = label_array(groups, "The list of groups")
        missing = is_missing(labels)
        if len(labels) != n or missing.any():
            raise InvalidInput(
                f"There are {len(labels) - int(missing.sum())} groups for {n} rows of a batch.",
                "Give every row its group.",
            )
        known = self.group_names
        return np.array([known.setdefault(str(v), len(known)) for v in labels], dtype=np.int32)

    @property
    def _distinct(self) -> tuple[int, int]:
        """Different rows, and how many of them the student is wrong on."""
        n, wrong = self._draws.different
        return n, int(wrong)

    def by_group(self) -> dict[str, tuple[int, int]]:
        """Draws and errors of each group, by its label, in the order of labels."""
        found = self._draws.by_group(apart=self.rule == "keep")
        return {name: found[self.group_names[name]] for name in sorted(self.group_names)}

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
            return self.count, self._draws.all_wrong() if self.loss.counts else 0
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
        """How many cases were joined; of which unit each row is, is not kept."""
        none = np.empty(0, dtype=np.int64)
        return Units(none, none, self._merged)

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
        cases = None
        if self._cases is not None and self._seen_cases is not None:
            cases = fresh_cases(self._cases.hashes, self._seen_cases)
        return {
            "rows": len(self.seen), "hits": 0, "of": self.count, "cases": cases, "list": digest,
        }  # fmt: skip
