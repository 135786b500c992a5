from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from limbeck.certificates import AnytimeBound, certify, row_hashes
from limbeck.certificates.binomial import rows_needed
from limbeck.certificates.losses import BoundedLoss
from limbeck.certificates.until import certify_until
from limbeck.core.errors import InvalidInput


def batches(teacher: Any, size: int = 100, seed: int = 0) -> Iterator[tuple[Any, Any]]:
    rng = np.random.default_rng(seed)
    while True:
        rows = rng.random((size, 3))
        yield rows, teacher.predict(rows)


def test_draws_only_what_is_needed(threshold: Any) -> None:
    student = threshold(0.5)
    asked = 0

    def counted() -> Iterator[tuple[Any, Any]]:
        nonlocal asked
        for rows, answers in batches(student):
            asked += len(rows)
            yield rows, answers

    found = certify(student, draws=counted(), until=0.01)
    alone = AnytimeBound(0.01, 0.05)
    alone.update(np.zeros(1000))
    assert found.n == alone.rows
    assert found.reached
    assert found.epsilon <= 0.01
    assert asked == found.settings["drawn"] == 100 * math.ceil(found.n / 100)
    assert f"after {found.n} teacher queries" in found.statement
    assert f"{asked} were drawn" in found.statement


def test_the_limit_stops_the_draws(threshold: Any) -> None:
    found = certify(
        threshold(0.5), draws=batches(threshold(0.6)), until=0.05, max_rows=250, candidates=2
    )
    assert not found.reached
    assert found.n == 250
    assert found.settings["drawn"] == 300
    assert 0.05 < found.mean_loss < 0.16
    assert found.mean_loss < found.epsilon < 0.25
    assert "5% that was asked for is not reached" in found.statement


def test_draws_may_end(threshold: Any) -> None:
    rows = np.random.default_rng(0).random((30, 3))
    found = certify(threshold(0.5), draws=iter([(rows, ["no"] * 30)]), until=0.05)
    assert (found.n, found.reached) == (30, False)


def test_the_batch_size_does_not_matter(threshold: Any) -> None:
    rows = np.random.default_rng(0).random((3000, 3))
    y = threshold(0.51).predict(rows)
    found = []
    for size in (1, 70, 3000):
        parts = ((rows[i : i + size], y[i : i + size]) for i in range(0, 3000, size))
        found.append(certify(threshold(0.5), draws=parts, until=0.05))
    assert len({(f.n, f.rows, f.epsilon, f.mean_loss) for f in found}) == 1


def test_losses_in_their_own_units(scale: Any) -> None:
    found = certify(
        scale(), draws=batches(scale(1.5)), until=0.4, loss="absolute", loss_range=(0, 2)
    )
    assert found.reached
    assert 0.2 < found.mean_loss < found.epsilon <= 0.4
    within = certify(scale(), draws=batches(scale(1.5)), until=0.1, tolerance=0.5)
    assert within.tolerance == 0.5
    assert within.mean_loss == 0


def test_false_certificates_end_to_end(threshold: Any) -> None:
    student, teacher = threshold(0.5), threshold(0.6)
    false = sum(
        certify(
            student, draws=batches(teacher, seed=seed), until=0.08, delta=0.2, max_rows=300
        ).reached
        for seed in range(50)
    )
    assert false / 50 <= 0.2 + 3 * math.sqrt(0.2 * 0.8 / 50)


def test_rows_that_training_saw_are_refused(threshold: Any) -> None:
    rows, _ = next(batches(threshold(0.5)))
    draws = iter([(rows, ["no"] * 100)])
    with pytest.raises(InvalidInput, match="Training saw"):
        certify(threshold(0.5), draws=draws, until=0.1, seen=row_hashes(rows))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"until": 0.0}, "until is 0"),
        ({"until": 1.5}, "until is 1.5"),
        ({"until": 0.1, "max_rows": 0}, "max_rows is 0"),
        ({"until": 0.1, "groups": [1]}, "no meaning with until"),
        ({"until": 0.1, "epsilon": 0.1}, "no meaning with until"),
        ({}, "go together"),
    ],
)
def test_settings_are_refused(threshold: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        certify(threshold(), draws=batches(threshold()), **settings)


def test_nothing_to_draw_and_nothing_to_find(threshold: Any, scale: Any) -> None:
    with pytest.raises(InvalidInput, match="No row was drawn"):
        certify(threshold(), draws=iter(()), until=0.1)
    with pytest.raises(InvalidInput, match="tolerance cannot be found"):
        certify(scale(), draws=batches(scale()), until=0.1)


def test_the_rows_that_are_still_needed_are_at_the_shared_level(threshold: Any) -> None:
    found = certify(
        threshold(0.5),
        draws=batches(threshold(0.53), seed=1),
        until=0.04,
        max_rows=200,
        candidates=5,
    )
    assert found.mean_loss < 0.04 < found.epsilon
    rows = rows_needed(found.mean_loss, 0.04, found.delta / 5)
    assert f"that takes about {rows:,} rows" in found.statement


def test_one_candidate_and_one_row_at_least(threshold: Any) -> None:
    student, loss = threshold(0.5), BoundedLoss("disagreement")
    found = certify_until(student, batches(student), loss, 0.05, 0.05)
    assert found == certify_until(student, batches(student), loss, 0.05, 0.05, candidates=1)
    assert found.settings["candidates"] == 1
    assert certify_until(student, batches(student), loss, 0.05, 0.05, limit=1).n == 1
    with pytest.raises(InvalidInput, match="max_rows is 0"):
        certify_until(student, batches(student), loss, 0.05, 0.05, limit=0)
