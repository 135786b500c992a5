"""Another order of the classes is found where there is one, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from limbeck.data.class_order import LEVEL, _chance, better_order, beyond_chance


def labelled(k: int, n: int, accuracy: float, seed: int, p: list[float] | None = None):
    rng = np.random.default_rng(seed)
    y = rng.choice(k, n, p=p)
    other = (y + rng.integers(1, k, n)) % k
    return y, np.where(rng.random(n) < accuracy, y, other)


@settings(max_examples=40)
@given(st.integers(2, 8), st.integers(0, 10_000), st.data())
def test_every_permutation_is_found(k: int, seed: int, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(k))))
    y, answers = labelled(k, 100 * k, 0.9, seed)
    place = np.argsort(order)  # output j stands for class order[j]
    found = better_order(y, place[answers], k)
    if (order == np.arange(k)).all():
        assert found is None
        return
    assert found is not None
    assert found.order == tuple(order)
    assert found.right_then == (y == answers).sum()
    assert found.right == (y == place[answers]).sum()
    assert found.rows == 100 * k


def test_two_classes_are_tested_exactly() -> None:
    y = np.array([0] * 9 + [1] * 6)
    answers = np.array([1] * 8 + [0] + [0] * 6)
    table = [[1, 6], [8, 0]]
    p = fisher_exact(table, alternative="less").pvalue
    found = better_order(y, answers, 2, level=0.01)
    assert found is not None
    assert found.p == pytest.approx(p)
    assert better_order(y, answers, 2, level=p * 0.99) is None
    assert (found.right, found.right_then) == (1, 14)


def test_a_rare_class_is_enough() -> None:
    y, answers = labelled(2, 800, 1.0, 0, [0.99, 0.01])
    assert better_order(y, 1 - answers, 2) is not None
    assert better_order(y, answers, 2) is None


@pytest.mark.parametrize("k", [2, 3, 5, 10])
def test_models_at_chance_are_left_alone(k: int) -> None:
    rng = np.random.default_rng(k)
    stopped = 0
    for _ in range(500):
        y, answers = rng.integers(0, k, 60), rng.integers(0, k, 60)
        stopped += better_order(y, answers, k, level=0.05) is not None
    assert stopped <= 0.05 * 500 + 3 * np.sqrt(0.05 * 500)
    assert LEVEL <= 0.001


def test_poor_models_are_left_alone() -> None:
    # class 2 is unknown to the model, which says 1 in its place; and 1 is rare
    y = np.repeat([0, 1, 2], [200, 20, 200])
    assert better_order(y, np.minimum(y, 1), 3) is None
    # always the same answer
    assert better_order(y, np.zeros(420, int), 3) is None
    # many mistakes, in the right order
    assert better_order(*labelled(4, 400, 0.4, 0), 4) is None


def test_without_labels_all_is_chance() -> None:
    for k in (2, 3):
        assert _chance(np.zeros((k, k)), fewer=False) == _chance(np.zeros((k, k)), fewer=True) == 1


def test_right_answers_beyond_chance_are_counted_in_the_best_order() -> None:
    y = np.arange(30) % 3
    assert beyond_chance(y, y, 3) == beyond_chance(y, (y + 1) % 3, 3) == pytest.approx(20)
    assert beyond_chance(y, np.zeros(30, dtype=int), 3) == pytest.approx(0)
