from __future__ import annotations

import math
import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language import TeacherLogits, TokenKD
from limbeck.language.carriers.top import RESTS, check_kept_mass, top_tokens
from limbeck.language.divergences import DIVERGENCES, token_divergence
from limbeck.networks.cache.truncation import restored_logits, shortened


def draw(*shape: int, seed: int = 0, scale: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


@settings(max_examples=60)
@given(
    st.integers(0, 10_000), st.integers(1, 8), st.sampled_from(DIVERGENCES), st.floats(0.01, 0.99),
    st.floats(0.1, 8),
)  # fmt: skip
def test_the_bucket_is_below_the_full_divergence(
    seed: int, top: int, name: str, mixture: float, scale: float
) -> None:
    log_q, log_p = (F.log_softmax(draw(3, 9, seed=seed + i, scale=scale), -1) for i in (0, 1))
    coarse = top_tokens(log_p, top).token_loss(log_q, torch.arange(3), name, mixture, mixture)
    full = token_divergence(log_q, log_p, name, mixture, mixture)
    assert bool((coarse <= full + 1e-12).all())
    assert bool((coarse >= -1e-12).all())


def test_one_token_less_than_all_is_everything() -> None:
    student, teacher = draw(4, 6).requires_grad_(), draw(4, 6, seed=1)
    signal = top_tokens(F.log_softmax(teacher, -1), 5)
    for name in DIVERGENCES:
        found = TokenKD(divergence=name).loss(student, signal).total
        exact = TokenKD(divergence=name).loss(student, TeacherLogits(teacher)).total
        torch.testing.assert_close(found, exact)
        torch.testing.assert_close(
            torch.autograd.grad(found, student)[0], torch.autograd.grad(exact, student)[0]
        )


def test_the_forms_are_what_they_are_called() -> None:
    student, teacher = draw(4, 7), draw(4, 7, seed=1)
    log_q, log_p = F.log_softmax(student, -1), F.log_softmax(teacher, -1)
    q, p = log_q.exp(), log_p.exp()
    at = p.topk(3, -1).indices
    top_p, top_q = p.gather(1, at), q.gather(1, at)
    mass, rest = top_p.sum(-1, keepdim=True), 1 - top_p.sum(-1)
    truncated = (top_p * (top_p / top_q).log()).sum(-1)
    share = top_p / mass
    even = restored_logits(*shortened(teacher, 3), 7)
    expected = {
        "bucket": truncated + rest * (rest / (1 - top_q.sum(-1))).log(),
        "renormalised": (share * (share / top_q).log()).sum(-1),
        "truncated": truncated,
        "even_tail": token_divergence(log_q, F.log_softmax(even, -1)),
    }
    for rest_name in RESTS:
        found = TokenKD().values(student, top_tokens(log_p, 3, rest_name))
        torch.testing.assert_close(found, expected[rest_name])


def test_the_truncated_sum_is_no_divergence() -> None:
    log_p, log_q = torch.tensor([[0.5, 0.3, 0.2]]).log(), torch.tensor([[0.6, 0.3, 0.1]]).log()
    assert float(top_tokens(log_p, 1, "truncated").token_loss(log_q, torch.tensor([0]))) < 0


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_the_bucket_is_the_tail_of_trls_server_trainer(beta: float) -> None:
    """The formulas of _add_tail_bucket and _jsd_divergence in TRL 1.16, on the teacher's top k."""
    log_q, log_p = F.log_softmax(draw(4, 9), -1), F.log_softmax(draw(4, 9, seed=1), -1)
    at = log_p.topk(4, -1).indices

    def with_tail(logs: Tensor) -> Tensor:
        chosen = logs.gather(1, at)
        tail = torch.log(-torch.expm1(torch.logsumexp(chosen, -1, keepdim=True)))
        return torch.cat([chosen, tail], 1)

    s, t = with_tail(log_q), with_tail(log_p)
    if beta == 0:
        expected = F.kl_div(s, t, reduction="none", log_target=True)
    elif beta == 1:
        expected = F.kl_div(t, s, reduction="none", log_target=True)
    else:
        m = torch.logsumexp(torch.stack([s + math.log1p(-beta), t + math.log(beta)]), 0)
        expected = beta * F.kl_div(m, t, reduction="none", log_target=True)
        expected = expected + (1 - beta) * F.kl_div(m, s, reduction="none", log_target=True)
    found = top_tokens(log_p, 4).token_loss(log_q, torch.arange(4), "jsd", beta)
    torch.testing.assert_close(found, expected.sum(-1))


def test_what_has_no_meaning_is_refused() -> None:
    signal = top_tokens(F.log_softmax(draw(2, 5), -1), 2)
    with pytest.raises(InvalidInput, match="temperature is 2"):
        signal.check("forward_kl", 2.0)
    with pytest.raises(InvalidInput, match="knows only the forward"):
        signal.taken("even_tail").check("jsd", 1.0)
    with pytest.raises(InvalidInput, match="bucket"):
        signal.taken("buckt")


def test_little_mass_is_warned_of_and_less_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_kept_mass(0.95, 32, "bucket")
    with pytest.warns(UserWarning, match="84.0%"):
        check_kept_mass(0.84, 32, "bucket")
    with pytest.warns(UserWarning, match="95.0%"):
        check_kept_mass(0.95, 32, "even_tail")
    with pytest.raises(InvalidInput, match="less than 80%"):
        check_kept_mass(0.75, 3, "bucket")
    with pytest.warns(UserWarning, match="75.0%"):
        check_kept_mass(0.75, 3, "bucket", least=0)
