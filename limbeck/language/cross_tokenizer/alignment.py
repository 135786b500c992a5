"""Where two tokenizers end a token at the same byte of a text: there chunks begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.language.token_bytes import TokenBytes, repaired

__all__ = ["AlignedText", "align"]

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AlignedText:
    """A prompt with a text after it, in both models' tokens.

    Parameters
    ----------
    student_ids, teacher_ids : sequence of int
        Tokens of prompt and text.
    student, teacher : ndarray of int64, shape (b,)
        The token that ends at each of b shared boundaries, from the end of the prompt on: chunk c
        is what stands behind boundary c, up to and with boundary c + 1.
    cut_off : bool
        Whether the rest of the text is left out, which the teacher has no tokens for.
    """

    student_ids: Sequence[int]
    teacher_ids: Sequence[int]
    student: Places
    teacher: Places
    cut_off: bool = False

    @property
    def chunks(self) -> int:
        """Chunks of the text."""
        return max(len(self.student) - 1, 0)

    def at(self, kept: NDArray[np.bool_]) -> AlignedText:
        """The same with some of the boundaries only.

        Parameters
        ----------
        kept : ndarray of bool, shape (b,)
            Which ones.
        """
        return AlignedText(
            self.student_ids, self.teacher_ids, self.student[kept], self.teacher[kept],
            self.cut_off,
        )  # fmt: skip


def align(
    student: TokenBytes,
    teacher: TokenBytes,
    prompt: Sequence[int],
    text: Sequence[int],
    ends: Sequence[int],
    end: int | None,
    most: int | None = None,
) -> AlignedText:
    """Find the shared boundaries of a text; offsets are bytes, so that no character is lost.

    The teacher's tokens are those of the whole text. Where a token of it straddles the end of the
    prompt, the first chunk begins behind it; where nothing is left then, prompt and text are
    tokenized apart. The ends of text of both models make a last chunk. From a
    character on that the teacher has no tokens for the text is left out.

    Parameters
    ----------
    student, teacher : TokenBytes
        Of both tokenizers.
    prompt, text : sequence of int
        The student's tokens.
    ends : sequence of int
        Tokens with which the student ends a text.
    end : int or None
        The one of the teacher.
    most : int, optional
        The teacher's context: tokens beyond are left out.

    Examples
    --------
    See `limbeck.language.CrossTokenizer`.
    """
    whole = [*prompt, *text]
    ended = bool(text) and text[-1] in ends and end is not None and not student.table[text[-1]]
    readable, places = repaired(student.text(whole))
    known = teacher.known(readable)
    cut_off = known != readable
    readable, ended = known, ended and not cut_off
    ours = places[student.ends(whole)]
    after = places[student.ends(prompt)[-1] if len(prompt) else 0 :]
    start = int(after[after >= 0][0])  # a prompt may end within a character
    for joint in (True, False):
        ids = teacher.encoded(readable)
        if not joint:
            cut = readable.encode()[:start].decode(errors="ignore")
            ids = [*teacher.encoded(cut), *teacher.continued(readable[len(cut) :])]
        theirs = teacher.ends(ids)
        mine = ours
        if ended and end is not None:
            last = int(theirs[-1]) + 1
            ids, theirs = [*ids, end], np.append(theirs, last)
            mine = np.append(ours[:-1], last)
        ids, theirs = ids[:most], theirs[:most]
        found = _shared(mine, theirs, start)
        if len(found[0]) > 1 or not joint:
            break
    return AlignedText(whole, ids, *found, cut_off)


def _shared(ours: Places, theirs: Places, start: int) -> tuple[Places, Places]:
    """Last tokens that end at the bytes where both end one, from a byte on."""
    both = np.intersect1d(ours[ours >= start], theirs)
    student, teacher = (np.searchsorted(_grown(e), both, side="right") - 1 for e in (ours, theirs))
    return student, teacher


def _grown(ends: Places) -> Places:
    """Ends in order: a token that ends within what is no character ends with the one after it."""
    high = np.where(ends < 0, np.iinfo(np.int64).max, ends)
    return np.minimum.accumulate(high[::-1])[::-1]
