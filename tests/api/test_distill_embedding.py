from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.api.distill_embedding import embed
from limbeck.core.errors import InvalidInput

TEXTS = [f"text {i}" for i in range(120)]


def encode(texts: Any) -> Any:
    return np.ones((len(texts), 3))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"widht": 3}, r"no setting 'widht'"),
        ({"smoothing": "much"}, "smoothing is 'much'"),
        ({"smoothing": 0}, "smoothing is 0"),
        ({"width": "3"}, "width is '3'"),
        ({"holdout": (TEXTS, None)}, "holdout is a pair"),
        ({"epsilon": 1.5}, "epsilon"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_that_mean_nothing_are_refused_by_name(settings: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        embed(encode, TEXTS, progress=False, **settings)


def test_equal_and_empty_texts_do_not_count() -> None:
    with pytest.raises(InvalidInput, match="There are 99 different texts"):
        embed(encode, [*TEXTS[:99], *TEXTS[:50], "", "  "], progress=False)


def test_teachers_that_give_no_vectors_are_refused() -> None:
    def one(texts: Any) -> Any:
        return np.ones(len(texts))

    def short(texts: Any) -> Any:
        return np.ones((1, 3))

    with pytest.raises(InvalidInput, match=r"one gave an array of shape \(8,\) for 8 texts"):
        embed(one, TEXTS, progress=False)
    with pytest.raises(InvalidInput, match=r"short gave an array of shape \(1, 3\) for 8 texts"):
        embed(short, TEXTS, progress=False)
    with pytest.raises(InvalidInput, match="encode gave vectors that are not finite"):
        embed(Encoder(), TEXTS, progress=False)


class Encoder:
    """As of sentence-transformers; its vectors are sound only for the first texts."""

    __name__ = "encode"

    def encode(self, texts: Any) -> Any:
        return np.ones((len(texts), 3)) if len(texts) <= 8 else np.full((len(texts), 3), np.nan)
