from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.mixers.window import padded_front, window_sums  # noqa: E402


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("t", "w"), [(7, 3), (6, 3), (2, 5), (1, 4)])
def test_blocks_equal_a_loop_over_tokens_and_their_windows(t, w):
    q, k, v = draw(2, t, 2, 3), draw(2, w + t, 2, 3, seed=1), draw(2, w + t, 2, 3, seed=2)
    there = draw(2, w + t, seed=3) > -0.7
    of = (torch.arange(w + t) >= w + t // 2).long().expand(2, -1)
    sums, weights = window_sums(q, k, v, there, of)
    for b in range(2):
        for i in range(t):
            seen = [
                j for j in range(i + 1, i + w + 1) if there[b, j] and of[b, j] == of[b, w + i]
            ]  # the last w tokens, the token itself among them, stand w places further
            for h in range(2):
                scores = torch.stack([q[b, i, h] @ k[b, j, h] for j in seen]) if seen else None
                if scores is None:
                    assert float(weights[b, i, h]) == 0
                    assert not sums[b, i, h].any()
                    continue
                p = (scores - scores.max()).exp()
                torch.testing.assert_close(weights[b, i, h], p.sum()[None])
                torch.testing.assert_close(sums[b, i, h], p @ v[b, seen, h])


def test_scores_too_large_for_exp_are_finite():
    q = torch.full((1, 2, 1, 1), 100.0)
    k = torch.tensor([0.0, 90.0, 100.0]).view(1, 3, 1, 1)
    sums, weights = window_sums(q, k, k, torch.ones(1, 3).bool(), torch.zeros(1, 3).long())
    assert weights.flatten().tolist() == [1.0, 1.0]
    assert sums.flatten().tolist() == [90.0, 100.0]


def test_what_was_before_stands_in_front_or_zeros_do():
    values = torch.arange(4.0).view(1, 2, 2)
    assert padded_front(values, 1, None).tolist() == [[[0, 0], [0, 1], [2, 3]]]
    assert padded_front(values, 1, 7 + values[:, :1]).tolist() == [[[7, 8], [0, 1], [2, 3]]]
    assert padded_front(torch.ones(1, 2).bool(), 2, None).tolist() == [[False, False, True, True]]
