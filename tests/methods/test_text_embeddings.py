from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.methods.text_embeddings import DistillTextEmbeddings


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"head is 'linar'.*'linear'"):
        DistillTextEmbeddings(head="linar")
    with pytest.raises(InvalidInput, match="width"):
        DistillTextEmbeddings(width=0)
