from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.data.ordered_classes import ranks_of


def test_classes_of_a_shell_are_names_and_numbers_are_their_own_order():
    assert ranks_of(["1", "2", "10"], [1, 10, 2]) == (0, 2, 1)
    assert ranks_of(True, ["1", "2", "10"]) == (0, 1, 2)
    assert ranks_of(True, ["yes", "no"]) == (0, 1)  # two classes are in any order
    assert ranks_of(False, ["c", "a", "b"]) is None
    with pytest.raises(InvalidInput, match="'1', '10', '2', whose order is not known"):
        ranks_of(True, ["1", "10", "2"])
