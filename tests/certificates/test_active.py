from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limbeck.certificates import certify, certify_active, load, row_hashes, save, verify
from limbeck.certificates.wording import ACTIVE
from limbeck.core.errors import InvalidInput


class Doubtful:
    """Rows of three numbers: the student doubts those near 0.5, and is wrong there at most."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.features_, self.task_ = inner.features_, inner.task_

    def predict(self, X: Any) -> Any:
        return self.inner.predict(X)

    def predict_proba(self, X: Any) -> Any:
        far = np.abs(np.asarray(X)[:, 0] - 0.5)
        p = np.where(far < 0.1, 0.6, 0.999)
        return np.column_stack([p, 1 - p])

    def fingerprint(self) -> str:
        return self.inner.fingerprint()


def rows_of(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 3))


class Asked:
    """A teacher that counts."""

    def __init__(self, model: Any) -> None:
        self.model, self.rows = model, 0

    def __call__(self, rows: Any) -> Any:
        self.rows += len(rows)
        return self.model.predict(rows)


@pytest.fixture
def student(threshold: Any) -> Doubtful:
    return Doubtful(threshold(0.5))


@pytest.mark.parametrize("runs", [3, pytest.param(15, marks=pytest.mark.slow)])
def test_it_asks_less_than_rows_one_after_the_other(
    student: Any, threshold: Any, runs: int
) -> None:
    """4% wrong, all where the student is in doubt: asked there, and seldom elsewhere."""
    teacher = threshold(0.54)
    active, plain = [], []
    for seed in range(runs):
        rows = rows_of(20_000, seed)
        asked = Asked(teacher)
        found = certify_active(student, rows, asked, until=0.06, seed=seed)
        c = found.certificate
        assert c.reached
        assert c.bound == ACTIVE
        assert asked.rows == found.asked.sum() >= c.settings["active"]["asked"]
        assert asked.rows - c.settings["active"]["asked"] <= 50
        assert (
            f"after {c.settings['active']['asked']:,} teacher queries among {c.n:,}" in c.statement
        )
        active.append(asked.rows)
        told = teacher.predict(rows)
        each = ((rows[i : i + 50], told[i : i + 50]) for i in range(0, len(rows), 50))
        plain.append(certify(student, draws=each, until=0.06).n)
    assert np.median(active) < 0.6 * np.median(plain)


@pytest.mark.parametrize("runs", [15, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("wrong", ["where in doubt", "where sure", "anywhere"])
def test_the_bound_holds_whatever_the_doubt_is_worth(threshold: Any, wrong: str, runs: int) -> None:
    """Certified at the true mean, wherever one stops, in a share delta of runs at most."""
    delta, mean = 0.2, 0.1
    student, false = threshold(0.5), 0
    for seed in range(runs):
        rng = np.random.default_rng([seed, 1])
        rows = rng.random((1000, 3))
        chance = {
            "where in doubt": np.where(rows[:, 1] < 0.2, 0.5, 0.0),
            "where sure": np.where(rows[:, 1] < 0.2, 0.0, 0.125),
            "anywhere": np.full(len(rows), mean),
        }[wrong]
        err = rng.random(len(rows)) < chance
        said = student.predict(rows)
        told = np.where(err, np.where(said == "no", "yes", "no"), said)
        truth = dict(zip(rows[:, 0].tolist(), told, strict=True))
        found = certify_active(
            student, rows, lambda r, t=truth: [t[v] for v in r[:, 0].tolist()], until=mean,
            delta=delta, doubt=np.where(rows[:, 1] < 0.2, 1.0, 0.01), seed=seed,
        )  # fmt: skip
        false += found.certificate.reached
    assert false / runs <= delta + 3 * math.sqrt(delta * (1 - delta) / runs)


def test_asking_about_every_row_is_the_plain_certificate(student: Any, threshold: Any) -> None:
    rows, teacher = rows_of(3000), threshold(0.53)
    found = certify_active(student, rows, teacher.predict, until=0.05, share=1.0, least=1.0)
    plain = certify(student, draws=iter([(rows, teacher.predict(rows))]), until=0.05)
    assert found.certificate.n == plain.n == found.certificate.settings["active"]["asked"]
    assert found.certificate.epsilon == pytest.approx(plain.epsilon)
    assert found.certificate.mean_loss == pytest.approx(plain.mean_loss)


@pytest.mark.parametrize("runs", [8, pytest.param(40, marks=pytest.mark.slow)])
def test_the_estimate_has_the_mean_of_the_loss(student: Any, threshold: Any, runs: int) -> None:
    rows, teacher = rows_of(4000), threshold(0.54)
    true = np.mean(student.predict(rows) != teacher.predict(rows))
    seen = [
        certify_active(student, rows, teacher.predict, until=0.001, seed=s).certificate.mean_loss
        for s in range(runs)
    ]
    assert np.mean(seen) == pytest.approx(true, abs=4 * np.std(seen) / math.sqrt(runs))
    assert np.std(seen) > 0


@pytest.mark.parametrize("until", [0.06, 0.02])
def test_it_is_verified_with_the_answers_that_were_asked_for(
    student: Any, threshold: Any, until: float, tmp_path: Any
) -> None:
    rows = rows_of(3000)
    seen = row_hashes(rows_of(500, 9))
    found = certify_active(student, rows, threshold(0.54).predict, until=until, seen=seen)
    path = save(found.certificate, tmp_path / "certificate.json")
    assert load(path) == found.certificate
    checked = verify(path, student, rows, found.answers, seen=seen)
    assert checked.ok, str(checked)
    assert any("seed" in sentence for sentence in checked.unchecked)
    assert any("in the order" in sentence for sentence in checked.unchecked)
    assert found.certificate.reached == (until == 0.06)
    assert ("is not reached with these rows" in found.certificate.statement) == (until == 0.02)

    forged = found.answers.copy()
    where = np.flatnonzero(found.asked)[0]
    forged[where] = "no" if forged[where] == "yes" else "yes"
    assert not verify(path, student, rows, forged, seen=seen).ok
    lower = replace(found.certificate, epsilon=found.certificate.epsilon / 2)
    assert not verify(lower, student, rows, found.answers, seen=seen).ok
    settings = dict(found.certificate.settings)
    settings["active"] = {**settings["active"], "seed": 1}
    other = replace(found.certificate, settings=settings)
    with pytest.raises(InvalidInput, match="no answer to the first rows"):
        verify(other, student, rows, found.answers, seen=seen)


def test_a_doubt_of_ones_own_is_needed_again(threshold: Any) -> None:
    student, rows = threshold(0.5), rows_of(2000)
    doubt = np.abs(rows[:, 0] - 0.5) < 0.1
    found = certify_active(student, rows, threshold(0.52).predict, until=0.08, doubt=doubt)
    assert verify(found.certificate, student, rows, found.answers, doubt=doubt).ok
    with pytest.raises(InvalidInput, match="Give it as doubt"):
        verify(found.certificate, student, rows, found.answers)
    with pytest.raises(InvalidInput, match="no predict_proba"):
        certify_active(student, rows, threshold(0.52).predict, until=0.08)


def test_losses_of_values_and_functions_of_ones_own(scale: Any) -> None:
    student, rows = scale(1.0), rows_of(4000)
    settings: dict[str, Any] = {"until": 0.05, "doubt": rows[:, 0]}
    for loss in ("absolute", lambda predicted, answers: np.abs(predicted - answers) / 2):
        found = certify_active(
            student, rows, scale(1.02).predict, loss=loss, loss_range=(0.0, 0.5), **settings
        )
        assert found.certificate.reached
        assert found.certificate.mean_loss == pytest.approx(
            0.01 if loss == "absolute" else 0.005, rel=0.5
        )
        own = None if loss == "absolute" else loss
        assert verify(
            found.certificate, student, rows, found.answers, doubt=rows[:, 0], loss=own
        ).ok
    fixed = certify_active(student, rows, scale(1.02).predict, tolerance=0.019, **settings)
    assert "is within 0.019 kPa" in fixed.certificate.statement


def test_copies_count_once_and_rows_of_training_are_refused(student: Any, threshold: Any) -> None:
    rows = rows_of(900)
    twice = np.concatenate([rows, rows[:450]])
    asked = Asked(threshold(0.54))
    found = certify_active(student, twice, asked, until=0.001)
    assert found.certificate.n == 900
    assert "Copies of these rows were left out: 450" in found.certificate.statement
    assert not found.asked[900:].any()
    assert verify(found.certificate, student, twice, found.answers).ok
    asked = Asked(threshold(0.54))
    with pytest.raises(InvalidInput, match="Training saw"):
        certify_active(student, rows, asked, until=0.1, seen=row_hashes(rows[:300]))
    assert asked.rows == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"until": 0.0}, "until is 0"),
        ({"until": 1.0}, "until is 1"),
        ({"share": 0.1, "least": 0.2}, "least is 0.2 and share is 0.1"),
        ({"share": 1.5}, "share is 1.5"),
        ({"least": 0.0}, "least is 0"),
        ({"delta": 0.0}, "delta"),
        ({"candidates": 0}, "candidates is 0"),
        ({"doubt": [1.0, 2.0]}, r"doubt has shape \(2,\)"),
        ({"doubt": np.full(100, -1.0)}, "no number from 0"),
    ],
)
def test_what_cannot_be_is_refused_before_any_question(
    student: Any, threshold: Any, settings: dict[str, Any], message: str
) -> None:
    asked = Asked(threshold(0.5))
    with pytest.raises(InvalidInput, match=message):
        certify_active(student, rows_of(100), asked, **{"until": 0.1, **settings})
    with pytest.raises(InvalidInput, match="There is no row"):
        certify_active(student, rows_of(0), asked, until=0.1)
    assert asked.rows == 0


def test_a_tolerance_must_be_fixed(scale: Any) -> None:
    with pytest.raises(InvalidInput, match="cannot be found"):
        certify_active(scale(1.0), rows_of(100), scale(1.1).predict, until=0.1, doubt=np.ones(100))


def test_the_range_of_a_loss_changes_nothing_but_units(scale: Any) -> None:
    student, rows = scale(1.0), rows_of(3000)

    def certified(factor: float) -> Any:
        return certify_active(
            student, rows, scale(1.05).predict, until=0.05 * factor, doubt=rows[:, 0],
            loss=lambda predicted, answers: factor * np.abs(predicted - answers),
            loss_range=(0.0, 0.4 * factor),
        )  # fmt: skip

    one, other = certified(1.0), certified(10.0)
    assert one.certificate.reached
    assert one.certificate.n == other.certificate.n
    assert other.certificate.epsilon == pytest.approx(10 * one.certificate.epsilon)
    assert other.certificate.mean_loss == pytest.approx(10 * one.certificate.mean_loss)
