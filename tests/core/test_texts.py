from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.texts import are_texts, as_texts, text_codes
from limbeck.data.duplicates import find_duplicates, kinds_of, row_hashes


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (["a", "b"], True), (("a", "b"), True), (np.array(["a", "b"]), True),
        (pd.Series(["a", None]), True), (np.array(["a", 1], object), True),
        ("a", False), ([1.0, 2.0], False), ([["a"], ["b"]], False), (np.zeros((2, 2)), False),
        (pd.DataFrame({"t": ["a"]}), False), (pd.Series([1, 2]), False), ([], False),
    ],
)  # fmt: skip
def test_texts_are_one_dimensional(X, expected):
    assert are_texts(X) is expected


@pytest.mark.parametrize("bad", [["a", None], ["a", float("nan")], ["a", 3]])
def test_missing_texts_are_counted_and_refused(bad):
    with pytest.raises(InvalidInput, match="1 of 2 texts are missing or no text: row 1"):
        Features.of(bad)


def test_texts_are_compared_character_by_character():
    texts = as_texts(["good", "good", "good ", "Good", "", "g\0", "g", "\ud800", "好"])
    codes = text_codes(texts)
    assert codes.shape == (9, 3)
    assert (codes == np.rint(codes)).all()
    assert (codes < 2**24).all()
    assert len(np.unique(codes, axis=0)) == 8
    assert (codes[0] == codes[1]).all()
    # the first 9 bytes of SHA-256 of "good", as three big-endian numbers
    import hashlib

    digest = hashlib.sha256(b"good").digest()
    assert codes[0].tolist() == [int.from_bytes(digest[i : i + 3], "big") for i in (0, 3, 6)]


def test_hashes_of_a_hundred_thousand_texts_survive_the_rounding_of_float32():
    texts = as_texts([f"row {i}" for i in range(100_000)])
    assert len(np.unique(row_hashes(text_codes(texts)))) == 100_000


def test_rows_keep_their_texts():
    features = Features.of(pd.Series(["a", "b", "c"], name="review"))
    assert features.text
    assert features.names == ("review",)
    rows = features.rows(["a", "b", "c"])[[2, 0]]
    assert rows.native().tolist() == ["c", "a"]
    assert (features.encode(rows) == features.encode(["c", "a"])).all()
    frame = pd.DataFrame({"n": [1, 2], "review": ["a", "b"]})
    assert (features.encode(frame) == features.encode(["a", "b"])).all()
    with pytest.raises(InvalidInput, match="review"):
        features.encode(frame.rename(columns={"review": "revue"}))
    with pytest.raises(InvalidInput, match="One text"):
        features.encode("a")
    with pytest.raises(InvalidInput, match="cannot be made from numbers"):
        features.decode(rows.values)


def test_few_equal_texts_are_draws_and_many_are_asked_about():
    features = Features.of(["x"])
    some = [f"text {i}" for i in range(200)]
    kinds = kinds_of(features)
    assert find_duplicates(features.encode([*some, some[0]]), kinds).coincidences == 1
    with pytest.raises(InvalidInput, match="duplicates="):
        find_duplicates(features.encode(some + some[:50]), kinds)
    assert find_duplicates(features.encode(some + some[:50]), kinds, "drop").copies == 50


def test_students_of_columns_refuse_texts():
    texts = [f"text {i}" for i in range(60)]
    with pytest.raises(InvalidInput, match="text_classifier"):
        limbeck.distill(lambda X: np.zeros(len(X)), texts, into="tree", progress=False)
    with pytest.raises(InvalidInput, match="no texts"):
        limbeck.distill(
            lambda X: np.zeros(len(X)), np.zeros((60, 2)), into="text_classifier", progress=False
        )
