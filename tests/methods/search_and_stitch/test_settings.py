from __future__ import annotations

from typing import Any

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.methods.search_and_stitch.settings import SearchSettings


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"max_leaves": 1}, "max_leaves is 1. Give 2"), ({"probe_rows": 0}, "probe_rows is 0"),
        ({"max_rows": 1}, "max_rows is 1"), ({"monotone": {"age": 2}}, r"monotone\['age'\] is 2"),
        ({"max_depth": 0}, "max_depth"), ({"leaves": 17}, "leaves"), ({"queries": -1}, "queries"),
        ({"query_weight": 1.5}, "query_weight"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        SearchSettings(**settings)


def test_samplers_are_tried_on_trees_about_as_large_as_wanted() -> None:
    assert SearchSettings(max_leaves=8).sizes() == range(2, 9)
    assert SearchSettings(leaves=8).sizes() == range(4, 9)
    assert SearchSettings(leaves=2).sizes() == range(2, 3)
    assert not SearchSettings().shaped
    assert SearchSettings(max_depth=3).shaped
    assert SearchSettings(min_samples_leaf=2).shaped
