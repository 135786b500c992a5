"""Networks from labels of every kind: one-hot, soft, smoothed, and rows without any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, default_collate

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.networks import GoldLabels, SoftTargets
from tests.api.test_distill_network import FAST, Truth, rows, small

BOTH = 0.5 * SoftTargets(temperature=2.0) + 0.5 * GoldLabels()


def fixed() -> nn.Module:
    torch.manual_seed(3)
    return small()


def distilled(data: Any, test: Any, objective: Any = BOTH, **more: Any) -> Any:
    settings = FAST | {"into": fixed(), "test": test, "baseline": False, "timing": False} | more
    return limbeck.distill(Truth(), data, objective=objective, **settings)


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def test_one_hot_rows_are_classes_and_learn_as_integers_do() -> None:
    x, y = rows(120, 0)
    hot = distilled((x, F.one_hot(y, 3)), rows(60, 1))
    plain = distilled((x, y), rows(60, 1))
    assert hot.settings["task"] == "classification"
    assert any("sum to one" in n and "multilabel" in n for n in hot.notes)
    assert not any("sum to one" in n for n in plain.notes)
    torch.testing.assert_close(weights(hot.student), weights(plain.student), rtol=1e-4, atol=1e-5)
    told = distilled((x, F.one_hot(y, 3)), (rows(60, 1)[0], F.one_hot(rows(60, 1)[1], 3)),
                     task="multilabel")  # fmt: skip
    assert told.settings["task"] == "multilabel"


def test_soft_rows_and_test_rows_of_another_form() -> None:
    x, y = rows(120, 0)
    soft = 0.8 * F.one_hot(y, 3) + 0.2 / 3
    found = distilled((x, soft), rows(60, 1), objective=GoldLabels())
    smoothed = distilled((x, y), rows(60, 1), objective=GoldLabels(label_smoothing=0.2))
    torch.testing.assert_close(
        weights(found.student), weights(smoothed.student), rtol=1e-4, atol=1e-5
    )
    accuracy = {e.role: e.accuracy.value for e in found.comparison.entries}
    assert accuracy["teacher"] == 1.0


def test_mixup_in_a_collation() -> None:
    x, y = rows(120, 0)

    def mixup(items: list[Any]) -> tuple[Tensor, Tensor]:
        one, labels = default_collate(items)
        hot = F.one_hot(labels, 3).float()
        share = torch.distributions.Beta(0.4, 0.4).sample().item()
        return share * one + (1 - share) * one.flip(0), share * hot + (1 - share) * hot.flip(0)

    loader = DataLoader(list(zip(x, y, strict=True)), batch_size=32, collate_fn=mixup)
    found = distilled(loader, rows(60, 1))
    assert found.settings["task"] == "classification"
    assert next(e.accuracy.value for e in found.comparison.entries if e.role == "student") > 0.5


@pytest.mark.parametrize("mark", [-1, -100])
@pytest.mark.parametrize("soft", [False, True])
def test_rows_without_a_label(mark: int, soft: bool) -> None:
    x, y = rows(160, 0)
    y = F.one_hot(y, 3).float() if soft else y
    none = torch.arange(160) % 3 > 0
    y[none] = mark
    other = torch.where(none[:, None], x + 1.0, x)
    test_x, test_y = rows(90, 1)
    garbled = test_y.clone()
    garbled[::2] = -100
    one = distilled((x, y), (test_x, garbled))
    two = distilled((other, y), (test_x, garbled))
    # the control never sees rows without a label, the student does
    assert torch.equal(weights(one.controls[0]), weights(two.controls[0]))
    assert not torch.equal(weights(one.student), weights(two.student))
    assert any("106 of 160 rows have no label" in n for n in one.notes)
    right = (one.student(test_x).argmax(1) == test_y)[1::2].float().mean().item()
    entry = next(e for e in one.comparison.entries if e.role == "student")
    assert entry.accuracy.value == pytest.approx(right)
    assert one.certificate.n == 90


def test_a_control_is_smoothed_as_its_student() -> None:
    data, test = rows(120, 0), rows(60, 1)
    one = distilled(data, test, 0.5 * SoftTargets() + 0.5 * GoldLabels(label_smoothing=0.3))
    alone = distilled(data, test, GoldLabels(label_smoothing=0.3))
    torch.testing.assert_close(weights(one.controls[0]), weights(alone.student))
    with pytest.raises(InvalidInput, match=r"GoldLabels\(label_smoothing="):
        distilled(data, test, label_smoothing=0.1)


def test_no_label_at_all_is_as_without_labels() -> None:
    x, _ = rows(120, 0)
    found = distilled((x, torch.full((120,), -1)), rows(60, 1), objective=None)
    assert not found.controls
    assert any("no control" in n for n in found.notes)


def test_what_minus_one_means_is_not_guessed() -> None:
    x, y = rows(120, 0)
    with pytest.raises(InvalidInput, match="-1 may be a class"):
        distilled((x, y - 1), rows(60, 1))
    with pytest.raises(InvalidInput, match="sum to one"):
        distilled((x, torch.full((120, 3), 0.5)), rows(60, 1), task="classification")


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = Truth().body

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return self.body(input)


def of_names(data: Any) -> Any:
    quick = FAST | {"epochs": 1, "baseline": False, "timing": False}
    return limbeck.distill(Named(), data, into=Named, **quick)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("y", "items"), ("target", "tensors"), ("targets", "arrays"), ("label", "items"),
     ("labels", "tensors"), ("label", "arrays")],
)  # fmt: skip
def test_items_with_names_and_their_label(name: str, kind: str) -> None:
    x, y = rows(60, 0)
    if kind != "items":
        data = {"input": x, name: y}
        arrays = {column: values.numpy() for column, values in data.items()}
        assert of_names(arrays if kind == "arrays" else data).controls
        return
    items: list[dict[str, Any]] = [{"input": a, name: int(b)} for a, b in zip(x, y, strict=True)]
    assert of_names(items).controls
    items[0][name] = None
    assert any("no label" in n for n in of_names(items).notes)


def test_a_column_that_may_be_the_label_is_asked_about() -> None:
    x, y = rows(120, 0)

    def notes(**columns: Any) -> tuple[str, ...]:
        found = of_names({"input": x, **columns})
        return tuple(n for n in found.notes if "No network reads" in n)

    (asked,) = notes(gold=np.arange(120))
    assert "Is 'gold' the label?" in asked
    (told,) = notes(label=y, y=np.arange(120))  # the rows have one already
    assert "the label?" not in told
    found = of_names({"input": x, "class": y})
    assert any("'class'" in n and "the label?" in n for n in found.notes)
