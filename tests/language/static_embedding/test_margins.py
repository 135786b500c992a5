from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.language.static_embedding.margins import (
    Margins,
    ask_margins,
    margin_loss,
    pair_scores,
)
from limbeck.language.static_embedding.training import TableData, train_table, units


def test_the_slope_is_that_of_finite_differences_and_the_loss_is_the_published_one():
    rng = np.random.default_rng(0)
    means = rng.normal(size=(6, 4))
    triples = np.array([[0, 1, 2], [3, 4, 5], [0, 5, 1]])
    known = Margins(triples, rng.normal(size=3), np.zeros(6, bool))
    u = units(means)
    by_hand = np.mean([
        (u[q] @ u[p] - u[q] @ u[n] - m) ** 2
        for (q, p, n), m in zip(triples, known.margins, strict=True)
    ])  # fmt: skip
    assert margin_loss(means, known)[0] == pytest.approx(by_hand)
    slope, step = margin_loss(means, known)[1], 1e-6
    for i in range(6):
        for j in range(4):
            move = np.zeros_like(means)
            move[i, j] = step
            change = margin_loss(means + move, known)[0] - margin_loss(means - move, known)[0]
            assert slope[i, j] == pytest.approx(change / (2 * step), abs=1e-8)


def test_no_triple_holds_texts_of_both_sides_and_margins_are_of_the_size_of_cosines():
    rng = np.random.default_rng(0)
    vectors = units(rng.normal(size=(100, 4)))
    texts = np.array([str(i) for i in range(100)], dtype=object)

    def ask(a, b):
        at = [[int(x), int(y)] for x, y in zip(a, b, strict=True)]
        return np.array([50 * vectors[i] @ vectors[j] + 7 for i, j in at])

    found = ask_margins(ask, texts, vectors, 2, 0.2, rng)
    sides = found.apart[found.triples]
    assert (sides.all(axis=1) | ~sides.any(axis=1)).all()
    assert found.apart.sum() == 20
    a, b, c = found.triples.T
    assert (b != c).all() and (a != b).all() and (a != c).all()  # noqa: PT018
    cosines = ((vectors[b] - vectors[c]) * vectors[a]).sum(axis=1)
    assert np.allclose(found.margins, cosines)
    part = found.take(np.flatnonzero(found.apart))
    assert len(part.triples) == sides.all(axis=1).sum()
    assert part.triples.max() < 20
    with pytest.raises(InvalidInput, match="same score"):
        ask_margins(lambda a, b: np.zeros(len(a)), texts, vectors, 2, 0.2, rng)
    noise = np.random.default_rng(1)
    with pytest.raises(InvalidInput, match="same score"):  # float32 rounds a constant
        ask_margins(
            lambda a, b: 5 + noise.uniform(-2e-7, 2e-7, len(a)), texts, vectors, 2, 0.2, rng
        )


def test_training_comes_near_margins_of_a_table():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(30, 5))
    counts = rng.poisson(0.3, size=(400, 30)) + np.eye(30)[rng.integers(0, 30, 400)]
    bags = csr_array(counts / counts.sum(axis=1, keepdims=True))
    own = units(bags @ truth)
    texts = np.array([str(i) for i in range(400)], dtype=object)

    def ask(a, b):
        return (own[np.array(a, int)] * own[np.array(b, int)]).sum(axis=1)

    margins = ask_margins(pair_scores(ask), texts, own, 4, 0.2, rng)
    start = np.random.default_rng(1).normal(size=(30, 5)) * 0.3
    data = TableData(bags, own, own, margins)
    table, losses = train_table(data, start, "margin", rng, lambda *_: None)
    before, after = (margin_loss(bags @ t, margins)[0] for t in (start, table))
    assert after < before / 10
    assert min(losses, key=losses.get) != "start"


def sentiment(a, b):
    """Both good, or both not."""
    return [float(("good" in x) == ("good" in y)) for x, y in zip(a, b, strict=True)]


def lengths(texts):
    rng = np.random.default_rng(0).normal(size=(256, 8))
    return np.array([rng[[ord(c) % 256 for c in t[:40]]].mean(axis=0) for t in texts])


def test_the_order_of_the_cross_encoder_is_learned_and_shown():
    words = np.random.default_rng(0).choice(
        ["good", "film", "slow", "plot", "cast", "end"], (600, 4)
    )
    texts = [f"{' '.join(w)} {i}" for i, w in enumerate(words)]
    found = limbeck.distill(
        lengths, texts, into="static_embedding", objective="margin", cross_encoder=sentiment,
        width=8, progress=False,
    )  # fmt: skip
    by = {m.role: m for m in found.models}
    # A triple of which both others are alike has no order, and counts against all.
    assert by["student"].cross.low > by["teacher"].cross.value
    assert "cross-encoder's" in str(found)
    with pytest.raises(InvalidInput, match="no cross_encoder was given"):
        limbeck.distill(lengths, texts, into="static_embedding", objective="margin")
    with pytest.raises(InvalidInput, match="shape"):
        limbeck.distill(
            lengths, texts, into="static_embedding", objective="margin", progress=False,
            cross_encoder=lambda a, b: np.zeros((len(a), 2)),
        )  # fmt: skip
