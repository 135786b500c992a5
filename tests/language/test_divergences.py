from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import softmax
from scipy.stats import entropy
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language import TokenKD
from limbeck.language.divergences import DIVERGENCES, token_divergence


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def logs(seed: int = 0) -> tuple[Tensor, Tensor]:
    return F.log_softmax(draw(6, 9, seed=seed), -1), F.log_softmax(draw(6, 9, seed=seed + 1), -1)


def by_scipy(q: np.ndarray, p: np.ndarray, name: str, beta: float, alpha: float) -> np.ndarray:
    """Written from the definitions."""
    m = beta * p + (1 - beta) * q
    return {
        "forward_kl": lambda: entropy(p, q, axis=-1),
        "reverse_kl": lambda: entropy(q, p, axis=-1),
        "jsd": lambda: beta * entropy(p, m, axis=-1) + (1 - beta) * entropy(q, m, axis=-1),
        "skew_kl": lambda: entropy(p, alpha * p + (1 - alpha) * q, axis=-1),
        "skew_reverse_kl": lambda: entropy(q, (1 - alpha) * p + alpha * q, axis=-1),
    }[name]()


@pytest.mark.parametrize("name", DIVERGENCES)
@pytest.mark.parametrize(("beta", "alpha"), [(0.5, 0.1), (0.2, 0.7)])
def test_values_are_scipys(name: str, beta: float, alpha: float) -> None:
    log_q, log_p = logs()
    found = token_divergence(log_q, log_p, name, beta, alpha)
    expected = by_scipy(log_q.exp().numpy(), log_p.exp().numpy(), name, beta, alpha)
    np.testing.assert_allclose(found.numpy(), expected)


def of_trl(student: Tensor, teacher: Tensor, beta: float, temperature: float) -> Tensor:
    """The formula of GKDTrainer.generalized_jsd_loss in TRL 1.16, reduction "sum"."""
    s = F.log_softmax(student / temperature, dim=-1)
    t = F.log_softmax(teacher / temperature, dim=-1)
    if beta == 0:
        return F.kl_div(s, t, reduction="none", log_target=True).sum()
    if beta == 1:
        return F.kl_div(t, s, reduction="none", log_target=True).sum()
    b = torch.tensor(beta, dtype=s.dtype)
    m = torch.logsumexp(torch.stack([s + torch.log1p(-b), t + torch.log(b)]), dim=0)
    of_teacher = F.kl_div(m, t, reduction="none", log_target=True)
    of_student = F.kl_div(m, s, reduction="none", log_target=True)
    return (b * of_teacher + (1 - b) * of_student).sum()


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("temperature", [0.9, 1.0, 2.0])
def test_value_and_gradient_are_those_of_trl(beta: float, temperature: float) -> None:
    from limbeck.language import TeacherLogits

    student, teacher = draw(2, 3, 7).requires_grad_(), draw(2, 3, 7, seed=1)
    objective = TokenKD(divergence="jsd", beta=beta, temperature=temperature)
    found = objective.loss(student, TeacherLogits(teacher)).total
    expected = of_trl(student, teacher, beta, temperature)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    torch.testing.assert_close(
        torch.autograd.grad(found, student)[0], torch.autograd.grad(expected, student)[0]
    )


def test_jsd_over_its_beta_tends_to_the_forward_kl() -> None:
    log_q, log_p = logs()
    limit = token_divergence(log_q, log_p, "jsd", beta=1e-7) / 1e-7
    torch.testing.assert_close(limit, token_divergence(log_q, log_p), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_zero_where_both_are_alike_and_absent_tokens_count_nothing(name: str) -> None:
    log_q, log_p = logs()
    assert token_divergence(log_p, log_p, name).abs().max() < 1e-12
    masked = [F.log_softmax(F.pad(x, (0, 1), value=-math.inf), -1) for x in (log_q, log_p)]
    masked[0].requires_grad_()
    found = token_divergence(*masked, name)
    torch.testing.assert_close(found.detach(), token_divergence(log_q, log_p, name))
    (grad,) = torch.autograd.grad(found.sum(), masked[0])
    assert bool(grad.isfinite().all())


@pytest.mark.parametrize(
    "given", [{"divergence": "kl"}, {"beta": 1.5}, {"alpha": 1.0}, {"temperature": 0.0}]
)
def test_settings_without_meaning_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(given))):
        TokenKD(**given)  # type: ignore[arg-type]


def test_forward_kl_by_hand() -> None:
    p, q = softmax([0.0, 1.0]), np.array([0.5, 0.5])
    found = token_divergence(torch.tensor(np.log([q])), torch.tensor(np.log([p])))
    assert found.item() == pytest.approx(sum(p * np.log(p / q)))
