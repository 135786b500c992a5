from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import METHODS
from limbeck.methods.base import CONSTRAINTS


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_method_without_a_constraint_names_those_that_have_it(name):
    value = {"monotone": {"a": 1}, "feature_costs": {"a": 0.1}, "forbidden": ["a"]}.get(name, 3)
    refused = 0
    for _, method in METHODS.items():
        if name in method.__dataclass_fields__ and name not in method.without:
            continue
        with pytest.raises(InvalidInput, match=r"Use (method|into)=.*, which can\.") as told:
            method.from_settings({name: value})
        refused += 1
        assert f"'{name}'" in str(told.value) or f"no {name}" in str(told.value)
    assert refused >= 3
