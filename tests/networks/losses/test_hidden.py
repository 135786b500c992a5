from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.spatial.distance import cosine
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import TaskKind
from limbeck.modules.batch import Step
from limbeck.networks import Embeddings, HiddenStates

Draw = Callable[..., Tensor]
Make = Callable[..., Step]
ONE = {"t.5": "t.5"}
SHAPES = [(3,), (4, 3), (3, 4, 4)]


@pytest.fixture
def on(step: Make) -> Make:
    """A step of one pair of layers."""

    def make(student: Tensor, teacher: Tensor, **more: object) -> Step:
        logits = torch.zeros(len(student), 2)
        return step(logits, logits, layers={"t.5": (student, teacher)}, **more)

    return make


def test_squared_error_through_a_map_by_hand(on: Make) -> None:
    now = on(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 1.0, 5.0]]))
    maps = HiddenStates(ONE).maps(now)
    assert isinstance(maps, nn.ModuleList)
    with torch.no_grad():
        maps[0].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        maps[0].bias.copy_(torch.tensor([0.0, 0.0, 1.0]))
    # the map gives (1, 2, 4)
    assert HiddenStates(ONE).loss(now, maps).item() == pytest.approx((1 + 1 + 1) / 3)


@pytest.mark.parametrize("shape", SHAPES)
def test_where_shapes_are_equal_nothing_is_learned(
    on: Make, draw: Draw, shape: tuple[int, ...]
) -> None:
    student, teacher = draw(5, *shape), draw(5, *shape)
    now = on(student, teacher)
    for term in (HiddenStates(ONE), HiddenStates(ONE, learned=False), Embeddings(ONE)):
        assert term.maps(now) is None
        assert term.loss(now, None) == F.mse_loss(student, teacher)
        assert term.loss(on(teacher, teacher), None) == 0


@pytest.mark.parametrize(
    ("student", "teacher", "kind", "weight"),
    [
        ((5, 3), (5, 7), nn.Linear, (7, 3)),
        ((5, 4, 3), (5, 4, 7), nn.Linear, (7, 3)),
        ((5, 3, 4, 4), (5, 7, 2, 2), nn.Conv2d, (7, 3, 1, 1)),
        ((5, 3, 2, 4), (5, 7, 4, 2), nn.Conv2d, (7, 3, 1, 1)),
    ],
)
def test_maps_are_made_from_shapes_and_learned(
    on: Make,
    draw: Draw,
    student: tuple[int, ...],
    teacher: tuple[int, ...],
    kind: type[nn.Module],
    weight: tuple[int, ...],
) -> None:
    s, t = draw(*student), draw(*teacher)
    for distance in ("mse", "cosine"):
        term = HiddenStates(ONE, distance=distance)
        maps = term.maps(on(s, t))
        assert isinstance(maps, nn.ModuleList)
        assert isinstance(maps[0], kind)
        assert maps[0].weight.shape == weight
        assert maps[0].weight.dtype == torch.float64
        optimiser = torch.optim.Adam(maps.parameters(), lr=0.03)
        before = term.loss(on(s, t), maps).item()
        for _ in range(30):
            optimiser.zero_grad()
            term.loss(on(s, t), maps).backward()
            optimiser.step()
        assert term.loss(on(s, t), maps).item() < 0.9 * before


def test_a_convolution_and_a_pool_as_written_by_hand(on: Make, draw: Draw) -> None:
    student, teacher = draw(5, 3, 4, 4), draw(5, 7, 2, 2)
    maps = HiddenStates(ONE).maps(on(student, teacher))
    assert isinstance(maps, nn.ModuleList)
    by_hand = F.mse_loss(maps[0](F.avg_pool2d(student, 2)), teacher)
    torch.testing.assert_close(HiddenStates(ONE).loss(on(student, teacher), maps), by_hand)
    now = on(student, teacher[:, :3])  # of as many channels: nothing is learned
    assert HiddenStates(ONE).maps(now) is None
    by_hand = F.mse_loss(F.avg_pool2d(student, 2), teacher[:, :3])
    torch.testing.assert_close(HiddenStates(ONE).loss(now, None), by_hand)


@pytest.mark.parametrize("shape", SHAPES)
def test_cosines_are_scipys(on: Make, draw: Draw, shape: tuple[int, ...]) -> None:
    student, teacher = draw(5, *shape), draw(5, *shape)
    width = 3 if len(shape) < 3 else -1  # of each token; of a map as a whole
    pairs = [
        x.numpy().reshape(-1, 3) if width == 3 else x.numpy().reshape(5, -1)
        for x in (student, teacher)
    ]
    expected = np.mean([cosine(a, b) for a, b in zip(*pairs, strict=True)])
    term = HiddenStates(ONE, distance="cosine")
    assert term.loss(on(student, teacher), None).item() == pytest.approx(expected)
    assert term.loss(on(3 * teacher, teacher), None).item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("distance", ["mse", "cosine"])
@pytest.mark.parametrize(
    "shapes", [((4, 3), (4, 5)), ((2, 3, 4), (2, 3, 2)), ((3, 2, 4, 4), (3, 5, 2, 2))]
)
def test_gradients(
    on: Make, draw: Draw, distance: str, shapes: tuple[tuple[int, ...], ...]
) -> None:
    student, teacher = draw(*shapes[0]).requires_grad_(), draw(*shapes[1])
    term = HiddenStates(ONE, distance=distance)
    maps = term.maps(on(student, teacher))
    assert isinstance(maps, nn.ModuleList)
    mask = torch.tensor([[1, 1, 0], [0, 1, 1]]) if student.ndim == 3 else None
    weight = draw(len(student)).abs()
    for more in ({}, *([] if mask is None else [{"mask": mask}]), {"mask": mask, "weight": weight}):
        assert torch.autograd.gradcheck(
            lambda s, w, more=more: torch.func.functional_call(
                _Loss(term, maps), {"maps.0.weight": w}, (on(s, teacher, **more),)
            ),
            (student, maps[0].weight),
        )


class _Loss(nn.Module):
    """A term and its maps as a module, so that torch can swap their weights."""

    def __init__(self, term: HiddenStates, maps: nn.Module) -> None:
        super().__init__()
        self.term, self.maps = term, maps

    def forward(self, now: Step) -> Tensor:
        return self.term.loss(now, self.maps)


@pytest.mark.parametrize("distance", ["mse", "cosine"])
@pytest.mark.parametrize("shape", SHAPES)
def test_weights_of_0_and_1_choose_rows(
    on: Make, draw: Draw, distance: str, shape: tuple[int, ...]
) -> None:
    student, teacher = draw(5, *shape), draw(5, *shape)
    passes, rows = torch.tensor([1.0, 0, 1, 1, 0], dtype=torch.float64), [0, 2, 3]
    term = HiddenStates(ONE, distance=distance)
    chosen = term.loss(on(student, teacher, weight=passes), None)
    torch.testing.assert_close(chosen, term.loss(on(student[rows], teacher[rows]), None))
    assert term.loss(on(student, teacher, weight=0 * passes), None) == 0


@pytest.mark.parametrize("distance", ["mse", "cosine"])
def test_tokens_that_are_not_there_do_not_count(on: Make, draw: Draw, distance: str) -> None:
    student, teacher = draw(2, 3, 4), draw(2, 3, 4)
    mask = torch.tensor([[1, 1, 0], [0, 1, 1]])
    term = HiddenStates(ONE, distance=distance)
    places = ([0, 0, 1, 1], [0, 1, 1, 2])
    plain = term.loss(on(student[places], teacher[places]), None)
    torch.testing.assert_close(term.loss(on(student, teacher, mask=mask), None), plain)
    student[0, 2] = float("nan")  # whatever a network returns there
    torch.testing.assert_close(term.loss(on(student, teacher, mask=mask), None), plain)
    assert term.loss(on(student, teacher, mask=0 * mask), None) == 0


def test_distilberts_line_by_hand(on: Make, draw: Draw) -> None:
    student, teacher = draw(4, 6, 8).float(), draw(4, 6, 8).float()
    mask = torch.arange(6) < torch.tensor([6, 3, 1, 4])[:, None]
    spread = mask[..., None].expand_as(student)
    s, t = (torch.masked_select(x, spread).view(-1, 8) for x in (student, teacher))
    by_hand = nn.CosineEmbeddingLoss(reduction="mean")(s, t, s.new_ones(len(s)))
    found = HiddenStates(ONE, distance="cosine").loss(on(student, teacher, mask=mask), None)
    assert found == by_hand


def test_the_mean_over_pairs_each_with_its_map(step: Make, draw: Draw) -> None:
    logits = draw(4, 2)
    layers = {"a": (draw(4, 3), draw(4, 3)), "b": (draw(4, 3), draw(4, 5))}
    now = step(logits, logits, layers=layers)
    both = HiddenStates({"a": "a", "b": "b"})
    maps = both.maps(now)
    assert isinstance(maps, nn.ModuleList)
    assert [type(m) for m in maps] == [nn.Identity, nn.Linear]
    a, b = layers["a"], layers["b"]
    expected = (F.mse_loss(a[0], a[1]) + F.mse_loss(maps[1](b[0]), b[1])) / 2
    torch.testing.assert_close(both.loss(now, maps), expected)


@pytest.mark.parametrize(
    ("student", "teacher", "options", "remedy"),
    [
        ((4, 3), (4, 5), {"learned": False}, "learned=True"),
        ((4, 3, 4, 4), (4, 3, 2, 2), {"learned": False}, "learned=True"),
        ((4, 3), (4, 6, 3), {}, "same kind"),
        ((4, 6, 3), (4, 7, 3), {}, "same number of tokens"),
        ((4, 2, 2, 2, 2), (4, 3, 2, 2, 2), {}, "same kind"),
    ],
)
def test_shapes_that_cannot_be_matched_are_named(
    on: Make,
    draw: Draw,
    student: tuple[int, ...],
    teacher: tuple[int, ...],
    options: dict[str, bool],
    remedy: str,
) -> None:
    with pytest.raises(InvalidInput) as error:
        HiddenStates(ONE, **options).maps(on(draw(*student), draw(*teacher)))
    for part in ("teacher's layer 't.5'", "student's layer 't.5'", str(student), str(teacher)):
        assert part in error.value.problem
    assert remedy in error.value.remedy


def test_an_unknown_distance_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"distance is 'mae'\. Give 'mse' or 'cosine'"):
        HiddenStates(ONE, distance="mae")


def test_language_needs_no_labels_for_hidden_states(step: Make, draw: Draw) -> None:
    layers = {"a": (draw(2, 3, 4), draw(2, 3, 4))}
    now = step(draw(2, 3, 5), draw(2, 3, 5), None, TaskKind.LANGUAGE, layers=layers)
    found = HiddenStates({"a": "a"}).loss(now, None)
    assert found == F.mse_loss(*layers["a"])
