from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.modules.batch import IGNORED  # noqa: E402
from limbeck.networks.datasets.text_labels import (  # noqa: E402
    first_text,
    flattened,
    places_of_text,
    regrouped,
)

NAMES = ("no", "yes")


def test_text_becomes_places_and_missing_labels_are_ignored() -> None:
    assert places_of_text(["yes", None, "no"], NAMES) == [1, IGNORED, 0]
    assert places_of_text([["yes", "no"], [None]], NAMES) == [[1, 0], [IGNORED]]
    assert places_of_text(np.array(["yes", "no"]), NAMES) == [1, 0]


def test_numbers_are_left_as_they_are() -> None:
    for labels in ([1, 0], [torch.tensor(1), 2.0], torch.tensor([1]), [[1, 2], [3]], [None, None]):
        assert places_of_text(labels, NAMES) is labels
    text = ["no label is read"]
    assert places_of_text(text, ()) is text


def test_text_that_is_no_class_or_has_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Labels in the data set are text, such as 'yes'"):
        places_of_text([3, "yes"], None)
    with pytest.raises(InvalidInput, match="'maybe'"):
        places_of_text(["yes", "maybe"], NAMES)


def test_labels_of_places_come_back_row_by_row() -> None:
    labels = [["a", "b"], [], ["c"], "d", ("e", ["f"])]
    flat = flattened(labels)
    assert flat == list("abcdef")
    assert regrouped(labels, range(6)) == [[0, 1], [], [2], 3, [4, [5]]]
    assert flattened(np.array([["a", "b"], ["c", "d"]])) == list("abcd")


def test_the_first_text_is_found_however_deep() -> None:
    assert first_text([1, (2, ["x", "y"])]) == "x"
    assert first_text(np.array([["p", "q"]])) == "p"
    assert first_text(np.array([1, 2])) is None
    assert first_text(3) is None
