"""Networks that return probabilities are read as such, and students of them refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import limbeck  # noqa: E402
from limbeck.api.prepare.probabilities import (  # noqa: E402
    probability_notes,
    read_probabilities,
)
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.modules.outputs import OutputReader, answer, reading_of  # noqa: E402

CLASSES, LABELS, ONE = (
    Task.of("classification", 3),
    Task.of("multilabel", 3),
    Task.of("multilabel", 1),
)
X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))


def net(*end: nn.Module, k: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, k), *end)


@pytest.mark.parametrize(
    ("end", "task", "scale"),
    [
        ([nn.Softmax(-1)], CLASSES, "softmax"),
        ([nn.Sigmoid()], LABELS, "sigmoid"),
        ([], CLASSES, ""),
        ([nn.LogSoftmax(-1)], CLASSES, ""),
        ([nn.Sigmoid()], CLASSES, ""),
        ([], LABELS, ""),
        ([nn.Softmax(-1)], Task.of("regression", 3), ""),
        ([nn.Sigmoid()], Task.of("regression", 3), ""),
    ],
)
@pytest.mark.parametrize("frozen", [False, True])
def test_how_outputs_are_read(end: list[Any], task: Task, scale: str, frozen: bool) -> None:
    module = net(*end).requires_grad_(not frozen)
    read_probabilities(X[:4], task, [module], [])
    assert reading_of(module).scale == scale
    assert bool(probability_notes([module])) == bool(scale)
    if scale:
        z = module[0](X)
        found = answer(module, X)
        ours = found.sigmoid() if scale == "sigmoid" else found.softmax(-1)
        torch.testing.assert_close(ours, z.sigmoid() if scale == "sigmoid" else z.softmax(-1))
        with pytest.raises(InvalidInput, match=f"Leave its last {scale} out"):
            read_probabilities(X[:4], task, [], [net(*end)])
    assert all(p.grad is None for p in module.parameters())


def test_certain_probabilities_have_finite_logits() -> None:
    for scale, p in (("softmax", [[0.0, 1.0]]), ("sigmoid", [[0.0, 1.0]])):
        for dtype in (torch.float32, torch.float64, torch.bfloat16):
            found = OutputReader(scale=scale).outputs(torch.tensor(p, dtype=dtype))
            assert torch.isfinite(found).all()
            assert found.argmax(1).item() == 1
    assert (OutputReader(scale="sigmoid").outputs(torch.tensor([[0.4, 0.6]])) > 0).tolist() == [
        [False, True]
    ]


@pytest.mark.parametrize("one", [False, True], ids=["softmax", "sigmoid"])
def test_a_teacher_with_softmax_teaches_and_is_calibrated_as_the_same_one_without(
    one: bool,
) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 4)).astype(np.float32)
    plain = net(k=1 if one else 2)
    with torch.no_grad():
        z = plain(torch.from_numpy(rows))
        p = z.sigmoid()[:, 0] if one else z.softmax(1)[:, 1]
    y = (rng.random(600) < p.numpy()).astype(np.float32 if one else np.int64)
    ended = nn.Sequential(*plain, nn.Sigmoid() if one else nn.Softmax(1))
    found = []
    for teacher in (plain, ended):
        result = limbeck.distill(
            teacher, rows, y, into=lambda: net(k=1 if one else 2), epochs=3, progress=False,
            baseline=False,
        )  # fmt: skip
        found.append(result)
        assert reading_of(teacher) == OutputReader()  # as before
    one_, two = found
    assert two.facts["teacher"].calibration.value == pytest.approx(
        one_.facts["teacher"].calibration.value, abs=1e-4
    )
    assert two.facts["teacher"].calibration.value < 0.12
    assert one_.comparison.entries == two.comparison.entries
    assert any("read as probabilities" in note for note in two.notes)
    assert not any("read as probabilities" in note for note in one_.notes)
