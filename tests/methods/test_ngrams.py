from __future__ import annotations

from types import SimpleNamespace

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.methods.ngrams import DistillNgrams, _message


def test_what_was_found_is_a_sentence() -> None:
    found = SimpleNamespace(families=[range(1000), range(200)], ngrams="both", penalty=1e-4,
                            losses={"words": 0.25, "both": 0.125}, texts=80)  # fmt: skip
    assert _message(found, 80) == (
        "1,200 n-grams of words and characters with a penalty of 0.0001;"
        " loss on texts left out: words 0.250, both 0.125."
    )
    found.losses, found.ngrams = {}, "words"
    assert _message(found, 1100) == (
        "1,200 n-grams of words with a penalty of 0.0001; 80 of 1,100 texts were read."
    )


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match="ngrams is 'word'"):
        DistillNgrams(ngrams="word")
    with pytest.raises(InvalidInput, match="ordered"):
        DistillNgrams(ordered=3)  # type: ignore[arg-type]
