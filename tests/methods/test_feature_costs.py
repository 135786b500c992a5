from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.methods.feature_costs import check_costs, costs_by_column

FEATURES = Features((Feature("age"), Feature("scan")))


def test_a_column_without_a_cost_costs_nothing() -> None:
    assert costs_by_column(FEATURES, {"scan": np.float32(0.5)}).tolist() == [0.0, 0.5]
    assert costs_by_column(FEATURES, None).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("cost", [-0.1, np.nan, np.inf, "1", None])
def test_a_cost_is_a_finite_number_from_0(cost: Any) -> None:
    with pytest.raises(InvalidInput, match=r"feature_costs\['scan'\] is .*Give 0 or more"):
        check_costs({"scan": cost})


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"There is no column 'scn'.*'scan'"):
        costs_by_column(FEATURES, {"scn": 1.0})
