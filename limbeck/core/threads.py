"""Threads of numeric libraries: one, where work is small or must be the same everywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread", "one_thread"]

_THREADED = ("torch", "sklearn", "scipy.linalg", "lightgbm", "xgboost", "catboost", "onnxruntime")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """One thread for linear algebra: many small products wait longer for threads than they take."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for linear algebra and torch, so that sums are the same in every process."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 0
    with _libraries().limit(limits=1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(threads)


def _libraries() -> ThreadpoolController:
    return _found(tuple(name in sys.modules for name in _THREADED))


@cache
def _found(imported: tuple[bool, ...]) -> ThreadpoolController:
    """The libraries with threads of their own; looking for them takes longer than a small way."""
    return ThreadpoolController()
