from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.language.carriers.named import carrier_of


@pytest.mark.parametrize("keep", ["sampled:1", "top:65535", "hidden", "hidden:int8", "full"])
def test_a_carrier_is_called_as_it_was_asked_for(keep: str) -> None:
    assert carrier_of(keep).keep == keep


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ("top:0", "from 1 to 65,535"),
        ("sampled:65536", "from 1 to 65,535"),
        ("top", "top:32"),
        ("top:\u0663", "top:32"),
        ("hiden", "Did you mean 'hidden'"),
        ("full:8", "keep is 'full:8'"),
        ("sampled:-5", "keep is 'sampled:-5'"),
    ],
)
def test_other_names_are_refused(keep: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        carrier_of(keep)
