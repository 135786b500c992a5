from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.choosing import choose
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.methods.search_and_stitch.search import TreeSearch
from limbeck.methods.search_and_stitch.validation import HeldOutLosses


@pytest.mark.parametrize("own", [120, 60], ids=["rows alone", "queries too"])
@pytest.mark.parametrize(("worse", "kind"), [(-9, "stitched"), (3, "stitched"), (12, "greedy")])
def test_greedy_trees_are_taken_where_they_agree_better_by_two_standard_errors(
    own: int, worse: int, kind: str
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    rows, y = Features.of(X).rows(X), (X[:, 0] > 0).astype(int)
    method = SearchAndStitch(max_leaves=4)
    search = TreeSearch(method, rows, y, Task((0, 1)), rng, quiet)
    search.grow()
    search.run()
    greedy, stitched = np.zeros((2, 4, own))
    # of 120 rows, 3 are 1.8 standard errors and 12 are 3.7; of 60, 1.8 and 3.9
    (stitched if worse > 0 else greedy)[1:, : abs(worse)] = 1.0
    judged = HeldOutLosses(stitched, greedy, np.ones(own))
    found = choose(method, search, judged, own, X)
    assert found.kind == kind
    np.testing.assert_array_equal(found.losses, stitched if kind == "stitched" else greedy)
