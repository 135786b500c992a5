from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.mixers.delta_rule import chunked_delta, stepwise_delta  # noqa: E402

SIZES = [(1, 4), (7, 4), (8, 4), (13, 64), (33, 8)]


def tensors(t: int, seed: int = 0, dtype=None):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype or torch.float32)

    x, B, C = normal(2, t, 3, 5), normal(2, t, 3, 4), normal(2, t, 3, 4)
    return [v.requires_grad_() for v in (x, B, C, -normal(2, t, 3).abs().detach())]


@pytest.mark.parametrize(("t", "chunk"), SIZES)
def test_chunks_of_the_delta_rule_agree_with_its_steps(t, chunk):
    found = []
    for form in (lambda *a: chunked_delta(*a, chunk=chunk)[0], lambda *a: stepwise_delta(*a)[0]):
        x, B, C, decay = tensors(t)
        beta = torch.rand(2, t, 3, generator=torch.Generator().manual_seed(1))
        y = form(x, torch.nn.functional.normalize(B, dim=-1), C, decay, beta)
        y.square().sum().backward()
        found.append((y.detach(), x.grad, B.grad, C.grad, decay.grad))
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one / (1 + two.abs().max()), two / (1 + two.abs().max()),
                                   atol=1e-5, rtol=1e-5)  # fmt: skip


def test_the_delta_rule_replaces_what_stood_at_a_key():
    """With beta 1 and no decay a key that comes again gives its last value."""
    k = torch.eye(2)[[0, 1, 0, 0]].view(1, 4, 1, 2)
    v = torch.tensor([1.0, 2.0, 3.0, 9.0]).view(1, 4, 1, 1)
    q = torch.eye(2)[[0, 1, 1, 0]].view(1, 4, 1, 2)
    y, _ = chunked_delta(v, k, q, torch.zeros(1, 4, 1), torch.ones(1, 4, 1), chunk=3)
    torch.testing.assert_close(y.flatten(), torch.tensor([1.0, 2.0, 2.0, 9.0]))


def test_chunks_of_the_delta_rule_take_half_precision():
    """Triangular systems have no bfloat16: they are solved in float32, for all else see there."""
    x, B, C, decay = (v.detach().bfloat16().requires_grad_() for v in tensors(21))
    k, beta = torch.nn.functional.normalize(B, dim=-1), torch.full((2, 21, 3), 0.5).bfloat16()
    y, state = chunked_delta(x, k, C, decay, beta, chunk=8)
    y.float().square().sum().backward()
    assert y.dtype == state.dtype == x.grad.dtype == torch.bfloat16
    wide = (v.detach().float() for v in (x, k, C, decay, beta))
    torch.testing.assert_close(y.float(), chunked_delta(*wide, chunk=8)[0], atol=0.1, rtol=0.05)
