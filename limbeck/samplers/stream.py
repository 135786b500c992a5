"""Fresh rows with the teacher's answers, batch by batch, for certificates that ask until sure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import answers
from limbeck.core.columns import Features
from limbeck.core.contract import Access, Sampler, Teacher
from limbeck.core.errors import AccessDenied
from limbeck.samplers.jitter import Jitter

__all__ = ["fresh_answers"]


def fresh_answers(
    teacher: Teacher,
    rows: Any,
    sampler: Sampler | None = None,
    *,
    batch: int = 100,
    seed: int = 0,
) -> Iterator[tuple[Any, NDArray[Any]]]:
    """Draw rows and ask the teacher, without end; for ``certify(student, until=..., draws=...)``.

    The certificate then speaks of the sampler's distribution, not of the data's.

    Parameters
    ----------
    teacher : Teacher
        See :func:`limbeck.as_teacher`.
    rows : array-like or DataFrame of shape (n, d)
        The data near which rows are drawn.
    sampler : Sampler, optional
        By default :class:`limbeck.samplers.jitter.Jitter`.
    batch : int
        Rows in a batch; a small one wastes fewer questions, a large one less time.
    seed : int
        Seed of the draws.

    Yields
    ------
    rows : array or DataFrame of shape (batch, d)
    answers : ndarray of shape (batch,)
        Labels, or values.

    Raises
    ------
    AccessDenied
        If the teacher answers stored rows only.
    """
    if Access.QUERIES not in teacher.access:
        raise AccessDenied(
            f"{teacher.name} answers stored rows only.", "Certify on rows with stored answers."
        )
    near, rng = Features.of(rows).rows(rows), np.random.default_rng(seed)
    source = sampler or Jitter()
    while True:
        drawn = source.draw(near, batch, rng).native()
        found = answers(teacher.scores(drawn), teacher.task)
        yield drawn, teacher.task.labels[found] if teacher.task.classifies else found
