"""Several processes that run one program (torchrun): what only one of them does."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

__all__ = ["first", "once", "quietly", "summed"]

_PATIENCE = timedelta(seconds=5)


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


def summed(*counts: int) -> tuple[int, ...]:
    """Counts of all processes, added up; all of them must come here, after a training.

    Parameters
    ----------
    *counts : int
        Of this process.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return counts
    from accelerate.utils import gather_object

    return tuple(map(sum, zip(*gather_object([counts]), strict=True)))


def once(text: str, tell: Callable[[], None]) -> None:
    """Tell what several processes may have to tell in one of them, whichever comes first.

    They meet in the store of torchrun, which is there before they know each other and needs no
    answer from those that have nothing to tell. Who comes later waits until it was told, since
    torchrun ends all processes when one fails; and tells it where it was not.

    Parameters
    ----------
    text : str
        What is told; processes that tell something else tell it, too.
    tell : callable
        Tells it.
    """
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        tell()
        return
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    key = f"limbeck/{attempt}/{hashlib.sha256(text.encode()).hexdigest()}"
    try:
        place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = TCPStore(*place, is_master=False, timeout=_PATIENCE)
        mine = store.add(key, 1) == 1
        if not mine:
            store.wait([f"{key}/told"], _PATIENCE)
    except (RuntimeError, KeyError, ValueError):  # rather twice than never
        tell()
        return
    if mine:
        tell()
        store.set(f"{key}/told", "")
