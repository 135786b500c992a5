"""`distill(..., assistants=, early_teacher=)`: who learns from whom, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
from torch import nn  # noqa: E402

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import BornAgain, HiddenStates, Pruned  # noqa: E402

pytestmark = pytest.mark.torch
X = torch.randn(400, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] * X[:, 1] > 0).long()
QUICK: dict[str, Any] = {
    "test": (X[200:], Y[200:]), "epochs": 3, "batch_size": 50, "lr": 0.05, "timing": False,
    "progress": False, "control": False,
}  # fmt: skip


def net(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))


torch.manual_seed(0)
TEACHER, EARLY, MEDIUM, SMALL = net(32), net(32), net(16), net(4)


def test_a_chain_is_two_distillations_one_after_the_other() -> None:
    both = limbeck.distill(TEACHER, (X[:200], Y[:200]), into=SMALL, assistants=[MEDIUM], **QUICK)
    first = limbeck.distill(TEACHER, (X[:200], Y[:200]), into=MEDIUM, **QUICK).student
    second = limbeck.distill(first, (X[:200], Y[:200]), into=SMALL, **QUICK).student
    for ours, theirs in zip(both.student.parameters(), second.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    direct = limbeck.distill(TEACHER, (X[:200], Y[:200]), into=SMALL, **QUICK)
    lines = {e.role: e for e in both.comparison.entries}
    assert "assistant 1" in lines
    assert list(lines)[:2] == ["teacher", "student"]
    assert lines["direct student"].agreement == direct.comparison.entries[1].agreement
    assert "direct student" in both.comparison.against
    assert any("1 assistant (114 parameters" in note for note in both.notes)


def test_an_early_teacher_teaches_and_the_teacher_is_agreed_with(tmp_path: Any) -> None:
    given = {**QUICK, "baseline": False}
    found = limbeck.distill(
        TEACHER, (X[:200], Y[:200]), into=SMALL, early_teacher=EARLY, out=tmp_path / "run",
        **QUICK,
    )  # fmt: skip
    alone = limbeck.distill(EARLY, (X[:200], Y[:200]), into=SMALL, **given)
    for ours, theirs in zip(found.student.parameters(), alone.student.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    with torch.no_grad():
        agrees = (found.student(X[200:]).argmax(1) == TEACHER(X[200:]).argmax(1)).float().mean()
    assert found.comparison.entries[1].agreement.value == pytest.approx(float(agrees))
    assert any("early_teacher, an earlier checkpoint" in note for note in found.notes)
    assert str(limbeck.load(tmp_path / "run")) == str(found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"assistants": []}, "holds no network"),
        ({"assistants": ["medium"]}, "assistants holds 'medium'"),
        ({"assistants": [nn.Linear(4, 3)]}, r"assistant 1 answers \(4, 3\)"),
        ({"early_teacher": lambda x: x}, "early_teacher is a function"),
        ({"early_teacher": nn.Linear(4, 3)}, r"early_teacher answers \(4, 3\)"),
        ({"assistants": [MEDIUM], "mode": BornAgain(2)}, "assistants was given with mode"),
        ({"assistants": [MEDIUM], "cache": "kept"}, "assistants was given with cache"),
        ({"assistants": [MEDIUM], "into": [SMALL, copy.deepcopy(SMALL)]}, "several students"),
        ({"assistants": [MEDIUM], "into": Pruned(size=0.5)}, r"Pruned\(...\)"),
        ({"assistants": [MEDIUM], "objective": HiddenStates(pairs={"0": "0"})}, "reads the layers"),
    ],
)
def test_refused_before_any_work(given: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        limbeck.distill(TEACHER, (X[:200], Y[:200]), **{"into": SMALL, **QUICK, **given})
