"""What is read after going back equals what is read from the beginning."""

import random

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from limbeck.language.rewinding import RewindingReader  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402

MIXERS = ["gated_recurrence", "linear_attention", "gated_delta"]


@pytest.fixture(scope="module")
def models(make_llama):
    """With attention, converted in one of two layers by each mixer, and in both."""
    llama = make_llama(16, 2)
    found = {"attention": llama}
    for mixer in MIXERS:
        options = {"window": 4} if mixer == "linear_attention" else {}
        found[mixer] = convert(llama, {1}, Hybrid([1], mixer, options=options))
    found["all"] = convert(llama, (), Hybrid(0.0))
    return found


@pytest.mark.parametrize("name", ["attention", *MIXERS, "all"])
@torch.no_grad()
def test_ends_that_are_taken_back_leave_no_trace(models, name):
    """Also more of the text than states are kept of."""
    module, rng = models[name], random.Random(0)
    reader = RewindingReader(module, 4)
    text = [rng.randrange(34) for _ in range(5)]
    for _ in range(25):
        text = text[: max(1, len(text) - rng.choice([0, 0, 1, 3, 9]))]
        text += [rng.randrange(34) for _ in range(rng.randrange(1, 4))]
        last = rng.randrange(1, min(5, len(text)) + 1)
        whole = module(input_ids=torch.tensor([text]), use_cache=False).logits[0, -last:]
        torch.testing.assert_close(reader.logits(text, last), whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_tokens_are_read_once(models):
    """A token more costs a token; with a state, what a draft goes back to is read apart."""
    seen = []
    hooks = [
        module.base_model.register_forward_pre_hook(
            lambda _, args, given: seen.append(given["input_ids"].shape[1]), with_kwargs=True
        )
        for module in (models["attention"], models["all"])
    ]
    for name, expected in (("attention", [4, 1, 2]), ("all", [3, 1, 1, 1, 1])):
        seen.clear()
        reader = RewindingReader(models[name])
        for text in ([5, 6, 7, 8], [5, 6, 7, 8, 9], [5, 6, 7, 8, 4, 3]):
            reader.logits(text, 1)
        assert seen == expected
        assert reader.passes == len(expected)
    for hook in hooks:
        hook.remove()


@torch.no_grad()
def test_a_sliding_window_reads_the_whole_text():
    from transformers import MistralConfig, MistralForCausalLM

    module = MistralForCausalLM(
        MistralConfig(vocab_size=20, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
                      num_attention_heads=2, num_key_value_heads=1, sliding_window=3)
    ).eval()  # fmt: skip
    reader, text = RewindingReader(module), [3, 4, 5, 6, 7, 8]
    for changed in (text, [*text[:3], 9]):
        whole = module(input_ids=torch.tensor([changed])).logits[0, -2:]
        torch.testing.assert_close(reader.logits(changed, 2), whole)
