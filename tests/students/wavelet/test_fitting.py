from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.wavelet.choice import FOLDS
from limbeck.students.wavelet.fitting import folds_of, read_soft_target
from limbeck.students.wavelet.wavelet import WaveletStudent


def test_targets_are_values_classes_or_their_probabilities() -> None:
    task = Task(("a", "b"))
    soft = np.array([[0.2, 0.8], [1.0, 0.0]])
    assert (read_soft_target(soft, 2, task)[1] == soft).all()
    assert read_soft_target(["b", "a"], 2, task)[1].tolist() == [[0, 1], [1, 0]]
    assert read_soft_target([0.5, 2.5], 2, None)[1].tolist() == [[0.5], [2.5]]
    with pytest.raises(InvalidInput, match="Give 3 rows of 2 probabilities"):
        read_soft_target(soft, 3, task)
    with pytest.raises(InvalidInput, match="no number from 0"):
        read_soft_target(-soft, 2, task)


def test_groups_are_whole_in_folds_of_the_same_rows() -> None:
    group = np.repeat(np.arange(20), 5)
    fold = folds_of(group, 100, np.random.default_rng(0))
    assert all(len(set(fold[group == g])) == 1 for g in range(20))
    assert set(fold) == set(range(FOLDS))
    with pytest.raises(InvalidInput, match="Give one per row"):
        folds_of(group[1:], 100, np.random.default_rng(0))


def test_groups_stay_together() -> None:
    """What only tells one group from another earns nothing where groups stay together."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(10), 40)
    X = rng.normal(size=(400, 16)) + 5 * rng.normal(size=(10, 16))[group]
    y = rng.normal(size=10)[group] + 0.1 * rng.normal(size=400)
    apart = WaveletStudent("haar", keep="place", largest=2).fit(X, y)
    together = WaveletStudent("haar", keep="place", largest=2).fit(X, y, groups=group)
    assert apart.tried_[0]["score"] > 0.5
    assert together.tried_[0]["score"] < apart.tried_[0]["score"] - 0.3
