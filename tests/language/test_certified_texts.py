from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.errors import FileRefused
from limbeck.language.certified_texts import TEXTS, CertifiedTexts
from limbeck.language.prompts import Prompts

LOSSES = {name: np.array([0.1, 0.2 + i]) for i, name in enumerate(TEXTS)}
PROMPTS = Prompts(("", ""), ((1, 2), (3,)), ((4, 5), None), (None, None))


def certified() -> CertifiedTexts:
    return CertifiedTexts.of(LOSSES, PROMPTS, [[6], [7, 8]], [[], [9]])


def test_texts_come_back_as_they_were_written(tmp_path):
    path = certified().save(tmp_path / "losses.npz")
    found = CertifiedTexts.open(path)
    assert found.prompts == ((1, 2), (3,))
    assert found.texts == {
        TEXTS[0]: ((6,), (7, 8)), TEXTS[1]: ((), (9,)), TEXTS[2]: ((4, 5), ()),
    }  # fmt: skip
    assert {n: v.tolist() for n, v in found.losses.items()} == {
        n: v.tolist() for n, v in LOSSES.items()
    }
    assert found.fingerprint() == PROMPTS.fingerprint()
    alone = CertifiedTexts.open(CertifiedTexts(LOSSES).save(tmp_path / "alone.npz"))
    assert (alone.prompts, alone.texts) == ((), {})


@pytest.mark.parametrize(
    "change",
    [
        {"lengths": np.zeros((4, 2), dtype=np.int64)},
        {"lengths": np.full((4, 2), -1)},
        {"lengths": np.array([[2, 1], [1, 2], [0, 1], [2, 1]])},
        {"lengths": np.array([[2, 1], [1, 2], [0, 1], [3, -1]])},
        {"tokens": np.arange(9.0)},
        {"tokens": np.full(9, -1)},
        {"losses": np.zeros((2, 2))},
        {"losses": np.zeros((3, 3))},
        {"losses": np.zeros((3, 2), dtype=np.float32)},
    ],
)
def test_arrays_that_do_not_fit_each_other_are_refused(tmp_path, change):
    path = certified().save(tmp_path / "losses.npz")
    with np.load(path) as file:
        arrays = dict(file) | change
    np.savez(path, **arrays)
    with pytest.raises(FileRefused, match="do not fit each other"):
        CertifiedTexts.open(path)
