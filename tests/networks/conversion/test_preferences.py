from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Hybrid  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.preferences import (  # noqa: E402
    preference_loss,
    preferred,
    read_preferences,
    tune_preferences,
)
from limbeck.networks.conversion.stage_training import StageSettings  # noqa: E402

PAIRS = [(f"the {w} cat", "sees a dog", "runs then runs and sleeps") for w in ("old", "new")] * 12


def test_the_loss_is_that_of_the_formula_and_of_its_gradient():
    policy = torch.tensor([[-1.0, -3.0], [-2.0, -1.0]], requires_grad=True)
    reference = torch.tensor([[-1.5, -2.0], [-2.0, -2.5]])
    margins = [(2.0 - 0.5), (-1.0 - 0.5)]
    wanted = sum(math.log1p(math.exp(-0.2 * m)) for m in margins) / 2
    loss = preference_loss(policy, reference, 0.2)
    assert float(loss.detach()) == pytest.approx(wanted)
    loss.backward()
    push = [0.2 / (1 + math.exp(0.2 * m)) / 2 for m in margins]
    torch.testing.assert_close(policy.grad, torch.tensor([[-p, p] for p in push]))
    assert float(preference_loss(reference, reference)) == pytest.approx(math.log(2))


def test_tuning_prefers_what_was_chosen_and_counts_completions_alone(make_decoder, tokenizer):
    teacher = make_decoder("llama", 2)
    pairs = read_preferences(PAIRS, tokenizer, 12)
    assert pairs.counts.sum(-1)[0].tolist() == [3, 5]
    assert pairs.mask.sum(-1)[0].tolist() == [6, 8]
    student = convert(teacher, {1}, Hybrid([1]))
    settings = StageSettings(steps=12, batch_size=8, lr=3e-3)
    history = tune_preferences(teacher, student, pairs, settings)
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    with torch.no_grad():
        one = pairs.ids[0, 0, :6]
        logs = student(input_ids=one[None]).logits[0].log_softmax(-1)
        by_hand = sum(float(logs[i - 1, one[i]]) for i in (3, 4, 5))
    from limbeck.networks.conversion.preferences import _Completions

    with torch.no_grad():
        assert float(_Completions(student)(**pairs.take([0]).inputs)[0, 0]) == pytest.approx(
            by_hand, abs=1e-4
        )
    assert preferred(student, pairs).value >= preferred(teacher, pairs).value


def test_a_conversion_ends_with_preferences_where_they_are_given(make_decoder, tokenizer, texts):
    given = {"steps": 2, "length": 12, "batch_size": 4, "tokenizer": tokenizer, "progress": False}
    result = limbeck.distill(
        make_decoder("llama", 2), texts, into=Hybrid(0.5), stages=["logits", "preferences"],
        preferences=PAIRS, lr={"preferences": 1e-4}, **given,
    )  # fmt: skip
    assert [r["stage"] for r in result.history if r["role"] == "student"][-1] == "preferences"
    assert set(result.preferred) == {"teacher", "student", "control", "start"}
    assert "chosen completion" in str(result)
    assert result.settings["preferences"] == 7
    for settings, said in (
        ({"stages": ["logits", "preferences"]}, "go together"),
        ({"preferences": PAIRS}, "go together"),
        ({"stages": ["preferences"], "preferences": PAIRS[:3]}, "20 pairs"),
        ({"stages": ["preferences"], "preferences": [("a", "cat")] * 20}, "prompt, chosen"),
        ({"stages": ["preferences"], "preferences": [("a", "cat", "cat")] * 20}, "twice"),
        ({"lr": {"blocks": 1e-3}}, "no stage of this run"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=said):
            limbeck.distill(make_decoder("llama", 2), texts, into=Hybrid(0.5), **given | settings)
