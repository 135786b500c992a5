from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from limbeck.certificates import certify, verify
from limbeck.certificates.binomial import interval, upper_bound
from limbeck.certificates.bounded import betting_bound
from limbeck.certificates.planning import plan_counts, plan_means


def test_the_lower_limit_is_that_of_clopper_and_pearson() -> None:
    plan = plan_counts(7, 100, 0.05, 0.05)
    assert plan.lower == pytest.approx(interval(7, 100, 0.1)[0])


@pytest.mark.parametrize(("errors", "n"), [(2, 100), (0, 20)])
def test_so_many_rows_reach_what_was_asked_at_this_rate(errors: int, n: int) -> None:
    plan = plan_counts(errors, n, 0.05, 0.05)
    assert plan.needed is not None
    assert plan.settled is None
    rate = errors / n
    assert upper_bound(round(rate * plan.needed), plan.needed, 0.05) <= 0.05
    fewer = int(plan.needed * 0.9)
    assert upper_bound(round(rate * fewer), fewer, 0.05) > 0.05


def test_so_many_rows_show_that_it_is_out_of_reach_at_this_rate() -> None:
    plan = plan_counts(7, 100, 0.05, 0.05)
    assert plan.needed is None
    assert plan.settled is not None
    assert plan.lower < 0.05
    n = plan.settled
    assert 1 - upper_bound(n - round(0.07 * n), n, 0.05) >= 0.05


def test_plans_for_bounded_losses_are_about_right() -> None:
    rng = np.random.default_rng(0)
    losses = 4 * rng.beta(1, 19, size=100)  # mean 0.2 on [0, 4]
    plan = plan_means(losses, 0.25, 0.05, 0.0, 4.0)
    assert plan.lower < losses.mean()
    assert plan.needed is not None
    many = 4 * rng.beta(1, 19, size=plan.needed)
    assert betting_bound(many * losses.mean() / many.mean(), 0.05, 0, 4) <= 0.26
    assert plan_means(losses, float(losses.mean()), 0.05, 0.0, 4.0).needed is None
    far = plan_means(losses, 0.01, 0.05, 0.0, 4.0)
    assert far.lower > 0.01


def test_rows_for_means_are_those_of_bernsteins_inequality() -> None:
    losses = np.array([0.0, 1.0, 3.0, 4.0] * 20)  # mean 2, variance 2.5 on [0, 4]
    plan = plan_means(losses, 2.2, 0.05, 0.0, 4.0)
    gap, variance = 0.2 / 4, 2.5 / 16
    assert plan.needed == math.ceil(2 * math.log(20) * (variance + gap / 3) / gap**2)
    assert plan.settled is None
    turned = plan_means(losses, 1.8, 0.05, 0.0, 4.0)
    assert (turned.needed, turned.settled) == (None, plan.needed)
    assert plan_means(losses, 3.9, 0.05, 0.0, 4.0).needed == len(losses) + 1  # never fewer


def test_a_certificate_of_values_holds_its_plan(scale: Any) -> None:
    rows = np.random.default_rng(0).random(size=(100, 3))
    answers = scale(1.2).predict(rows)
    c = certify(scale(), rows, answers, loss="absolute", loss_range=(0.0, 1.0), epsilon=0.11)
    plan = plan_means(np.abs(answers - scale().predict(rows)), 0.11, 0.05, 0.0, 1.0)
    assert c.settings["plan"] == pytest.approx(asdict(plan))


def test_a_bound_that_ignores_the_order_plans_without_it(scale: Any) -> None:
    rows = np.random.default_rng(0).random(size=(300, 3))
    answers = scale(1.2).predict(rows)
    settings: dict[str, Any] = {"loss": "absolute", "loss_range": (0.0, 2.0), "epsilon": 0.11,
                                "bound": "empirical-bernstein"}  # fmt: skip
    c = certify(scale(), rows, answers, **settings)
    assert c.settings["plan"]["lower"] < c.mean_loss
    turned = np.random.default_rng(1).permutation(len(rows))
    assert verify(c, scale(), rows[turned], answers[turned]).ok
    assert not verify(c, scale(), rows, answers[turned]).ok
