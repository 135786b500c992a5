from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.networks.cache.checks import (  # noqa: E402
    alike,
    check_inputs,
    check_random,
    check_settings,
)
from limbeck.networks.cache.input_checksums import marks  # noqa: E402
from limbeck.networks.datasets.batch import Batch  # noqa: E402


def test_answers_are_alike_within_two_per_cent_of_the_largest() -> None:
    then = torch.tensor([[10.0, 0.0], [-5.0, -torch.inf]])
    assert alike(then + torch.tensor([[0.19, -0.19], [0.0, 0.0]]), then)
    assert not alike(then + torch.tensor([[0.0, 0.21], [0.0, 0.0]]), then)
    assert not alike(then[:1], then)
    assert alike(then[:0], then[:0])


HEAD = {"top": 5, "views": 2, "layers": [], "seed": 0, "dtype": "float16", "teacher": "t",
        "samples": 7, "data": "d", "hashed": 3}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"top": None}, "was made with top=5, asked for is None"),
        ({"dtype": "float32"}, "was made with dtype='float16'"),
        ({"teacher": "other"}, "holds the answers of another teacher"),
        ({"samples": 1_008}, "is of 7 samples, and there are 1,008"),
        ({"data": "other"}, r"\(3 of 7 samples are compared\)"),
    ],
)
def test_what_differs_is_named(told: dict[str, Any], says: str) -> None:
    file: Any = SimpleNamespace(head=HEAD, folder=Path("cache"))
    check_settings(file, {})
    check_settings(file, HEAD)
    with pytest.raises(FileRefused, match=says):
        check_settings(file, HEAD | told)


def test_random_samples_need_views_and_a_seed_that_makes_them_again() -> None:
    def check(repeatable: bool, drawn: bool, views: int | None) -> None:
        samples: Any = SimpleNamespace(repeatable=repeatable, random=drawn)
        check_random(samples, views)

    check(True, False, None)
    check(True, True, 3)
    with pytest.raises(InvalidInput, match="is to hold one answer for each"):
        check(True, True, None)
    with pytest.raises(InvalidInput, match="differs between two draws with the same seed"):
        check(False, True, 3)


def test_an_input_that_was_not_answered_is_named_by_its_place() -> None:
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    batch = Batch(x, None, torch.tensor([10, 11, 12, 13]))
    stored = marks(x)[0].numpy()
    check_inputs(batch, stored)
    stored = stored.copy()
    stored[2] += 1
    with pytest.raises(InvalidInput, match=r"Sample 12 is not the input .*: 1 of 4 in this batch"):
        check_inputs(batch, stored)
