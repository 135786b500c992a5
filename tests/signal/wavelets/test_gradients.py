"""Gradients asked for once, and differences where there are none."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from limbeck.core.columns import Features  # noqa: E402
from limbeck.core.contract import Access  # noqa: E402
from limbeck.core.progress import quiet  # noqa: E402
from limbeck.signal.wavelets.gradients import ask  # noqa: E402
from limbeck.teachers import as_teacher  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4))
W = RNG.normal(size=(4, 3))
ROWS = Features.of(X).rows(X)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.from_numpy(W))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x @ self.w)


WINNERS = np.tanh(X @ W).argmax(1)
TRUTH = (1 - np.tanh(X @ W) ** 2)[np.arange(50), WINNERS, None] * W.T[WINNERS]


def test_each_row_is_differentiated_at_its_own_output() -> None:
    teacher = as_teacher(Net(), classes=[0, 1, 2], score_kind="logit")
    found = ask(teacher, ROWS, WINNERS, 99, 1, False, RNG, quiet)
    assert found.at.tolist() == list(range(50))
    np.testing.assert_allclose(found.gradients, TRUTH, rtol=1e-6)
    assert found.queries == 0


@pytest.mark.parametrize("grants", [True, False])
def test_differences_come_near_and_are_counted(grants) -> None:
    def plain(x: np.ndarray) -> np.ndarray:
        return np.tanh(np.asarray(x) @ W)[:, :1]

    teacher = (
        as_teacher(Net(), classes=[0, 1, 2], score_kind="logit")
        if grants
        else as_teacher(plain, regression=True)
    )
    assert (Access.GRADIENTS in teacher.access) is grants
    winners = WINNERS if grants else np.zeros(50, int)
    found = ask(teacher, ROWS, winners, 99, 160, True, np.random.default_rng(0), quiet)
    assert len(found.at) == 20  # 160 queries, 8 a row
    assert found.queries == 160
    slope = (1 - np.tanh(X @ W) ** 2)[np.arange(50), winners, None] * W.T[winners]
    np.testing.assert_allclose(found.gradients, slope[found.at], atol=1e-3)


def test_labels_are_asked_in_larger_steps() -> None:
    teacher = as_teacher(lambda x: np.where(np.asarray(x)[:, 2] > 0, "up", "down"),
                         np.array(["up", "down"]))  # fmt: skip
    winners = np.ones(50, int)
    found = ask(teacher, ROWS, winners, 99, 10_000, False, RNG, quiet)
    moved = np.abs(found.gradients).sum(0)
    assert moved[2] > 0
    assert moved[[0, 1, 3]].sum() == 0


def test_some_rows_of_many() -> None:
    teacher = as_teacher(Net(), classes=[0, 1, 2], score_kind="logit")
    found = ask(teacher, ROWS, WINNERS, 7, 1, False, np.random.default_rng(2), quiet)
    assert len(set(found.at)) == 7
    np.testing.assert_allclose(found.gradients, TRUTH[found.at], rtol=1e-6)
