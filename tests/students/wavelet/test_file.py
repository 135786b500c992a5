from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.wavelet.file import read, written
from limbeck.students.wavelet.readout import LinearReadout
from limbeck.students.wavelet.strongest import Strongest, groups_of

pytest.importorskip("pywt")
from limbeck.signal.bands import Decomposition
from limbeck.signal.filters import filter_of

FEATURES = Features.of(np.zeros((1, 8)))
TRANSFORM = Decomposition(filter_of("db2"), 1, "periodic", (8,))


def stored() -> dict[str, Any]:
    m = TRANSFORM.bands[-1].stop
    strongest = Strongest(groups_of(TRANSFORM.bands), "size", 2, np.arange(m) + 0.5)
    return written(TRANSFORM, strongest, LinearReadout(np.ones((4, 1)), np.ones(1), np.ones(4)))


def test_what_is_written_is_read() -> None:
    transform, strongest, readout = read(stored(), FEATURES, Task())
    assert (transform.low == TRANSFORM.low).all()
    assert transform.bands == TRANSFORM.bands
    assert written(transform, strongest, readout) == stored()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"levels": 9}, "level"),
        ({"shape": [4]}, "shape of a signal do not fit"),
        ({"spread": [1.0]}, "shape of a signal do not fit"),
        ({"keep": "best"}, "no keep='best'"),
        ({"largest": 0}, "largest=0"),
        ({"largest": 3}, "weights do not fit the coefficients"),
        ({"spread": [float("nan")] * 8}, "not a finite number"),
    ],
)
def test_what_does_not_fit_is_said(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read({**stored(), **changed}, FEATURES, Task())
