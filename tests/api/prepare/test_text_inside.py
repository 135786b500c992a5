"""Text labels inside data sets, and of tokens, are read as those of arrays are."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

import limbeck
from limbeck.core.errors import InvalidInput

NAMES = ["wolf", "ant", "bee"]  # in another order than sorted
G = torch.Generator().manual_seed(0)
X, W = torch.randn(120, 6, generator=G), torch.randn(6, 3, generator=G)
Y = (X @ W).argmax(1)
TEXT = [NAMES[i] for i in Y]
FEW: dict[str, Any] = {"epochs": 1, "timing": False, "baseline": False, "batch_size": 16}


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.body(x)
        return found


def linear(weight: Tensor | None = None) -> nn.Module:
    torch.manual_seed(3)
    made = Named()
    if weight is not None:
        made.body.weight.data = 3 * weight.T.clone()
        made.body.bias.data.zero_()
    return made


class Items(Dataset[Any]):
    """Tuples or mappings, with labels that are text or numbers."""

    def __init__(self, labels: list[Any], named: bool = False) -> None:
        self.labels, self.named = labels, named

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> Any:
        pair = X[i], self.labels[i]
        return {"x": pair[0], "label": pair[1]} if self.named else pair


def weights(data: Any, teacher: Any = None, **given: Any) -> tuple[Tensor, Any]:
    teacher = linear(W) if teacher is None else teacher
    found = limbeck.distill(teacher, data, into=linear(), **FEW, **given)
    return torch.cat([p.detach().flatten() for p in found.student.parameters()]), found


def hugging_face(labels: list[Any]) -> Any:
    datasets = pytest.importorskip("datasets")
    return datasets.Dataset.from_dict({"x": X.tolist(), "label": labels})


@cache
def of_numbers(missing: bool) -> Tensor:
    """What comes of the labels as numbers, the first of them missing or not."""
    return weights(Items([-100 if missing and i < 12 else int(y) for i, y in enumerate(Y)]))[0]


MAKERS = {
    "data set": Items,
    "named items": lambda labels: Items(labels, named=True),
    "list": lambda labels: list(zip(X, labels, strict=True)),
    "loader": lambda labels: DataLoader(Items(labels), batch_size=16),
    "part": lambda labels: Subset(Items(labels), range(120)),
    "columns": hugging_face,
}


# labels are missing from data of one row at a time and from columns; from the others as well: slow
@pytest.mark.parametrize(
    ("make", "missing"),
    [
        pytest.param(
            make, missing, id=f"{name}-{missing}",
            marks=pytest.mark.slow if missing and name not in ("data set", "columns") else (),
        )
        for name, make in MAKERS.items()
        for missing in (False, True)
    ],
)  # fmt: skip
def test_text_inside_data_is_the_same_as_its_places(make: Any, missing: bool) -> None:
    text = [None if missing and i < 12 else said for i, said in enumerate(TEXT)]
    as_text, found = weights(make(text), classes=NAMES)
    assert torch.equal(of_numbers(missing), as_text)
    assert found.controls
    assert any("outputs stand for 'wolf', 'ant', 'bee'" in note for note in found.notes)
    assert found.comparison.entries[0].accuracy.value == 1.0


@pytest.mark.parametrize("kind", ["columns", "list"])
def test_an_order_that_was_guessed_is_told_and_checked(kind: str) -> None:
    with pytest.raises(InvalidInput, match=r"Give classes=\['wolf', 'ant', 'bee'\]"):
        weights(MAKERS[kind](TEXT))
    sorted_names = linear(W[:, [1, 2, 0]])
    _, found = weights(MAKERS[kind](TEXT), sorted_names)
    assert any("It is that of the sorted classes" in note for note in found.notes)


def test_the_order_is_that_of_the_data_set_or_of_the_teacher() -> None:
    data = Items(TEXT)
    expected = of_numbers(missing=False)
    with pytest.raises(InvalidInput, match=r"text, such as '\w+'.*classes=\["):
        weights(data)
    teacher = linear(W)
    teacher.config = type("Config", (), {"id2label": dict(enumerate(NAMES))})()
    assert torch.equal(weights(data, teacher)[0], expected)
    data.classes = NAMES  # type: ignore[attr-defined]
    assert torch.equal(weights(data)[0], expected)
    assert torch.equal(weights(Subset(data, range(120)))[0], expected)


def test_validation_and_test_rows_may_hold_text_as_well() -> None:
    rest = [(torch.randn(6, generator=G), "ant") for _ in range(30)]
    more = [(torch.randn(6, generator=G), "wolf") for _ in range(30)]
    _, found = weights((X, TEXT), classes=NAMES, test=rest, validation=more)
    assert found.settings["test_rows"] == 30
    with pytest.raises(InvalidInput, match="'cow' in the validation labels is not one of"):
        weights((X, TEXT), classes=NAMES, test=rest, validation=[(more[0][0], "cow")] * 20)
    with pytest.raises(InvalidInput, match="'ant' in the test labels"):
        weights((X, Y), test=rest)


def test_a_label_that_is_no_class_and_text_of_a_collate_fn_are_refused() -> None:
    wrong = [*TEXT[:60], "cow", *TEXT[61:]]
    with pytest.raises(InvalidInput, match=r"The label 'cow' in .*not one of the classes"):
        weights(Items(wrong), classes=NAMES)

    def collate(items: Any) -> Any:
        return torch.stack([x for x, _ in items]), [y for _, y in items]

    with pytest.raises(InvalidInput, match="collate_fn returns labels as a list"):
        weights(DataLoader(Items(TEXT), batch_size=16, collate_fn=collate), classes=NAMES)


def test_labels_of_a_column_are_left_out_only_where_others_are_given() -> None:
    expected = of_numbers(missing=False)
    found, _ = weights(hugging_face(["unread"] * 120), y=Y)
    assert torch.equal(found, expected)


IDS = [[1 + (3 * i + j) % 8 for j in range(4 + i % 3)] for i in range(90)]
TAGS = [[NAMES[t % 3] if t < 8 else None for t in row] for row in IDS]
PLACES = [[t % 3 if t < 8 else -100 for t in row] for row in IDS]


class Tagger(nn.Module):
    def __init__(self, right: bool = False) -> None:
        torch.manual_seed(4)
        super().__init__()
        self.words = nn.Embedding(9, 3)
        if right:
            self.words.weight.data = 5 * torch.eye(3)[torch.arange(9) % 3]

    def forward(self, input_ids: Tensor) -> Tensor:
        found: Tensor = self.words(input_ids)
        return found


def tagged(data: Any, **given: Any) -> Tensor:
    given |= {"duplicates": "keep"}  # there are few different rows
    found = limbeck.distill(Tagger(right=True), data, into=Tagger(), **FEW, **given)
    assert found.controls
    return next(found.student.parameters()).detach()


@pytest.mark.parametrize("kind", ["mapping", "columns", "items", "arrays"])
def test_labels_of_tokens_may_be_text(kind: str) -> None:
    def data(tags: list[list[Any]]) -> Any:
        ids = IDS
        if kind == "arrays":  # of one length
            ids, tags = ([row[:4] for row in part] for part in (IDS, tags))
            return {"input_ids": np.array(ids)}, np.array(tags)
        if kind == "columns":
            datasets = pytest.importorskip("datasets")
            return datasets.Dataset.from_dict({"input_ids": ids, "labels": tags})
        if kind == "mapping":
            return {"input_ids": ids, "labels": tags}
        return [{"input_ids": a, "labels": b} for a, b in zip(ids, tags, strict=True)]

    assert torch.equal(tagged(data(TAGS), classes=NAMES), tagged(data(PLACES)))
