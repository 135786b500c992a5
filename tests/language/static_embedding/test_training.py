from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from limbeck.language.static_embedding.training import (
    TableData,
    cosine_loss,
    relation_loss,
    train_table,
    units,
)


def nothing(*args: object) -> None:
    pass


@pytest.fixture
def data() -> tuple[TableData, np.ndarray]:
    """Texts whose vectors are exactly the means of a table."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(30, 5))
    counts = rng.poisson(0.3, size=(400, 30)) + np.eye(30)[rng.integers(0, 30, 400)]
    bags = csr_array(counts / counts.sum(axis=1, keepdims=True))
    targets = units(bags @ truth)
    return TableData(bags, targets, targets), truth


@pytest.mark.parametrize("which", ["cosine", "relations"])
def test_slopes_are_those_of_finite_differences(which):
    rng = np.random.default_rng(0)
    means, targets = rng.normal(size=(6, 4)), units(rng.normal(size=(6, 5)))
    pairs = np.array([rng.permutation(6) for _ in range(3)])

    def loss(at):
        if which == "cosine":
            return cosine_loss(at, targets[:, :4])
        return relation_loss(at, targets, pairs)

    slope, step = loss(means)[1], 1e-6
    for i in range(6):
        for j in range(4):
            move = np.zeros_like(means)
            move[i, j] = step
            by_hand = (loss(means + move)[0] - loss(means - move)[0]) / (2 * step)
            assert slope[i, j] == pytest.approx(by_hand, abs=1e-8)


@pytest.mark.parametrize("objective", ["cosine", "both"])
def test_training_comes_near_a_teacher_that_is_a_table(data, objective):
    known, _ = data
    start = np.random.default_rng(1).normal(size=(30, 5)) * 0.3
    table, losses = train_table(known, start, objective, np.random.default_rng(0), nothing)
    before = cosine_loss(known.bags @ start, known.targets)[0]
    after = cosine_loss(known.bags @ table, known.targets)[0]
    assert before > 0.5
    assert after < 0.05
    assert min(losses, key=losses.get) != "start"


def test_tokens_that_no_text_holds_stay(data):
    known, _ = data
    wide = csr_array((known.bags.data, known.bags.indices, known.bags.indptr), shape=(400, 40))
    start = np.random.default_rng(1).normal(size=(40, 5))
    known = TableData(wide, known.targets, known.vectors)
    table, _ = train_table(known, start, "cosine", np.random.default_rng(0), nothing)
    np.testing.assert_array_equal(table[30:], start[30:])
    assert abs(table[:30] - start[:30]).max() > 0.1


def test_where_training_does_not_help_texts_left_out_the_start_stays(data):
    known, truth = data
    table, losses = train_table(known, truth, "cosine", np.random.default_rng(0), nothing)
    assert losses["start"] == pytest.approx(0, abs=1e-9)
    np.testing.assert_array_equal(table, truth)
