from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.language.carriers.packing import bits_of, pack, packed_bytes, unpack


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 32), st.data())
def test_ids_come_back_in_as_many_bytes_as_said(bits: int, data: st.DataObject) -> None:
    ids = np.array(data.draw(st.lists(st.integers(0, 2**bits - 1), max_size=30)), dtype=np.int64)
    packed = pack(ids, bits)
    assert len(packed) == packed_bytes(len(ids), bits)
    np.testing.assert_array_equal(unpack(packed, bits, len(ids)), ids)


@pytest.mark.parametrize(
    ("vocabulary", "bits"), [(1, 1), (2, 1), (65, 7), (49_152, 16), (65_536, 16), (151_936, 18)]
)
def test_bits(vocabulary: int, bits: int) -> None:
    assert bits_of(vocabulary) == bits
