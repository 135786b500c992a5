"""Scores of texts against a loop over single tokens."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language import OnPolicy, chunked, prompt_scores  # noqa: E402
from limbeck.language.generation import TokenSampling, generate  # noqa: E402
from limbeck.language.models import LanguageModel  # noqa: E402
from limbeck.language.preflight import preflight  # noqa: E402
from limbeck.language.prompt_rows import read_rows  # noqa: E402
from limbeck.language.prompt_scores import distinct, score_texts  # noqa: E402
from limbeck.language.prompts import encode  # noqa: E402


@pytest.fixture(scope="module")
def written(pair):
    prompts = [pair[0].tokenizer(t)["input_ids"] for t in ["hello", "hi", "what is it?"]]
    return prompts, generate(pair[1], prompts, TokenSampling(9), seed=0)


def test_scores_are_means_over_the_tokens_of_each_text(pair, written):
    teacher, student = pair
    found = score_texts(teacher, student, *written, batch_size=2)
    for i, (prompt, text) in enumerate(zip(*written, strict=True)):
        rows = []
        for place, token in enumerate(text):
            before = torch.tensor([[*prompt, *text[:place]]])
            with torch.no_grad():
                p, q = (m.module(before).logits[0, -1].double().softmax(-1) for m in pair)
            rows.append([
                torch.minimum(p, q).sum(), (p * (p / q).log()).sum(), (q * (q / p).log()).sum(),
                p[token].log(), q[token].log(), -(q * q.log()).sum(), p.argmax() == q.argmax(),
            ])  # fmt: skip
        expected = np.array(rows, dtype=float).mean(0)
        got = [
            found.overlap[i], found.forward_kl[i], found.reverse_kl[i], found.teacher_log_p[i],
            found.student_log_q[i], found.entropy[i], found.agreement[i],
        ]  # fmt: skip
        assert got == pytest.approx(expected, abs=1e-5)
        assert found.tokens[i] == len(text)


def test_a_model_equals_itself(pair, written):
    found = score_texts(pair[1], pair[1], *written)
    assert found.overlap == pytest.approx(1.0, abs=1e-6)
    assert (found.forward_kl == 0).all()


def test_a_text_without_tokens_is_refused(pair):
    with pytest.raises(InvalidInput, match="prompt 1 has no tokens"):
        score_texts(*pair, [[5], [6]], [[7], []])


def test_distinct_grams():
    assert distinct([[1, 2, 3], [1, 2, 4]], 2) == 0.75
    assert np.isnan(distinct([[1]], 2))


def test_no_logits_of_a_batch_stand_in_memory(make_llama, make_tokenizer, monkeypatch, largest):
    """Not while judging, and not in the pre-flight; scores are those of whole logits."""
    size = 1_100
    tokenizer = make_tokenizer("".join(map(chr, range(300, 300 + size - 3))))
    models = [LanguageModel(make_llama(16, 1, i, size), tokenizer, "m") for i in (0, 1)]
    prompts, texts = [[5, 6, 7]] * 12, [[8 + i] * 20 for i in range(12)]
    whole = score_texts(*models, prompts, texts)
    monkeypatch.setattr(prompt_scores, "_ELEMENTS", 10 * size)
    monkeypatch.setitem(chunked._ELEMENTS, "cpu", 10 * size)
    given = [{"prompt": tokenizer.decode([*p, *t]), "completion": "\u0130\u0131"}
             for p, t in zip(prompts, texts, strict=True)]  # fmt: skip
    rows = encode(read_rows(given), models[0], 4)
    with largest() as seen:
        found = score_texts(*models, prompts, texts)
        checks = preflight(*models, rows, OnPolicy(), TokenSampling(4))
    assert seen.numbers < 30 * size  # weights, chunks, states; logits are of 4 x 25 tokens at least
    assert len(checks) == 13
    for name in ("overlap", "forward_kl", "reverse_kl", "entropy", "student_log_q"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-6)
