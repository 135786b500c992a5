from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language import LMHead, TeacherHidden, TeacherLogits, TokenKD
from limbeck.language.chunked import chunk_rows, chunked_sum, chunked_values
from limbeck.language.divergences import DIVERGENCES, token_divergence


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def dense(student: Tensor, teacher: Tensor, name: str, **given: float) -> Tensor:
    """Sum over all tokens at once, by autograd."""
    s, t = F.log_softmax(student, -1).flatten(0, -2), F.log_softmax(teacher, -1).flatten(0, -2)
    return token_divergence(s, t, name, **given).sum()


@pytest.mark.parametrize("name", DIVERGENCES)
@pytest.mark.parametrize("elements", [1, 20, 10_000])
def test_chunks_give_the_value_and_gradient_of_all_at_once(name: str, elements: int) -> None:
    student, teacher = draw(2, 5, 9).requires_grad_(), TeacherLogits(draw(2, 5, 9, seed=1))
    objective = TokenKD(divergence=name, beta=0.3, alpha=0.2)
    found = chunked_sum(student, objective.token_loss(teacher), elements=elements).total
    whole = dense(student, draw(2, 5, 9, seed=1), name, beta=0.3, alpha=0.2)
    assert found.item() == pytest.approx(whole.item())
    (grad,) = torch.autograd.grad(3 * found, student)
    (expected,) = torch.autograd.grad(3 * whole, student)
    torch.testing.assert_close(grad, expected)


@pytest.mark.parametrize("softcap", [None, 2.0])
def test_states_and_head_get_the_gradients_that_logits_would_pass_on(softcap: float | None) -> None:
    states, weight, bias = (draw(*s, seed=i) for i, s in enumerate([(2, 5, 4), (9, 4), (9,)]))
    inputs = [t.requires_grad_() for t in (states, weight, bias)]
    teacher = draw(2, 5, 9, seed=9)
    mask = torch.tensor([[1, 1, 0, 1, 0], [1, 0, 1, 1, 1]]).bool()
    head = LMHead(states, weight, bias, scale=0.5, softcap=softcap)
    found = TokenKD(divergence="jsd").loss(head, TeacherLogits(teacher), mask)
    logits = F.linear(states, weight, bias) * 0.5
    logits = logits if softcap is None else softcap * torch.tanh(logits / softcap)
    whole = dense(logits[mask], teacher[mask], "jsd")
    assert found.total.item() == pytest.approx(whole.item())
    assert int(found.tokens) == 7
    for grad, expected in zip(
        torch.autograd.grad(found.total, inputs), torch.autograd.grad(whole, inputs), strict=True
    ):
        torch.testing.assert_close(grad, expected)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    teacher, objective = (
        TeacherLogits(draw(3, 4, seed=5)),
        TokenKD(divergence=name, temperature=1.7),
    )
    inputs = draw(3, 2).requires_grad_(), draw(4, 2, seed=1).requires_grad_()

    def value() -> Tensor:
        return objective.loss(LMHead(*inputs), teacher).total

    for tensor, grad in zip(inputs, torch.autograd.grad(value(), inputs), strict=True):
        for i in range(tensor.numel()):
            step = torch.zeros(tensor.numel(), dtype=torch.float64)
            step[i] = 1e-5
            with torch.no_grad():
                up = (tensor.add_(step.view_as(tensor)), value())[1]
                down = (tensor.sub_(2 * step.view_as(tensor)), value())[1]
                tensor.add_(step.view_as(tensor))
            assert ((up - down) / 2e-5).item() == pytest.approx(grad.flatten()[i].item(), abs=1e-8)


def test_weights_multiply_values_and_not_the_number_of_tokens() -> None:
    student, teacher, weights = (
        draw(3, 4),
        TeacherLogits(draw(3, 4, seed=1)),
        torch.tensor([0, 2, 5]),
    )
    values = TokenKD().values(student, teacher)
    found = TokenKD().loss(student, teacher, weights=weights)
    assert found.total.item() == pytest.approx(float((values * weights).sum()))
    assert int(found.tokens) == 3


def test_no_counted_token_is_a_loss_of_zero_with_a_gradient() -> None:
    student = draw(2, 3, 4).requires_grad_()
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    found = TokenKD().loss(student, TeacherLogits(draw(2, 3, 4)), nothing)
    found.mean.backward()
    assert found.total.item() == found.mean.item() == int(found.tokens) == 0
    assert student.grad is not None
    assert not student.grad.any()
    assert not len(TokenKD().values(student, TeacherLogits(draw(2, 3, 4)), nothing))


def test_half_precision_logits_are_summed_in_float32() -> None:
    student = draw(4, 8).bfloat16().requires_grad_()
    found = TokenKD().loss(student, TeacherLogits(draw(4, 8, seed=1).bfloat16())).total
    assert found.dtype == torch.float32
    found.backward()
    assert student.grad is not None
    assert student.grad.dtype == torch.bfloat16


def test_a_chunk_never_holds_more_than_asked() -> None:
    seen: list[int] = []

    def loss(logits: Tensor, at: Tensor) -> Tensor:
        seen.append(logits.numel())
        return logits.sum(-1)

    chunked_sum(draw(7, 10), loss, elements=25)
    chunked_values(draw(7, 10), loss, elements=25)
    assert max(seen) == 20
    assert sum(seen) == 2 * 70
    assert chunk_rows(151_936, torch.device("cpu"), 10) == 1


def test_the_hidden_teacher_is_the_teacher() -> None:
    states, weight, bias, student = (
        draw(6, 3),
        draw(9, 3, seed=1),
        draw(9, seed=2),
        draw(6, 9, seed=3),
    )
    by_states = TokenKD().values(student, TeacherHidden(LMHead(states, weight, bias)))
    by_logits = TokenKD().values(student, TeacherLogits(F.linear(states, weight, bias)))
    torch.testing.assert_close(by_states, by_logits)


def test_padded_vocabularies_are_cut_and_renormalised_only_where_it_is_said() -> None:
    student, teacher = draw(4, 12), draw(4, 10, seed=1)
    with pytest.raises(InvalidInput, match="10 outputs, and the student 12"):
        TokenKD().loss(student, TeacherLogits(teacher))
    found = TokenKD().values(student, TeacherLogits(teacher, vocabulary=8))
    torch.testing.assert_close(
        found, TokenKD().values(student[:, :8], TeacherLogits(teacher[:, :8]))
    )
    with pytest.raises(InvalidInput, match="vocabulary is 11"):
        TeacherLogits(teacher, vocabulary=11)


def test_other_tokens_masks_and_second_gradients_are_refused() -> None:
    student, teacher = draw(4, 5).requires_grad_(), TeacherLogits(draw(3, 5))
    with pytest.raises(InvalidInput, match="4 tokens"):
        TokenKD().loss(student, teacher)
    with pytest.raises(InvalidInput, match="mask"):
        TokenKD().loss(student, TeacherLogits(draw(4, 5)), torch.ones(3))
    total = TokenKD().loss(student, TeacherLogits(draw(4, 5))).total
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="twice"):
        total.backward()


def test_places_one_after_another_are_a_slice_and_others_stay():
    from limbeck.language.chunked import run_of

    assert run_of(torch.tensor([3, 4, 5])) == slice(3, 6)
    for places in ([0, 2, 1, 3], [0, 2], [2, 1], []):
        given = torch.tensor(places, dtype=torch.int64)
        assert run_of(given) is given
