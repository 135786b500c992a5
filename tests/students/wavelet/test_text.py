from __future__ import annotations

import numpy as np

from limbeck.students.wavelet.text import by_group, feature_names
from tests.students.wavelet.test_strongest import BANDS, strongest


def test_features_are_named_by_band_channel_and_rank() -> None:
    assert feature_names(BANDS, strongest("size", 2)) == [
        f"{band}, channel {c}, no. {i}"
        for band in ("approximation 1", "detail 1") for c in (1, 2) for i in (1, 2)
    ]  # fmt: skip


def test_numbers_go_with_the_band_of_their_group() -> None:
    each = np.arange(10.0)
    found = [
        (band.name, part.tolist()) for band, part in by_group(BANDS, strongest("size", 9), each)
    ]
    assert found == [
        ("approximation 1", [0, 1]), ("approximation 1", [2, 3]), ("detail 1", [4, 5, 6]),
        ("detail 1", [7, 8, 9]),
    ]  # fmt: skip
