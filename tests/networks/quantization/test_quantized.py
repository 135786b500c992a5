from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.networks.quantization.quantized import Quantized


def test_weights_of_a_row_share_a_scale_and_of_four_bits_groups_of_32():
    assert Quantized().group is None
    assert Quantized("int4").group == 32
    assert Quantized("int8", group_size=16).group == 16


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"weights": "int3"}, "weights is 'int3'"),
        ({"group_size": 0}, "group_size is 0"),
        ({"group_size": 2.5}, "group_size is 2.5"),
        ({"group_size": True}, "group_size is True"),
    ],
)
def test_other_settings_are_refused(given, says):
    with pytest.raises(InvalidInput, match=says):
        Quantized(**given)
