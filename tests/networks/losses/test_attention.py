from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import Step
from limbeck.modules.capture import Capture
from limbeck.networks import AttentionMaps, AttentionTransfer
from limbeck.networks.losses.attention import attention_error, energy

Draw = Callable[..., Tensor]
Make = Callable[..., Step]
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


@pytest.fixture
def on(step: Make) -> Make:
    """A step of one pair of layers."""

    def make(student: Tensor, teacher: Tensor, **more: object) -> Step:
        logits = torch.zeros(len(student), 2)
        return step(logits, logits, layers={"a": (student, teacher)}, **more)

    return make


def maps(pairs: dict[str, str] | None = None) -> AttentionMaps:
    return AttentionMaps(pairs or {"a": "a"})


def transfer() -> AttentionTransfer:
    return AttentionTransfer({"a": "a"})


def test_attention_maps_by_hand(on: Make) -> None:
    student = torch.tensor([[[[1.0, 0.0], [0.5, 0.5]]]])
    teacher = torch.tensor([[[[0.5, 0.5], [0.5, 0.5]]]])
    assert maps().loss(on(student, teacher), None).item() == (0.25 + 0.25) / 4
    # only the first token is there: one entry, 1 against 1/2
    first = maps().loss(on(student, teacher, mask=torch.tensor([[1, 0]])), None)
    assert first.item() == 0.25


def test_without_masks_the_loss_is_torchs_and_0_at_the_teacher(on: Make, draw: Draw) -> None:
    student, teacher = draw(2, 4, 3, 3), draw(2, 4, 3, 3)
    assert maps().loss(on(student, teacher), None) == F.mse_loss(student, teacher)
    assert maps().loss(on(teacher, teacher), None) == 0


def test_masks_and_weights_are_numpys(on: Make, draw: Draw) -> None:
    student, teacher = draw(2, 4, 3, 3), draw(2, 4, 3, 3)
    weight = torch.tensor([0.5, 3.0], dtype=torch.float64)
    s, t = student.numpy(), teacher.numpy()
    total = parts = 0.0
    for row in range(2):
        for q in range(3):
            for k in range(3):
                counts = weight[row].item() * MASK[row, q].item() * MASK[row, k].item()
                total += counts * ((s[row, :, q, k] - t[row, :, q, k]) ** 2).mean()
                parts += counts
    found = maps().loss(on(student, teacher, mask=MASK, weight=weight), None)
    assert found.item() == pytest.approx(total / parts)


def test_weights_of_tokens_are_those_of_queries(on: Make, draw: Draw) -> None:
    student, teacher = draw(2, 4, 3, 3), draw(2, 4, 3, 3)
    weight = draw(2, 3).abs()
    errors = ((student - teacher) ** 2).mean((1, 3)).numpy()  # (n, t): the mean over keys
    found = maps().loss(on(student, teacher, weight=weight), None)
    assert found.item() == pytest.approx(np.average(errors, weights=weight.numpy()))


@pytest.mark.parametrize("term", [maps(), transfer()])
def test_weights_of_0_and_1_choose_rows(
    on: Make, draw: Draw, term: AttentionMaps | AttentionTransfer
) -> None:
    student, teacher = draw(5, 4, 3, 3), draw(5, 4, 3, 3)
    passes, rows = torch.tensor([1.0, 0, 1, 1, 0], dtype=torch.float64), [0, 2, 3]
    chosen = term.loss(on(student, teacher, weight=passes), None)
    torch.testing.assert_close(chosen, term.loss(on(student[rows], teacher[rows]), None))
    assert term.loss(on(student, teacher, weight=0 * passes), None) == 0


def test_heads_that_differ_are_averaged(on: Make, draw: Draw) -> None:
    student, teacher = draw(2, 2, 3, 3), draw(2, 6, 3, 3)
    expected = F.mse_loss(student.mean(1), teacher.mean(1))
    torch.testing.assert_close(maps().loss(on(student, teacher), None), expected)
    averaged = maps().loss(on(student.mean(1), teacher), None)
    torch.testing.assert_close(averaged, expected)


def test_scores_under_an_additive_mask_count_as_0(draw: Draw) -> None:
    student, teacher = draw(1, 1, 2, 2), draw(1, 1, 2, 2)
    expected = ((student - teacher)[0, 0].tril() ** 2).mean()
    for low in (-torch.inf, torch.finfo(torch.float32).min):
        hidden = torch.full((2, 2), low).triu(1)
        s, t = student.tril().add(hidden).requires_grad_(), teacher.tril() + hidden
        loss = attention_error(s, t)
        torch.testing.assert_close(loss, expected)
        loss.backward()
        assert s.grad is not None
        assert torch.isfinite(s.grad).all()


def test_transfer_by_hand(on: Make) -> None:
    # one channel, two places: energies (1, 0) and (9, 16) / sqrt(81 + 256)
    student, teacher = torch.tensor([[[[2.0, 0.0]]]]), torch.tensor([[[[3.0, 4.0]]]])
    q = np.array([9, 16]) / np.sqrt(337)
    found = transfer().loss(on(student, teacher), None)
    assert found.item() == pytest.approx((1 - q[0]) ** 2 + q[1] ** 2, rel=1e-6)


def test_transfer_is_numpys(on: Make, draw: Draw) -> None:
    student, teacher = draw(3, 2, 4, 4), draw(3, 5, 4, 4)
    unit = []
    for x in (student.numpy(), teacher.numpy()):
        q = (x**2).sum(1).reshape(3, -1)
        unit.append(q / np.linalg.norm(q, axis=1, keepdims=True))
    expected = ((unit[0] - unit[1]) ** 2).sum(1).mean()
    assert transfer().loss(on(student, teacher), None).item() == pytest.approx(expected)
    # scale does not matter, nor does the order of channels
    same = transfer().loss(on(-7 * teacher[:, [4, 2, 0, 1, 3]], teacher), None)
    assert same.item() == pytest.approx(0, abs=1e-12)


def test_transfer_between_sizes_and_over_tokens(on: Make, draw: Draw) -> None:
    student, teacher = draw(3, 2, 2, 2), draw(3, 5, 4, 4)
    pooled = F.avg_pool2d(teacher, 2)
    expected = transfer().loss(on(student, pooled), None)
    torch.testing.assert_close(transfer().loss(on(student, teacher), None), expected)
    s, t = draw(2, 3, 4), draw(2, 3, 6)
    found = transfer().loss(on(s, t, mask=MASK), None)
    short = transfer().loss(on(s[:1, :2], t[:1, :2]), None)
    whole = transfer().loss(on(s[1:], t[1:]), None)
    torch.testing.assert_close(found, (short + whole) / 2)
    s[0, 2] = float("nan")
    torch.testing.assert_close(transfer().loss(on(s, t, mask=MASK), None), found)


def test_gradients(on: Make, draw: Draw) -> None:
    student, teacher = draw(2, 2, 3, 3).requires_grad_(), draw(2, 4, 3, 3)
    weight = draw(2).abs()
    for more in ({}, {"mask": MASK, "weight": weight}):
        assert torch.autograd.gradcheck(
            lambda s, more=more: maps().loss(on(s, teacher, **more), None), (student,)
        )
    for more in ({}, {"weight": weight}):
        assert torch.autograd.gradcheck(
            lambda s, more=more: transfer().loss(on(s, teacher, **more), None), (student,)
        )
    assert torch.autograd.gradcheck(energy, (draw(2, 3, 4).requires_grad_(),))
    one = partial(attention_error, teacher=teacher[:, :2], weight=draw(2, 3, 3).abs())
    assert torch.autograd.gradcheck(one, (student,))


def test_a_dead_layer_has_a_finite_gradient(on: Make, draw: Draw) -> None:
    student = torch.zeros(2, 3, 2, 2, requires_grad=True)
    transfer().loss(on(student, draw(2, 3, 2, 2).float()), None).backward()
    assert student.grad is not None
    assert torch.isfinite(student.grad).all()


def test_the_mean_over_pairs(step: Make, draw: Draw) -> None:
    layers = {n: (draw(2, 4, 3, 3), draw(2, 4, 3, 3)) for n in "ab"}
    now = step(draw(2, 2), draw(2, 2), layers=layers)
    expected = sum(F.mse_loss(*pair) for pair in layers.values()) / 2
    torch.testing.assert_close(maps({"a": "a", "b": "b"}).loss(now, None), expected)


@pytest.mark.parametrize(
    ("term", "student", "teacher"),
    [
        (maps(), (2, 4, 3, 3), (2, 4, 5, 5)),
        (maps(), (2, 3), (2, 3)),
        (transfer(), (2, 3), (2, 3)),
        (transfer(), (2, 3, 4), (2, 5, 4)),
        (transfer(), (2, 3, 4, 4), (2, 3, 4)),
    ],
)
def test_layers_that_cannot_be_compared_are_named(
    on: Make,
    draw: Draw,
    term: AttentionMaps | AttentionTransfer,
    student: tuple[int, ...],
    teacher: tuple[int, ...],
) -> None:
    with pytest.raises(InvalidInput) as error:
        term.maps(on(draw(*student), draw(*teacher)))
    for part in ("teacher's layer 'a'", "student's layer 'a'", str(student), str(teacher)):
        assert part in error.value.problem
    assert term.maps(on(draw(2, 4, 3, 3), draw(2, 2, 3, 3))) is None


def test_attention_maps_of_other_tokens_than_the_mask_are_refused(on: Make, draw: Draw) -> None:
    now = on(draw(2, 4, 5, 5), draw(2, 4, 5, 5), mask=MASK)
    with pytest.raises(InvalidInput, match="same tokens"):
        maps().maps(now)


def test_the_attention_of_a_torch_layer_is_read(step: Make) -> None:
    torch.manual_seed(0)
    student, teacher = (nn.MultiheadAttention(w, h, batch_first=True) for w, h in ((4, 2), (6, 3)))
    seen = []
    for layer, width in ((student, 4), (teacher, 6)):
        network = nn.ModuleDict({"attention": layer})
        with Capture(network, ["attention[1]"]) as capture:
            layer(*[torch.randn(2, 3, width)] * 3, average_attn_weights=False)
            seen.append(capture.take()["attention[1]"])
    assert seen[0].shape == (2, 2, 3, 3)
    now = step(torch.zeros(2, 2), torch.zeros(2, 2), layers={"attention[1]": tuple(seen)})
    loss = maps({"attention[1]": "attention[1]"}).loss(now, None)
    torch.testing.assert_close(loss, F.mse_loss(seen[0].mean(1), seen[1].mean(1)))
    loss.backward()
    assert student.in_proj_weight.grad is not None


def test_maps_without_heads_fit_a_mask(on: Make, draw: Draw) -> None:
    step = on(draw(2, 3, 3).softmax(-1), draw(2, 3, 3).softmax(-1), mask=MASK)
    assert maps().maps(step) is None
