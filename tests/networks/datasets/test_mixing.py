"""Rows mixed in pairs: what they are, what their labels are, and that a seed repeats it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.networks import GoldLabels, SoftTargets, Training  # noqa: E402
from limbeck.networks.datasets.batch import Batch  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.datasets.mixing import Mixing  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

CLASSES = Task(kind=TaskKind.CLASSIFICATION, outputs=3, classes=(0, 1, 2))
NUMBERS = Task(kind=TaskKind.REGRESSION, outputs=1)


def batch(inputs: Any, labels: Any) -> Batch:
    return Batch(inputs, labels, torch.arange(len(inputs)))


def test_inputs_and_labels_are_mixed_by_the_same_share() -> None:
    """Inputs are one-hot labels, so that mixed inputs are mixed labels."""
    labels = torch.tensor([0, 1, 2, 1, 0, 2])
    inputs = torch.nn.functional.one_hot(labels, 3).float()
    found = Mixing(1.0, None, CLASSES).mixed(batch(inputs, labels), np.random.default_rng(0))
    assert torch.allclose(found.inputs, found.labels)
    assert not torch.equal(found.inputs, inputs)
    assert torch.allclose(found.labels.sum(1), torch.ones(6))
    assert found.labelled is None


def test_a_row_mixed_with_one_without_a_label_has_none() -> None:
    labels = torch.tensor([0, 1, -100, 1])
    found = Mixing(1.0, None, CLASSES).mixed(
        batch(torch.rand(4, 2), labels), np.random.default_rng(1)
    )
    partner = np.random.default_rng(1)
    partner.beta(1.0, 1.0)
    places = partner.permutation(4)
    none = (np.arange(4) == 2) | (places == 2)
    assert found.labelled.tolist() == (~none).tolist()
    numbers = torch.tensor([[1.0], [float("nan")], [3.0], [4.0]])
    found = Mixing(1.0, None, NUMBERS).mixed(
        batch(torch.rand(4, 2), numbers), np.random.default_rng(1)
    )
    assert 1 <= int((~found.labelled).sum()) <= 2


def test_cutmix_pastes_a_rectangle_and_labels_go_by_its_area() -> None:
    labels = torch.arange(3)
    inputs = labels.float()[:, None, None, None].expand(3, 2, 8, 6).contiguous()
    for seed in range(20):
        found = Mixing(None, 1.0, CLASSES).mixed(batch(inputs, labels), np.random.default_rng(seed))
        for row in range(3):
            kept = float((found.inputs[row] == row).float().mean())
            assert float(found.labels[row, row]) == pytest.approx(kept, abs=1e-6)
            assert len(found.inputs[row].unique()) <= 2


def test_the_same_seed_and_batch_are_mixed_alike_whatever_came_before() -> None:
    one = [
        batch(torch.rand(4, 2, generator=torch.Generator().manual_seed(i)), None) for i in (0, 1)
    ]
    one[1] = Batch(one[1].inputs, None, torch.arange(4, 8))
    mixing = Mixing(0.4, None, CLASSES)
    both = [b.inputs for b in mixing.over(iter(one), 3, 0)]
    (alone,) = [b.inputs for b in mixing.over(iter(one[1:]), 3, 0)]
    assert torch.equal(both[1], alone)
    assert not torch.equal(next(mixing.over(iter(one), 3, 1)).inputs, both[0])


def test_the_teacher_answers_the_mixed_rows() -> None:
    """A linear teacher is matched on mixtures; what it was asked are no rows of the data."""
    X = torch.eye(4).repeat(8, 1)
    seen: list[Any] = []

    class Asked(torch.nn.Linear):
        def forward(self, x: Any) -> Any:
            seen.append(x)
            return super().forward(x)

    samples = Samples.of(X, torch.arange(32) % 3).aimed(CLASSES)
    train(
        torch.nn.Linear(4, 3), samples, SoftTargets() + GoldLabels(), CLASSES,
        training=Training(epochs=2, batch_size=8, mixup=1.0), teacher=Asked(4, 3),
    )  # fmt: skip
    asked = torch.cat(seen[1:])
    assert ((asked > 0.01) & (asked < 0.99)).any()
    assert torch.allclose(asked.sum(1), torch.ones(len(asked)))


@pytest.mark.parametrize(
    ("settings", "inputs", "said"),
    [
        ({"mixup": 1.0}, torch.ones(4, 2).long(), "whole numbers"),
        ({"cutmix": 1.0}, torch.rand(4, 2), "shape"),
    ],
)
def test_what_cannot_be_mixed_is_refused(settings: Any, inputs: Any, said: str) -> None:
    mixing = Mixing(settings.get("mixup"), settings.get("cutmix"), CLASSES)
    with pytest.raises(InvalidInput, match=said):
        mixing.check(inputs)
    with pytest.raises(InvalidInput, match="above 0"):
        Training(mixup=0.0)
