"""Certificates of texts: three bounds at once, with the prompt as the independent unit."""

import numpy as np
import pytest

from limbeck.certificates.bounded import betting_bound
from limbeck.certificates.certificate_file import load, save
from limbeck.certificates.texts import certify_texts
from limbeck.core.errors import InvalidInput


def losses(rng, prompts=40, tokens=30, kinds=3):
    """Losses of texts whose tokens depend on each other: each text has a level of its own."""
    level = rng.beta(1.0, 3.0, size=(kinds, prompts, 1))
    walk = np.cumsum(rng.normal(0, 0.05, size=(kinds, prompts, tokens)), axis=2)
    return np.clip(level + walk, 0, 1).mean(axis=2)


def certified(x, delta=0.1, asked=None):
    kinds = dict(zip(["the student's texts", "the teacher's texts", "real texts"], x, strict=True))
    return certify_texts(kinds, delta=delta, asked=asked, student="s", rows="r")


def test_each_kind_of_text_gets_the_bound_at_a_third_of_delta():
    x = losses(np.random.default_rng(0))
    c = certified(x, 0.06, 0.5)
    assert [g.epsilon for g in c.groups] == [betting_bound(one, 0.02) for one in x]
    assert c.epsilon == c.groups[0].epsilon
    assert c.reached
    assert "over 40 fresh prompts" in c.statement
    assert "all at once" in c.statement
    assert not certified(x, 0.06, 0.01).reached


def test_sentences_are_made_anew_from_the_file(tmp_path):
    c = certified(losses(np.random.default_rng(0)), asked=0.01)
    path = save(c, tmp_path / "certificate.json")
    path.write_text(path.read_text().replace("fresh prompts", "golden prompts"))
    assert load(path) == c


def test_too_few_prompts_are_refused_however_many_tokens_they_have():
    with pytest.raises(InvalidInput, match="9 prompts"):
        certified(losses(np.random.default_rng(0), prompts=9, tokens=1000))


def coverage(simulations, many=20_000):
    truth = losses(np.random.default_rng(1), prompts=many).mean(axis=1)
    rng, delta = np.random.default_rng(2), 0.1
    wrong = tokens_wrong = 0
    for _ in range(simulations):
        x = losses(rng)
        bounds = [betting_bound(one, delta / 3) for one in x]
        wrong += any(b < t for b, t in zip(bounds, truth, strict=True))
        # the fault that is guarded against: 30 tokens of a text as if they were 30 draws
        as_tokens = np.repeat(x[0], 30)
        tokens_wrong += betting_bound(as_tokens, delta) < truth[0]
    return wrong / simulations, tokens_wrong / simulations


def test_bounds_hold_with_dependent_tokens_and_tokens_as_draws_would_not():
    wrong, tokens_wrong = coverage(40)
    assert wrong <= 0.2
    assert tokens_wrong > 0.2


@pytest.mark.slow
def test_bounds_hold_in_2000_simulations():
    wrong, tokens_wrong = coverage(2_000, many=200_000)
    assert wrong <= 0.1
    assert tokens_wrong > 0.2
