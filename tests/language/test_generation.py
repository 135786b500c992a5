"""Texts follow from seed and prompt alone, and are drawn from the model's own distribution."""

import numpy as np
import pytest
from scipy.stats import chisquare

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language.generation import TokenSampling, generate, padded  # noqa: E402
from limbeck.language.models import LanguageModel  # noqa: E402


@pytest.fixture(scope="module")
def prompts(pair):
    return [pair[0].tokenizer(t)["input_ids"] for t in ["hello", "hi there", "a", "what is it?"]]


def test_the_same_seed_writes_the_same_text_in_any_batch(pair, prompts):
    whole = generate(pair[0], prompts * 3, TokenSampling(12), seed=3)
    parts = generate(pair[0], prompts * 3, TokenSampling(12, batch_size=5), seed=3)
    assert whole == parts
    alone = generate(pair[0], [prompts[1]], TokenSampling(12), seed=3, numbers=[5])
    assert alone == [whole[5]]
    assert generate(pair[0], prompts * 3, TokenSampling(12), seed=4) != whole
    assert whole[1] != whole[5]  # other numbers, although the prompt is the same


def test_greedy_text_is_that_of_a_loop_without_cache_or_padding(pair, prompts):
    module = pair[0].module
    found = generate(pair[0], prompts, TokenSampling(8, temperature=0), seed=0)
    for prompt, text in zip(prompts, found, strict=True):
        tokens = list(prompt)
        for _ in range(8):
            with torch.no_grad():
                tokens.append(int(module(torch.tensor([tokens])).logits[0, -1].argmax()))
            if tokens[-1] == 1:
                break
        assert tokens[len(prompt) :] == text


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_tokens_are_drawn_from_the_distribution(pair, prompts, temperature):
    n = 2000
    sampling = TokenSampling(1, temperature=temperature, batch_size=500)
    found = generate(pair[0], [prompts[0]] * n, sampling, seed=1)
    with torch.no_grad():
        logits = pair[0].module(torch.tensor([prompts[0]])).logits[0, -1]
    p = (logits / temperature).softmax(-1).double().numpy()
    counts = np.bincount([t[0] for t in found], minlength=len(p))
    often = p * n > 5
    seen = [*counts[often], counts[~often].sum()]
    expected = np.array([*p[often], p[~often].sum()])
    assert chisquare(seen, n * expected / expected.sum()).pvalue > 1e-4


def test_nothing_of_the_models_own_generation_settings_is_taken_over(pair, prompts, make_llama):
    module = make_llama(24, 2, 0)
    module.generation_config.update(top_k=1, repetition_penalty=9.0, do_sample=True, max_length=5)
    told = LanguageModel(module, pair[0].tokenizer, "told")
    assert generate(told, prompts, TokenSampling(10), seed=3) == generate(
        pair[0], prompts, TokenSampling(10), seed=3
    )
    assert module.generation_config.repetition_penalty == 9.0


def test_modes_and_global_random_numbers_are_left_alone(pair, prompts):
    module = pair[1].module.train()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    generate(pair[1], prompts, TokenSampling(4), seed=0)
    assert module.training
    assert torch.equal(before, torch.get_rng_state())
    module.eval()


def test_texts_end_with_the_end_of_text(pair, prompts):
    found = generate(pair[0], prompts * 15, TokenSampling(20), seed=0)
    assert any(t[-1] == 1 and len(t) < 20 for t in found)
    assert all(1 not in t[:-1] for t in found)


def test_top_p_keeps_the_likeliest(pair, prompts):
    found = generate(pair[0], [prompts[0]] * 50, TokenSampling(1, top_p=1e-6), seed=1)
    greedy = generate(pair[0], [prompts[0]], TokenSampling(1, temperature=0), seed=1)
    assert found == greedy * 50


def test_padding_stands_on_the_side_that_is_asked_for():
    ids, mask = padded([[5], [6, 7]], 0, left=True)
    assert ids.tolist() == [[0, 5], [6, 7]]
    assert mask.tolist() == [[0, 1], [1, 1]]
    assert padded([[5], [6, 7]], 0, left=False)[0].tolist() == [[5, 0], [6, 7]]


@pytest.mark.parametrize("wrong", [{"max_new_tokens": 0}, {"temperature": -1.0}, {"top_p": 0.0}])
def test_settings_without_meaning_are_refused(wrong):
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        TokenSampling(**wrong)
