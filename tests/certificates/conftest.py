"""Small students of the shape that certificates need, as fixtures."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from limbeck.core.columns import Features
from limbeck.core.task import Task

# timings say nothing on a machine that is shared
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


class Threshold:
    """Answers yes where the first column is above a threshold."""

    def __init__(self, threshold: float = 0.0, columns: int = 3) -> None:
        self.threshold = threshold
        self.features_ = Features.of(np.zeros((1, columns)))
        self.task_ = Task(classes=("no", "yes"))

    def predict(self, X: Any) -> Any:
        return np.where(self.features_.encode(X)[:, 0] > self.threshold, "yes", "no")

    def fingerprint(self) -> str:
        return hashlib.sha256(f"threshold {self.threshold}".encode()).hexdigest()


class Scale:
    """Answers with a multiple of the first column, in kPa."""

    def __init__(self, factor: float = 1.0, columns: int = 3) -> None:
        self.factor = factor
        self.features_ = Features.of(np.zeros((1, columns)))
        self.task_ = Task(unit="kPa")

    def predict(self, X: Any) -> Any:
        return self.factor * self.features_.encode(X)[:, 0]

    def fingerprint(self) -> str:
        return hashlib.sha256(f"scale {self.factor}".encode()).hexdigest()


@pytest.fixture
def threshold() -> type[Threshold]:
    return Threshold


@pytest.fixture
def scale() -> type[Scale]:
    return Scale
