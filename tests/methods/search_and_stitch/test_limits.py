from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, LimbeckError
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.limits import TreeConstraints
from limbeck.methods.search_and_stitch.literals import Literals, grid

FEATURES = Features((
    Feature("age"), Feature("income"), Feature("colour", "categorical", ("a", "b"))
))  # fmt: skip
TWO, MANY = Task(("no", "yes")), Task(("a", "b", "c"))


def test_names_become_positions():
    given = TreeConstraints(
        monotone={"income": -1}, feature_costs={"age": 0.2}, forbidden=["colour"], max_depth=3
    )
    limits = given.limits(FEATURES, TWO, 10)
    assert limits.allowed.tolist() == [True, True, False]
    assert limits.direction.tolist() == [0, -1, 0]
    assert limits.cost.tolist() == [0.2, 0, 0]
    assert (limits.max_depth, limits.min_rows) == (3, 1)
    literals = Literals(grid(FEATURES, np.array([[0.0, 0, 0], [1, 1, 1]])))
    assert limits.price(literals, frozenset()).tolist() == [0.2, 0, np.inf, np.inf]
    assert limits.price(literals, frozenset([0])).tolist() == [0, 0, np.inf, np.inf]


@pytest.mark.parametrize(
    ("given", "task", "said"),
    [
        ({"forbidden": ["age", "income", "colour"]}, TWO, "all 3 columns"),
        ({"forbidden": ["agee"]}, TWO, "agee"),
        ({"monotone": {"age": 1}}, MANY, "3 classes"),
        ({"monotone": {"colour": 1}}, TWO, "categories"),
        ({"min_samples_leaf": 6}, TWO, "10 rows"),
        ({"monotone": {"age": 2}}, TWO, "rising"),
        ({"feature_costs": {"age": -1.0}}, TWO, "feature_costs"),
        ({"max_depth": 0}, TWO, "max_depth"),
        ({"max_depth": "3"}, TWO, "max_depth is '3'"),
        ({"min_samples_leaf": 2.5}, TWO, "min_samples_leaf is 2.5"),
        ({"monotone": "age"}, TWO, "monotone is 'age'. Give a dict"),
        ({"feature_costs": ["age"]}, TWO, "Give a dict"),
        ({"feature_costs": {"age": "1"}}, TWO, "feature_costs['age'] is '1'"),
        ({"forbidden": 6}, TWO, "forbidden is 6. Give a list"),
    ],
)
def test_what_excludes_everything_or_has_no_meaning_is_refused(given, task, said):
    with pytest.raises(InvalidInput) as refused:
        TreeConstraints(**given).limits(FEATURES, task, 10)
    assert isinstance(refused.value, LimbeckError)
    assert said in str(refused.value)
