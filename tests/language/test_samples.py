"""Who writes a batch follows from seed and update alone: for all processes, parts and resumes."""

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.task import Task  # noqa: E402
from limbeck.language.generation import TokenSampling  # noqa: E402
from limbeck.language.prompt_rows import read_rows  # noqa: E402
from limbeck.language.prompts import encode  # noqa: E402
from limbeck.language.samples import OwnTexts, StudentWriter, TextSamples, WrittenInputs  # noqa: E402
from limbeck.networks.training.gradient_accumulation import Plan  # noqa: E402

TASK = Task.of("language", 34)


@pytest.fixture(scope="module")
def prompts(pair):
    texts = ["ab", "cde", "f", "gh", "ijkl", "m", "no", "pq", "rst", "u"]
    return encode(read_rows([{"prompt": t, "completion": t[::-1]} for t in texts]), pair[0], 6)


def own(prompts, pair, plan, share=0.5, seed=0):
    return OwnTexts(prompts, 0, TASK, StudentWriter(pair[1], TokenSampling(6)), share, seed, plan)


def batches(samples, plan, rank=0, update=0):
    order = plan.order(samples.order(0, 0), rank, update)
    return list(samples.batches(order, plan.sizes_from(update), seed=0, view=0))


def test_only_tokens_of_the_text_count(prompts):
    batch = TextSamples(prompts, 0, TASK).fetch([1, 2])
    assert batch.labels[0].tolist() == [-100, -100, -100, *prompts.completions[1]]
    assert batch.labels[1].tolist() == [-100, *prompts.completions[2], -100, -100, -100, -100]
    assert batch.mask[1].tolist() == [1, 1, 1, 0, 0, 0, 0]


def test_one_coin_for_all_processes_and_parts(prompts, pair):
    plan = Plan(len(prompts), 4, processes=2, parts=2)
    seen = [
        [isinstance(b.inputs, WrittenInputs) for b in batches(own(prompts, pair, plan), plan, r)]
        for r in (0, 1)
    ]
    assert seen[0] == seen[1]
    assert seen[0][0] == seen[0][1]
    assert seen[0][2] == seen[0][3]
    coins = [own(prompts, pair, plan).own(e, u) for e in range(60) for u in range(10)]
    assert 240 < sum(coins) < 360


def test_a_resumed_epoch_goes_on_with_the_same_texts(prompts, pair):
    plan = Plan(len(prompts), 2)
    whole = batches(own(prompts, pair, plan), plan)
    rest = batches(own(prompts, pair, plan), plan, update=3)
    assert {isinstance(b.inputs, WrittenInputs) for b in whole} == {True, False}
    for a, b in zip(whole[3:], rest, strict=True):
        assert torch.equal(a.inputs["input_ids"], b.inputs["input_ids"])
        assert torch.equal(a.labels, b.labels)


def test_shares_of_none_and_all(prompts, pair):
    plan = Plan(len(prompts), 5)
    for share in (0.0, 1.0):
        samples = own(prompts, pair, plan, share)
        found = [isinstance(b.inputs, WrittenInputs) for b in batches(samples, plan)]
        assert found == [bool(share)] * 2
        assert samples.writer.batches == 2 * bool(share)


def test_what_is_looked_at_before_the_training_is_not_written(prompts, pair):
    samples = own(prompts, pair, Plan(len(prompts), 5), 1.0)
    next(iter(samples.batches([0, 1], 2)))
    assert samples.writer.tokens == 0


def test_batches_are_learned_from_again(prompts, pair):
    plan = Plan(len(prompts), 1)

    def replayed():
        writer = StudentWriter(pair[1], TokenSampling(6))
        return OwnTexts(prompts, 0, TASK, writer, 1.0, 0, plan, replay=0.5)

    samples = replayed()
    seen = [b.inputs["input_ids"].tolist() for b in batches(samples, plan)]
    assert samples.writer.batches < len(seen) == len(prompts)
    assert sum(b in seen[:i] for i, b in enumerate(seen)) == len(seen) - samples.writer.batches
    half, rest = replayed(), replayed()
    order = plan.order(half.order(0, 0), 0, 0)
    first = half.batches(order, plan.sizes_from(0), seed=0, view=0)
    begun = [next(first).inputs["input_ids"].tolist() for _ in range(4)]
    rest.restore(half.state())
    went_on = [b.inputs["input_ids"].tolist() for b in batches(rest, plan, update=4)]
    assert begun + went_on == seen
    assert rest.writer.tokens == samples.writer.tokens
