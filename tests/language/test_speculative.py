"""Speculative decoding is lossless: its texts are distributed as the teacher's."""

import numpy as np
import pytest
from scipy.stats import chisquare

torch = pytest.importorskip("torch")

from limbeck.language.judging import score_texts  # noqa: E402
from limbeck.language.models import LanguageModel  # noqa: E402
from limbeck.language.speculative import corrected, speculate  # noqa: E402


def test_a_corrected_draft_is_drawn_from_the_teacher():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6))
    found = [corrected(p, q, int(t), rng) for t in rng.choice(6, 20_000, p=q)]
    counts = np.bincount([t for t, _ in found], minlength=6)
    assert chisquare(counts, p * len(found)).pvalue > 1e-3
    assert np.mean([same for _, same in found]) == pytest.approx(np.minimum(p, q).sum(), abs=0.01)


def test_a_teacher_accepts_all_of_itself(pair):
    found = speculate(pair[0], pair[0], [[5, 6], [7]], 11, draft=3)
    for one in found:
        assert one.acceptance == 1.0
        assert len(one.tokens) == 11 or one.tokens[-1] == 1
    assert found == speculate(pair[0], pair[0], [[5, 6], [7]], 11, draft=3)


@pytest.mark.slow
def test_texts_are_the_teachers_and_acceptance_is_the_overlap(make_llama, pair):
    """Two tokens after one prompt, over all that they can be."""
    tokenizer = pair[0].tokenizer
    big, small = (LanguageModel(make_llama(16, 1, s, 5), tokenizer, "m") for s in (0, 1))
    n = 1_500
    found = speculate(big, small, [[3, 4]] * n, 2, draft=2)
    with torch.no_grad():
        first = big.module(torch.tensor([[3, 4]])).logits[0, -1].double().softmax(-1)
        after = [big.module(torch.tensor([[3, 4, t]])).logits[0, -1].double().softmax(-1)
                 for t in range(5)]  # fmt: skip
    expected, seen = [float(first[1])], [sum(one.tokens == (1,) for one in found)]
    for a in (0, 2, 3, 4):
        for b in range(5):
            expected.append(float(first[a] * after[a][b]))
            seen.append(sum(one.tokens == (a, b) for one in found))
    keep = np.array(expected) * n > 5
    table = [np.append(np.array(x)[keep], np.array(x)[~keep].sum()) for x in (seen, expected)]
    assert chisquare(table[0] + 1e-9, (table[1] + 1e-9) / (table[1] + 1e-9).sum() * n).pvalue > 1e-3
    overlap = score_texts(big, small, [[3, 4]], [[2]]).overlap[0]
    with torch.no_grad():
        q = small.module(torch.tensor([[3, 4]])).logits[0, -1].double().softmax(-1)
    assert overlap == pytest.approx(float(torch.minimum(first, q).sum()), abs=1e-5)
