from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Step
from limbeck.networks import Contrastive
from limbeck.networks.losses.contrastive import contrast

Draw = Callable[..., Tensor]
Make = Callable[..., Step]


def by_loops(s: Tensor, t: Tensor, T: float, rivals: Tensor) -> np.ndarray:
    """The loss of each row, negative by negative."""
    s, t = (x.numpy() / np.linalg.norm(x.numpy(), axis=1, keepdims=True) for x in (s, t))
    rows = []
    for i in range(len(s)):
        among = [s[i] @ t[j] / T for j in range(len(t)) if j == i or rivals[i, j]]
        rows.append(logsumexp(among) - s[i] @ t[i] / T)
    return np.array(rows)


def test_by_hand() -> None:
    rows = torch.eye(2)
    # cosines 1 and 0, T = 1/2: -log(e^2 / (e^2 + 1))
    assert contrast(rows, rows, 0.5).item() == pytest.approx(np.log(1 + np.exp(-2)), rel=1e-5)
    # the student cannot tell two rows apart: log 2
    assert contrast(torch.ones(2, 2), rows).item() == pytest.approx(np.log(2))


def test_the_loss_is_numpys(draw: Draw) -> None:
    student, teacher, weight = draw(5, 3), draw(5, 3), draw(5).abs()
    every, some = torch.ones(5, 5).bool(), draw(5, 5) > 0
    rows = by_loops(student, teacher, 0.2, every)
    assert contrast(student, teacher, 0.2).item() == pytest.approx(rows.mean())
    weighted = contrast(student, teacher, 0.2, None, weight).item()
    assert weighted == pytest.approx(np.average(rows, weights=weight.numpy()))
    rows = by_loops(student, teacher, 0.2, some)
    assert contrast(student, teacher, 0.2, some).item() == pytest.approx(rows.mean())


def test_between_0_and_the_log_of_the_rows(draw: Draw) -> None:
    teacher = draw(8, 16)
    constant = torch.ones(8, 16).double()
    assert contrast(constant, constant).item() == pytest.approx(np.log(8))
    assert 0 < contrast(torch.eye(8), torch.eye(8)).item() < 1e-5  # nearly 0 at the teacher
    assert contrast(teacher, teacher) < contrast(draw(8, 16), teacher)
    assert contrast(teacher[:1], draw(1, 16)) == 0  # no negatives, nothing to learn
    assert contrast(teacher[:0], draw(0, 16)) == 0


def test_gradients(draw: Draw) -> None:
    student, teacher = draw(4, 3).requires_grad_(), draw(4, 3)
    rivals, weight = draw(4, 4) > 0, draw(4).abs()
    for more in ({}, {"weight": weight}, {"rivals": rivals, "weight": weight}):
        one = partial(contrast, teacher=teacher, temperature=0.5, **more)
        assert torch.autograd.gradcheck(one, (student,))


@pytest.fixture
def on(step: Make) -> Make:
    """A step of one pair of layers."""

    def make(
        student: Tensor, teacher: Tensor, labels: Tensor | None = None, **more: object
    ) -> Step:
        logits = torch.zeros(len(student), 2)
        return step(logits, logits, labels, layers={"a": (student, teacher)}, **more)

    return make


def test_the_term_maps_both_networks_to_one_width(on: Make, draw: Draw) -> None:
    student, teacher = draw(5, 3), draw(5, 7, 2, 2)
    term = Contrastive({"a": "a"}, width=4, temperature=0.3)
    maps = term.maps(on(student, teacher))
    assert isinstance(maps, nn.ModuleList)
    assert [tuple(m.weight.shape) for m in maps] == [(4, 3), (4, 7)]
    found = term.loss(on(student, teacher), maps)
    expected = contrast(maps[0](student), maps[1](teacher.mean((2, 3))), 0.3)
    torch.testing.assert_close(found, expected)


def test_weights_of_0_and_1_choose_rows_and_negatives(on: Make, draw: Draw) -> None:
    student, teacher = draw(5, 3), draw(5, 4)
    term = Contrastive({"a": "a"}, width=6)
    maps = term.maps(on(student, teacher))
    passes, rows = torch.tensor([1.0, 0, 1, 1, 0], dtype=torch.float64), [0, 2, 3]
    chosen = term.loss(on(student, teacher, weight=passes), maps)
    torch.testing.assert_close(chosen, term.loss(on(student[rows], teacher[rows]), maps))
    assert term.loss(on(student, teacher, weight=0 * passes), maps) == 0


def test_a_sample_drawn_twice_is_no_negative_of_itself(on: Make, draw: Draw) -> None:
    student, teacher = draw(3, 4), draw(3, 4)
    twice = [torch.cat([x, x[:1]]) for x in (student, teacher)]
    term = Contrastive({"a": "a"})
    maps = term.maps(on(student, teacher))
    alone = on(student, teacher)
    assert isinstance(maps, nn.ModuleList)
    rows = by_loops(
        *(m(x).detach() for m, x in zip(maps, (student, teacher), strict=True)),
        0.07,
        torch.ones(3, 3),
    )
    assert term.loss(alone, maps).item() == pytest.approx(rows.mean())
    # rows 1 and 2 see row 0 twice; row 0 sees what it saw
    both = term.loss(on(*twice, index=torch.tensor([7, 8, 9, 7])), maps).item()
    mapped = [m(x).detach() for m, x in zip(maps, twice, strict=True)]
    index = np.array([7, 8, 9, 7])
    expected = by_loops(*mapped, 0.07, torch.tensor(index[:, None] != index[None, :]))
    assert both == pytest.approx(expected.mean())
    assert expected[0] == pytest.approx(rows[0])
    assert expected[3] == pytest.approx(rows[0])


def test_negatives_of_other_classes_only(on: Make, draw: Draw) -> None:
    student, teacher = draw(4, 3), draw(4, 3)
    labels = torch.tensor([0, 0, 1, 1])
    term = Contrastive({"a": "a"}, other_classes=True, temperature=0.5)
    now = on(student, teacher, labels, index=torch.arange(4))
    maps = term.maps(now)
    assert isinstance(maps, nn.ModuleList)
    mapped = [m(x).detach() for m, x in zip(maps, (student, teacher), strict=True)]
    expected = by_loops(*mapped, 0.5, labels[:, None] != labels[None, :]).mean()
    assert term.loss(now, maps).item() == pytest.approx(expected)
    assert term.needs.labels
    assert not Contrastive({"a": "a"}).needs.labels
    term.check(Task.of("classification", 3))
    for kind in set(TaskKind) - {TaskKind.CLASSIFICATION}:
        with pytest.raises(InvalidInput, match="other_classes"):
            term.check(Task.of(kind, 3))
        Contrastive({"a": "a"}).check(Task.of(kind, 3))


def test_training_the_maps_finds_what_both_know(on: Make, draw: Draw) -> None:
    mix, other_mix = draw(5, 5), draw(8, 8)
    term = Contrastive({"a": "a"}, width=4, temperature=0.2)
    bounds = []
    for shared in (2, 0):

        def batch(shared: int = shared) -> Step:
            known = draw(32, shared)  # what both networks know of a row
            student = torch.cat([known, draw(32, 5 - shared)], 1) @ mix
            return on(student, torch.cat([known, draw(32, 8 - shared)], 1) @ other_mix)

        torch.manual_seed(0)
        maps = term.maps(batch())
        assert maps is not None
        optimiser = torch.optim.Adam(maps.parameters(), lr=0.02)
        for _ in range(200):
            optimiser.zero_grad()
            term.loss(batch(), maps).backward()
            optimiser.step()
        with torch.no_grad():
            losses = [term.loss(batch(), maps).item() for _ in range(10)]
        bounds.append(np.log(32) - np.mean(losses))  # of the mutual information, from below
    assert bounds[0] > 1
    assert abs(bounds[1]) < 0.2


@pytest.mark.parametrize("bad", [{"width": 0}, {"temperature": 0}, {"temperature": float("inf")}])
def test_numbers_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=r"width|temperature"):
        Contrastive({"a": "a"}, **bad)  # type: ignore[arg-type]
