from __future__ import annotations

import copy
from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.modules.outputs import (  # noqa: E402
    OutputReader,
    answer,
    entries,
    entry,
    read_by,
    reading_of,
    readings,
    tensor_in,
)

A, B = torch.zeros(2, 1), torch.arange(12.0).view(2, 6)
Two = namedtuple("Two", ["a", "b"])


class Says(nn.Module):
    def __init__(self, said: Any) -> None:
        super().__init__()
        self.said = said

    def forward(self, x: Any) -> Any:
        return self.said


MAPPING = {"a": A, "b": B}
FORMS = [MAPPING, Two(A, B), SimpleNamespace(a=A, b=B), (A, B)]


@pytest.mark.parametrize("said", FORMS)
def test_an_output_is_found_by_name_and_by_position_from_either_end(said: Any) -> None:
    if not isinstance(said, tuple) or hasattr(said, "_fields"):
        assert entry(said, "b") is B
        assert list(entries(said)) == ["a", "b"]
    assert entry(said, 0) is A
    assert entry(said, -1) is B
    with pytest.raises(InvalidInput, match="Net returns no tensor as output=2"):
        entry(said, 2, "Net")


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(InvalidInput, match="no tensor as output='logitz'") as caught:
        entry({"logits": A, "loss": None}, "logitz")
    assert "logits" in caught.value.remedy
    assert "loss" not in caught.value.remedy
    with pytest.raises(InvalidInput, match="no tensor as output='loss'"):
        entry({"logits": A, "loss": None}, "loss")


def test_by_convention_logits_or_the_first_tensor() -> None:
    assert tensor_in({"loss": A, "logits": B}) is B
    assert tensor_in(SimpleNamespace(logits=B)) is B
    assert tensor_in(((B, A), A)) is B
    assert tensor_in(()) is None
    assert tensor_in({"hidden": A}) is None


def test_axes_are_read_as_numbers_side_by_side_or_classes_of_places() -> None:
    maps = torch.arange(24.0).view(1, 3, 2, 4)
    places = OutputReader(form="places").outputs(maps)
    assert places.shape == (1, 8, 3)
    assert places[0, 5].tolist() == maps[0, :, 1, 1].tolist()
    assert OutputReader(form="flat").outputs(maps).tolist() == maps.flatten(1).tolist()
    assert OutputReader(form="places", first=2).outputs(maps).tolist() == places[..., :2].tolist()
    assert OutputReader(first=4).raw(B).tolist() == B[:, :4].tolist()


def test_a_network_is_read_as_was_said_in_its_copies_too_and_then_as_before() -> None:
    net = read_by(Says(MAPPING), OutputReader("b", first=5))
    assert answer(net, A).shape == (2, 5)
    assert answer(copy.deepcopy(net), A).shape == (2, 5)
    plain = Says((A, B))
    with readings([net, plain], [OutputReader("b", first=2), OutputReader(1)]):
        assert answer(net, A).shape == (2, 2)
        assert answer(plain, A) is B
        with pytest.raises(InvalidInput), readings([plain], [OutputReader("none")]):
            answer(plain, A)
        assert answer(plain, A) is B
    assert reading_of(net) == OutputReader("b", first=5)
    assert reading_of(plain) == OutputReader()
    assert answer(plain, A) is A
