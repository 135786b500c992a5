from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.mixers.delta_rule import chunked_delta  # noqa: E402
from limbeck.networks.conversion.mixers.scan import (  # noqa: E402
    chunked_scan,
    masked_matrix,
    stepwise_scan,
)

SIZES = [(1, 4), (7, 4), (8, 4), (13, 64), (33, 8)]


def tensors(t: int, seed: int = 0, dtype=None):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype or torch.float32)

    x, B, C = normal(2, t, 3, 5), normal(2, t, 3, 4), normal(2, t, 3, 4)
    return [v.requires_grad_() for v in (x, B, C, -normal(2, t, 3).abs().detach())]


@pytest.mark.parametrize(("t", "chunk"), SIZES)
def test_chunks_matrix_and_steps_agree_in_values_and_gradients(t, chunk):
    """Within 1e-5 in float32."""
    found = []
    for form in (
        lambda *a: chunked_scan(*a, chunk=chunk)[0],
        masked_matrix,
        lambda *a: stepwise_scan(*a)[0],
    ):
        given = tensors(t)
        y = form(*given)
        y.square().sum().backward()
        found.append((y.detach(), [v.grad / (1 + v.grad.abs().max()) for v in given]))
    for y, grads in found[1:]:
        torch.testing.assert_close(y, found[0][0], atol=1e-5, rtol=1e-5)
        for one, two in zip(grads, found[0][1], strict=True):
            torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)


def test_known_answer():
    """Without decay y_t is C times the sum of B x so far; decay 1/2 halves what came before."""
    x, B, C = (torch.ones(1, 3, 1, 1) for _ in range(3))
    none, half = torch.zeros(1, 3, 1), torch.full((1, 3, 1), 0.5).log()
    assert chunked_scan(x, B, C, none, chunk=2)[0].flatten().tolist() == [1, 2, 3]
    assert chunked_scan(x, B, C, half, chunk=2)[0].flatten().tolist() == pytest.approx(
        [1, 1.5, 1.75]
    )


@pytest.mark.parametrize("form", [chunked_scan, chunked_delta])
def test_a_state_goes_on_where_the_call_before_ended(form):
    given = tensors(21)
    given[1] = torch.nn.functional.normalize(given[1], dim=-1)
    given += [torch.rand(2, 21, 3)] if form is chunked_delta else []
    whole, end = form(*given, chunk=4)
    first, state = form(*(v[:, :10] for v in given), chunk=4)
    second, last = form(*(v[:, 10:] for v in given), state, chunk=4)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(last, end)


@pytest.mark.parametrize("form", [chunked_scan, chunked_delta])
def test_nothing_passes_between_packed_sequences(form):
    """Also where a boundary falls inside a chunk, on its end, and twice into one chunk."""
    lengths = [3, 1, 4, 9, 2]
    x, B, C, decay = tensors(sum(lengths))
    more = [torch.rand(2, sum(lengths), 3)] if form is chunked_delta else []
    B = torch.nn.functional.normalize(B, dim=-1)
    segments = torch.repeat_interleave(torch.arange(5), torch.tensor(lengths)).expand(2, -1)
    packed, state = form(x, B, C, decay, *more, segments=segments, chunk=4)
    place = 0
    for length in lengths:
        some = slice(place, place + length)
        alone, end = form(*(v[:, some] for v in (x, B, C, decay, *more)), chunk=4)
        torch.testing.assert_close(packed[:, some], alone)
        place += length
    torch.testing.assert_close(state, end)
