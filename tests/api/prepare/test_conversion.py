from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from limbeck.api.prepare.conversion import (  # noqa: E402
    ConversionRequest,
    read_conversion,
    split_conversion,
)
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.texts import TokenTexts  # noqa: E402


def request(**more: Any) -> ConversionRequest:
    return ConversionRequest("hf:nowhere", [], Hybrid(), **more)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"lr": 0}, "lr is 0"),
        ({"lr": {"logits": float("inf")}}, "lr is inf"),
        ({"beta": -1}, "beta is -1"),
        ({"stages": ["preferences"]}, "preferences and the stage of this name go together"),
        ({"preferences": [("a", "b", "c")]}, "go together"),
        ({"length": 1}, "length"),
        ({"recall": [True]}, "A distance is True"),
        ({"delta": 0}, "delta"),
    ],
)
def test_settings_are_refused_before_a_model_is_opened(settings: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_conversion(request(**settings))


def test_texts_are_set_aside_by_the_seed_and_enough_of_them() -> None:
    texts = TokenTexts([f"text {i}" for i in range(40)], [torch.ones(2)] * 40)
    data: Any = SimpleNamespace(texts=texts)
    training, test = split_conversion(request(holdout=0.25), data)
    assert (len(training), len(test)) == (30, 10)
    assert sorted([*training.texts, *test.texts]) == sorted(texts.texts)
    assert split_conversion(request(holdout=0.25), data)[1].texts == test.texts
    assert split_conversion(request(holdout=0.25, seed=1), data)[1].texts != test.texts
    with pytest.raises(InvalidInput, match="There are 8 texts for the certificate"):
        split_conversion(request(holdout=0.2), data)


def test_checkpoints_of_a_role_lie_by_seed_or_nowhere(tmp_path: Path) -> None:
    found = request(out=tmp_path).under(3, "control")
    assert found is not None
    assert found.relative_to(tmp_path).parts[1:] == ("seed-3", "control")
    assert request().under(3, "control") is None
