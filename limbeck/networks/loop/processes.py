"""Several processes that run one program (torchrun): what only the first of them does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["first", "quietly"]


def first() -> bool:
    """Whether this is the process that prints and writes files; the only one is."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def quietly() -> Iterator[None]:
    """A stretch in which all other processes stand still, for what is timed in the first.

    All of them must come here, after a training: it is what makes them know each other.
    """
    yield
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        PartialState().wait_for_everyone()
