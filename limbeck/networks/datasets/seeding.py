"""Random numbers as a function of what they are for: a seed, a sample and a view of it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

__all__ = ["mixed", "restored", "seed_all", "seed_torch", "state"]

_MASK = (1 << 64) - 1


def mixed(*parts: int) -> int:
    """One seed in [0, 2^64) from several integers.

    The mixer is that of splitmix64 (Steele, Lea and Flood 2014).

    Examples
    --------
    >>> mixed(0, 1) == mixed(0, 1), mixed(0, 1) == mixed(1, 0)
    (True, False)
    """
    z = 0
    for part in parts:
        z = (z ^ (part & _MASK)) + 0x9E3779B97F4A7C15 & _MASK
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
        z ^= z >> 31
    return z


def seed_all(seed: int) -> None:
    """Seed the global generators that augmentations draw from: torch's on the CPU, numpy's, random.

    The generators of accelerators are left alone: a network that trains there is not disturbed.
    """
    torch.default_generator.manual_seed(seed & _MASK >> 1)
    np.random.seed(seed & 0xFFFFFFFF)  # noqa: NPY002  (what augmentations use is global)
    random.seed(seed)


def seed_torch(seed: int) -> None:
    """Seed torch's generators, as `torch.manual_seed` does.

    That keeps a seed for accelerators that are not there, with the call stack, which takes longer
    than a step of a small network.

    Parameters
    ----------
    seed : int
        The seed.
    """
    if torch.accelerator.device_count():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def state() -> tuple[Any, ...]:
    """Where the three global generators stand; two states compare equal where none was used."""
    return torch.get_rng_state().numpy().tobytes(), _of_numpy(), random.getstate()


def _of_numpy() -> dict[str, Any]:
    """The state of numpy's global generator, whose words are a list.

    numpy reads the words back one by one: from a list 30 times as fast as from an array.
    """
    found: dict[str, Any] = np.random.get_state(legacy=False)  # noqa: NPY002
    inner = found["state"]
    if isinstance(words := inner.get("key"), np.ndarray):
        found["state"] = inner | {"key": words.tolist()}
    return found


_inside = threading.local()


@contextmanager
def restored() -> Iterator[None]:
    """Leave the three global generators as they were found.

    One within another does nothing: keeping them takes longer than drawing most samples, and the
    outer one restores them.
    """
    if getattr(_inside, "one", False):
        yield
        return
    _inside.one = True
    kept = torch.get_rng_state(), _of_numpy(), random.getstate()
    try:
        yield
    finally:
        _inside.one = False
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
        random.setstate(kept[2])
