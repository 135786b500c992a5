from __future__ import annotations

import numpy as np
import pytest

from limbeck.evaluation.forecast import PairScores, Place, blind, forecast

PLACES = [Place(0, 0), Place(-1, 0), Place(-2, 0), Place(-3, 0), Place(0, -1), Place(0, -2),
          Place(0, -3)]  # fmt: skip


def errors(place: Place, bend: float = 0.0) -> tuple[float, float]:
    """Of student and control: powers of rows and training, and what remains."""
    student = 0.08 * 2 ** (-0.2 * place.rows - 0.3 * place.training) + bend
    control = 0.12 * 2 ** (-0.3 * place.rows - 0.25 * place.training) + bend
    return student, control


def drawn(place, rng, seeds=3, m=400, spread=0.03, bend=0.0):
    """Scores of 0 and 1: seeds differ, and rows are hard for both models alike."""
    hard = rng.random(m)
    both = np.exp(rng.normal(0, spread, (seeds, 1)))
    made = []
    for error in errors(place, bend):
        each = error * both * np.exp(rng.normal(0, spread, (seeds, 1)))
        made.append((hard[None] > each).astype(float))
    return PairScores(place, made[0], made[1])


def exact(place: Place, m: int = 4000) -> PairScores:
    """Scores with errors as they should be, without any noise between seeds."""
    rows = [np.full((2, m), 1 - e) for e in errors(place)]
    return PairScores(place, rows[0], rows[1])


def test_powers_are_continued():
    pairs = [exact(p) for p in PLACES]
    for target in (Place(1, 0), Place(0, 2)):
        told = forecast(pairs, target)
        student, control = errors(target)
        assert told.student.value == pytest.approx(1 - student, abs=0.01)
        assert told.control.value == pytest.approx(1 - control, abs=0.01)
        assert told.gain.low < control - student < told.gain.high
        assert told.doublings == target.rows + target.training
    below = forecast(pairs[1:], Place(0, 0))  # the whole was not run
    assert below.gain.value == pytest.approx(errors(Place())[1] - errors(Place())[0], abs=0.01)
    assert below.doublings == 1


def test_without_pairs_nearby_the_prior_speaks():
    """One exact pair: the errors fall by what they fall by on average per doubling."""
    told = forecast([exact(Place())], Place(1, 0))
    assert told.student.value == pytest.approx(1 - 0.08 * np.exp(-0.27), abs=1e-4)
    assert told.control.value == pytest.approx(1 - 0.12 * np.exp(-0.27), abs=1e-4)
    told = forecast([exact(Place())], Place(0, 1))
    assert told.student.value == pytest.approx(1 - 0.08 * np.exp(-0.29 - 0.05 / 2), abs=1e-4)
    assert told.control.value == pytest.approx(1 - 0.12 * np.exp(-0.29 + 0.05 / 2), abs=1e-4)


def test_what_was_run_is_about_what_was_measured_and_surer():
    """All pairs lend each other precision."""
    rng = np.random.default_rng(0)
    pairs = [drawn(p, rng, spread=0.2) for p in PLACES]
    told, alone = forecast(pairs, Place()), forecast(pairs[:1], Place())
    assert told.doublings == 0
    assert told.gain.value == pytest.approx((pairs[0].student - pairs[0].control).mean(), abs=0.02)
    assert told.gain.low < told.gain.value < told.gain.high
    assert told.gain.high - told.gain.low < alone.gain.high - alone.gain.low


@pytest.mark.parametrize("target", [Place(), Place(1, 0), Place(0, 2)])
@pytest.mark.parametrize("bend", [0.0, 0.03])
def test_intervals_hold_later_runs(target, bend):
    """Also where errors saturate, so that no power continues them."""
    held, rng = [], np.random.default_rng(1)
    for i in range(20):
        pairs = [drawn(p, rng, bend=bend) for p in PLACES]
        later = drawn(target, rng, bend=bend)
        told = forecast(pairs, target, seed=i).gain
        held.append(told.low <= (later.student - later.control).mean() <= told.high)
    assert np.mean(held) >= 0.8


def test_the_further_the_wider():
    rng = np.random.default_rng(2)
    pairs = [drawn(p, rng) for p in PLACES]
    widths = [(f := forecast(pairs, Place(0, k)).gain).high - f.low for k in (0.0, 1.0, 2.0, 3.0)]
    assert widths == sorted(widths)


def test_one_seed_tells_no_interval():
    rng = np.random.default_rng(3)
    told = forecast([drawn(p, rng, seeds=1) for p in PLACES], Place())
    assert np.isfinite(told.gain.value)
    assert np.isnan(told.gain.low)


def test_another_student_has_a_height_of_its_own():
    pairs = [exact(p) for p in PLACES]
    at = Place(-1, 0)
    student, control = (np.full((2, 4000), 1 - 0.8 * e) for e in errors(at))
    told = forecast(pairs, Place(), start=[PairScores(at, student, control)])
    assert 1 - told.student.value == pytest.approx(0.8 * errors(Place())[0], abs=0.01)
    assert told.doublings == 1
    assert told.student.value > forecast(pairs, Place()).student.value


def test_rows_on_which_nobody_errs_still_leave_doubt():
    few = [PairScores(Place(), np.ones((3, 50)), np.ones((3, 50)))]
    gain = forecast(few, Place()).gain
    assert gain.low < -0.01 < 0.01 < gain.high


def test_perfect_scores_and_negative_r_squared_are_no_trouble():
    pairs = [PairScores(Place(-k, 0), np.ones((2, 50)), np.full((2, 50), -0.5)) for k in range(3)]
    told = forecast(pairs, Place(1, 0), bounded=False)
    assert told.student.value == pytest.approx(1.0, abs=0.011)
    assert -0.5 <= told.control.value < 0.0
    assert forecast(pairs, Place(1, 0)).control.value == pytest.approx(0.0)  # shares are bounded


def test_networks_that_have_not_learned_say_nothing_of_later_gains():
    """Both answer the frequent class: that they err alike is no sign that they will."""
    rng = np.random.default_rng(0)
    rows = (rng.random(500) > 0.1).astype(float)
    pairs = []
    for place in [Place(-3, k) for k in (0, -1, -2)] + [Place(-4, 0), Place(-5, 0)]:
        made = np.tile(rows, (3, 1))
        made[:, rng.choice(500, 2)] = 0.0  # seeds hardly differ
        pairs.append(PairScores(place, made, made.copy()))
    constant = float(1 - rows.mean())
    assert all(blind(p, constant) for p in pairs)
    sure, careful = (forecast(pairs, Place(), constant=c).gain for c in (None, constant))
    assert sure.high - sure.low < 0.5 * (careful.high - careful.low)
    assert careful.low < -0.02 < 0.02 < careful.high
    assert forecast(pairs, Place(), constant=10 * constant) == forecast(pairs, Place())


def test_learned_is_what_errs_less_than_a_constant():
    assert not blind(exact(Place()), None)
    assert not blind(exact(Place()), 0.12)
    assert blind(exact(Place()), 0.105)  # between both errors, and near either
