"""What is taken out of the rows of a finished run: copies of the test set, and near-duplicates."""

from __future__ import annotations

from collections.abc import Sequence

from limbeck.language.generated.near_duplicates import near_duplicates
from limbeck.language.generated.ngram_overlap import overlaps
from limbeck.language.generated.tasks import GeneratedRow
from limbeck.language.generated.writing_log import WritingLog

__all__ = ["cleaned"]


def cleaned(
    rows: Sequence[GeneratedRow],
    log: WritingLog,
    *,
    test: Sequence[str] = (),
    overlap: int = 13,
    near: float | None = 0.7,
) -> list[GeneratedRow]:
    """The rows without copies of the test set, and without near-duplicates; both are noted.

    Parameters
    ----------
    rows : sequence of GeneratedRow
        What was written.
    log : WritingLog
        Where what is dropped is noted.
    test : sequence of str
        Rows of the test set.
    overlap : int
        Tokens of the run that no row may share with a test row.
    near : float or None
        The Jaccard similarity of near-duplicates; None keeps them.
    """
    whole = [_whole(row) for row in rows]
    shared = overlaps(whole, test, overlap) if len(test) else {}
    for i, place in shared.items():
        why = f"shares {overlap} words with a test row"
        log.drop(whole[i], why, rows[i].requests[-1], "row", f"test row {place}")
    left = [i for i in range(len(rows)) if i not in shared]
    copies = {} if near is None else near_duplicates([whole[i] for i in left], near)
    for i, place in copies.items():
        log.drop(whole[left[i]], "near-duplicate (MinHash)", rows[left[i]].requests[-1],
                    "row", rows[left[place]].id)  # fmt: skip
    return [rows[i] for k, i in enumerate(left) if k not in copies]


def _whole(row: GeneratedRow) -> str:
    """All that was written for a row; of a text of a class the text alone."""
    return row.input if row.label is not None else f"{row.instruction}\n{row.input}\n{row.output}"
