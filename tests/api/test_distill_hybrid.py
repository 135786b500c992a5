from __future__ import annotations

import pytest

pytest.importorskip("torch")

from limbeck.api.distill_hybrid import hybrid_from
from limbeck.core.errors import InvalidInput
from limbeck.networks.conversion.hybrid import Hybrid


def test_settings_are_refused_before_a_model_is_opened() -> None:
    with pytest.raises(InvalidInput, match="no setting 'step'") as caught:
        hybrid_from("hf:nowhere", ["a text"], Hybrid(), {"step": 3})
    assert "steps" in caught.value.remedy
    with pytest.raises(InvalidInput, match="no setting 'out'"):
        hybrid_from("hf:nowhere", ["a text"], Hybrid(), {"out": "x"})
