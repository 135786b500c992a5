"""Speculative decoding is lossless: its texts are distributed as the teacher's."""

import numpy as np
import pytest
from scipy.stats import chisquare

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language.models import LanguageModel  # noqa: E402
from limbeck.language.prompt_scores import score_texts  # noqa: E402
from limbeck.language.speculative import corrected, speculate  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.student import HybridModel  # noqa: E402


def test_a_corrected_draft_is_drawn_from_the_teacher():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6))
    found = [corrected(p, q, int(t), rng) for t in rng.choice(6, 10_000, p=q)]
    counts = np.bincount([t for t, _ in found], minlength=6)
    assert chisquare(counts, p * len(found)).pvalue > 1e-3
    assert np.mean([same for _, same in found]) == pytest.approx(np.minimum(p, q).sum(), abs=0.015)


def test_a_teacher_accepts_all_of_itself(pair):
    found = speculate(pair[0], pair[0], [[5, 6], [7]], 11, draft=3)
    for one in found:
        assert one.acceptance == 1.0
        assert len(one.tokens) == 11 or one.tokens[-1] == 1
    assert found == speculate(pair[0], pair[0], [[5, 6], [7]], 11, draft=3)


def test_a_converted_model_drafts_and_is_drafted_for(pair):
    """It accepts all of itself; as the draft of another model it goes back."""
    hybrid = HybridModel(convert(pair[0].module, {0}, Hybrid([0])), pair[0].tokenizer, Hybrid([0]),
                         (0,))  # fmt: skip
    own = speculate(hybrid, hybrid, [[5, 6], [7]], 12, draft=3)
    assert all(one.acceptance == 1.0 for one in own)
    drafted = speculate(pair[0], hybrid, [[5, 6], [7]], 12, draft=3)
    assert any(0 < one.accepted < one.drafted for one in drafted)  # it went back
    assert drafted == speculate(pair[0], hybrid, [[5, 6], [7]], 12, draft=3)


def test_what_cannot_be_drafted_is_refused(pair, make_llama):
    with pytest.raises(InvalidInput, match="A prompt is empty"):
        speculate(*pair, [[5], []], 3)
    other = LanguageModel(make_llama(vocabulary=40), pair[0].tokenizer, "other")
    with pytest.raises(InvalidInput, match="teacher predicts 34 tokens and the student 40"):
        speculate(pair[0], other, [[5]], 3)


@pytest.mark.slow
@pytest.mark.parametrize("role", ["draft", "target"])
def test_texts_are_the_teachers_with_a_converted_model(make_llama, pair, role):
    """Three tokens after one prompt, over all that they can be."""
    tokenizer = pair[0].tokenizer
    llama = make_llama(16, 2, 0, 4)
    hybrid = convert(llama, {1}, Hybrid([1]))
    models = [LanguageModel(m, tokenizer, "m") for m in (llama, hybrid)]
    teacher, student = models if role == "draft" else models[::-1]
    n = 1_500
    found = speculate(teacher, student, [[3, 2]] * n, 3, draft=2)
    texts = [(a, b, c) for a in range(4) for b in range(4) for c in range(4)]
    expected, seen = [], []
    with torch.no_grad():
        ids = torch.tensor([[3, 2, *t] for t in texts])
        p = teacher.module(ids).logits.double().log_softmax(-1)[:, 1:-1]
    chances = p.gather(2, ids[:, 2:, None]).sum((1, 2)).exp()
    for text, chance in zip(texts, chances.tolist(), strict=True):
        if 1 not in text[:2]:  # which ends a text
            expected.append(chance)
            seen.append(sum(one.tokens == text for one in found))
    assert any(one.accepted < one.drafted for one in found)
    keep = np.array(expected) * n > 5
    counts = np.append(np.array(seen)[keep], n - np.array(seen)[keep].sum())
    wanted = np.append(np.array(expected)[keep] * n, n * (1 - np.array(expected)[keep].sum()))
    assert chisquare(counts, wanted).pvalue > 1e-3


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
