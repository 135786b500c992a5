from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.selection.routes import students
from limbeck.teachers.closed import Closed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1500, 4))
FRAME = pd.DataFrame(X, columns=list("abcd")).assign(place=RNG.choice(["u", "v"], 1500))
FRAME.loc[::50, "d"] = np.nan


def rule(rows) -> np.ndarray:
    return ((rows["a"] > 0) & (rows["b"] > 0) & (rows["place"] == "u")).to_numpy()


OTHERS = {"wavelet", "text_classifier", "oblique_tree"}  # of signals, texts and weights


class Counted(Closed):
    """A teacher of stored rows alone, which counts what it is asked."""

    def __init__(self) -> None:
        base = limbeck.as_teacher(rule, classes=(False, True), score_kind="label")
        self.task, self.score_kind, self.name = base.task, base.score_kind, "counted"
        self.access, self.asked, self._base = Access.SCORES, [], base

    def scores(self, rows):
        self.asked.append(len(rows))
        return self._base.scores(rows)

    def _denied(self, what):
        return AccessDenied(what, "None.")


def test_few_answers_are_enough():
    found = limbeck.distill(
        Counted(), FRAME, into="tree", method="greedy", max_leaves=8, budget=460, batch=50,
        progress=False,
    )  # fmt: skip
    assert found.certificate.epsilon < 0.12
    assert found.rows_seen <= 460
    assert "of a budget of 460" in " ".join(found.notes)
    assert "as many random rows" in str(found)
    assert found.queries == 0


def test_the_certificate_is_of_rows_that_are_a_plain_random_sample():
    """Whatever was learned, rows are asked about in an order that only the seed decides."""
    orders = []
    for labelling in ("active", "random"):
        found = limbeck.distill(
            rule, FRAME, into="tree", method="greedy", classes=[False, True], budget=400,
            labelling=labelling, compare_random=False, max_leaves=8, progress=False,
        )  # fmt: skip
        rows = found.holdout.rows.native()
        orders.append(rows["a"].to_numpy())
    n = min(map(len, orders))
    assert n >= 66
    np.testing.assert_array_equal(orders[0][:n], orders[1][:n])


def test_numbers_are_predicted_from_few_answers():
    found = limbeck.distill(
        lambda rows: 3 * (rows["a"] > 0).to_numpy() + rows["b"].to_numpy(), FRAME, into="tree",
        method="greedy", regression=True, budget=400, compare_random=False, max_leaves=8,
        progress=False,
    )  # fmt: skip
    assert found.trace["held_out_agreement"] > 0.6  # of the variance
    assert "forest" in found.trace["learned_from"] or "answers" in found.trace["learned_from"]


def test_settings_and_students_that_cannot_are_refused():
    with pytest.raises(InvalidInput, match="budget of 20 questions"):
        limbeck.distill(rule, FRAME, classes=[False, True], budget=20, progress=False)
    with pytest.raises(InvalidInput, match="'activ'"):
        limbeck.distill(rule, FRAME, budget=400, labelling="activ", progress=False)
    with pytest.raises(InvalidInput, match="Leave via out"):
        limbeck.distill(rule, FRAME, into="rules", via="tree", budget=400, progress=False)
    for into in ("wavelet", "oblique_tree"):
        with pytest.raises((AccessDenied, InvalidInput), match="budget"):
            limbeck.distill(rule, X, into=into, budget=400, progress=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "into", sorted(set(students()) - {"wavelet", "text_classifier", "oblique_tree"})
)
def test_every_student_learns_from_few_answers(into):
    found = limbeck.distill(Counted(), FRAME, into=into, budget=300, progress=False)
    assert found.rows_seen <= 300
