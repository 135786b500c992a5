from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from limbeck.certificates.composed import ComposedBound
from limbeck.evaluation.comparison import Difference
from limbeck.results.distillation import Distillation
from limbeck.results.distillation_sections import facts

Record = Callable[..., Distillation]


def test_the_title_names_teacher_student_and_size(record: Record) -> None:
    assert facts.title(record()) == "Net, distilled into a student's model of 2 leaves"
    bare = replace(record().comparison, entries=())
    assert facts.title(record(comparison=bare, settings={})) == ("A teacher, distilled into a tree")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "With 95% confidence the student differs from the teacher on at most 4% of inputs."),
        ({"epsilon": 0.12341}, "on at most 12.4% of inputs; what was asked for is not reached."),
        ({"delta": 1e-5}, "With 99.999% confidence"),
        ({"loss": "exceeds", "tolerance": 1.0, "epsilon": 4e-6},
         "stays within 1 of the teacher on at least 99.999% of inputs."),
        ({"loss": "brier"}, "has a mean loss (brier) of at most 0.04."),
    ],
)  # fmt: skip
def test_the_lead_never_overstates(record: Record, change: dict, said: str) -> None:
    lead = facts.lead(record(certificate=replace(record().certificate, **change)))
    assert said in lead


def test_the_lead_takes_the_smaller_bound_of_several_steps(record: Record) -> None:
    c = replace(record().certificate, epsilon=0.2)
    steps = (replace(c, epsilon=0.01, delta=0.01),) * 2
    chain = ComposedBound(("a", "b"), steps, c)
    assert facts.lead(record(certificate=c, chain=chain)) == (
        "With 98% confidence the student differs from the teacher on at most 2% of inputs, by the"
        " bound of its steps."
    )
    far = ComposedBound(("a", "b"), (c, c), c)
    assert "on at most 20% of inputs; what" in facts.lead(record(certificate=c, chain=far))


def test_the_worth_is_told_by_measure(record: Record) -> None:
    def worth(*found: Difference) -> str:
        return facts.worth(record(comparison=replace(record().comparison, differences=found)))

    helped = Difference("agreement", 0.2, 0.1, 0.3)
    hurt = Difference("accuracy", -0.2, -0.3, -0.1)
    assert worth(helped, hurt).endswith("distilling helped agreement but hurt accuracy.")
    assert worth(Difference("agreement", 0.1, -0.1, 0.3)).startswith("There is no evidence")
    assert worth().startswith("No control was trained")


def test_queries_far_from_the_data_are_told(record: Record) -> None:
    told = {"sampler": "gaussian_copula", "auc": 0.7, "low": 0.6, "high": 0.8}
    near = facts.queries_line(record(trace={"queries_told_apart": told}))
    assert near == (
        "50 drawn by gaussian copula; a classifier tells them from real rows with AUC"
        " 0.700 [0.600, 0.800] (0.5 is chance)."
    )
    told = {**told, "auc": 0.99, "low": 0.97, "high": 1.0}
    assert "nearly always" in facts.queries_line(record(trace={"queries_told_apart": told}))
    assert facts.queries_line(record()) == ""


def test_costs_are_drawn_beside_those_of_greedy_trees(record: Record) -> None:
    sizes = ((1, 0.5, 0.6), (2, 0.1, 0.9), (3, math.nan, 0.95))
    frontier = tuple({"size": s, "cost": c, "agreement": a} for s, c, a in sizes)
    trace = {"greedy": [[1, 0.5], [2, 0.3]], "cost": "misclassification"}
    agreement, cost = facts.panels(record(frontier=frontier, trace=trace))
    assert agreement.unit == "share of 1,000 holdout rows"
    assert agreement.lines[0].points == ((1, 0.6), (2, 0.9), (3, 0.95))
    assert [(line.name, line.points) for line in cost.lines] == [
        ("search and stitch", ((1, 0.5), (2, 0.1))),
        ("greedy tree", ((1.0, 0.5), (2.0, 0.3))),
    ]
    assert cost.unit == "share of rows and queries answered differently"
    assert agreement.chosen == cost.chosen == 2
    assert len(facts.panels(record(frontier=frontier[1:]))) == 1  # one known cost is no curve
    assert facts.panels(record(frontier=frontier[:1])) == ()


def test_advice_only_where_something_is_lacking(record: Record) -> None:
    c = record().certificate
    c = replace(c, n=1000, settings={**c.settings, "plan": None})
    assert facts.advice(replace(c, epsilon=0.04, asked=0.05)) is None
    few = facts.advice(replace(c, epsilon=0.1, asked=0.05, mean_loss=0.02, loss="disagreement"))
    assert few is not None
    assert "holdout of about" in few
    far = facts.advice(replace(c, epsilon=0.2, asked=0.05, mean_loss=0.1, loss="disagreement"))
    assert far is not None
    assert "more rows will not reach 5%" in far
    unclear = replace(c, n=100, epsilon=0.2, asked=0.05, mean_loss=0.07, loss="disagreement")
    said = facts.advice(unclear)
    assert said is not None
    assert "rows would tell" in said


def test_a_larger_student_is_advised_only_where_it_was_seen_to_help(record: Record) -> None:
    c = replace(record().certificate, n=1000, epsilon=0.2, asked=0.05, mean_loss=0.1)
    c = replace(c, settings={**c.settings, "plan": None})
    flat = {"left_out": [[1, 0.5], [2, 0.2], [4, 0.2], [8, 0.199]]}
    falling = {"left_out": [[1, 0.5], [2, 0.3], [4, 0.2], [8, 0.1]]}
    assert not facts.larger_helps(flat)
    assert facts.larger_helps(falling)
    assert facts.larger_helps({})
    assert "larger student" in str(facts.advice(c))
    assert "larger student" not in str(facts.advice(c, larger=False))
