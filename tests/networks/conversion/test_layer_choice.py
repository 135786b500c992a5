from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Hybrid, convert_plan  # noqa: E402
from limbeck.networks.conversion.convert import convert, converted_layers  # noqa: E402
from limbeck.networks.conversion.layer_choice import ConvertedStudents, greedy_layers  # noqa: E402
from limbeck.networks.conversion.stage_training import StageSettings  # noqa: E402
from limbeck.networks.conversion.texts import read_texts  # noqa: E402


def test_the_greedy_search_takes_what_lowers_most_given_what_it_has():
    """Layers 1 and 2 help alone but overlap; 0 helps only beside 1."""
    worth = {(): 10.0, (1,): 4.0, (2,): 5.0, (0,): 9.0, (0, 1): 1.0, (1, 2): 3.9}

    def scorer(layers):
        return np.full((1, 2), worth.get(tuple(sorted(layers)), 10.0))

    found = greedy_layers(scorer, 3, 2)
    assert found.keep == (1, 0)
    assert {i: float(f.mean()) for i, f in found.falls.items()} == {0: 1.0, 1: 6.0, 2: 5.0}
    assert found.evaluated == 1 + 3 + 2  # none twice
    at_once = greedy_layers(scorer, 3, 2, at_once=2)
    assert set(at_once.keep) == {1, 2}
    assert at_once.evaluated == 1 + 3


def test_attention_restored_everywhere_is_the_teacher_and_leaves_students_alone(
    make_decoder, tokenizer, texts
):
    teacher, read = make_decoder("llama", 2), read_texts(texts[:6], tokenizer, 20)
    student = convert(teacher, (), Hybrid(0.0))
    tokens = torch.stack([i[:12] for i in read.ids])
    short = StageSettings(steps=8, batch_size=6, lr=3e-3)
    at_once, trained = (
        ConvertedStudents(teacher, [student], [tokens], given) for given in ((), (short,))
    )
    assert np.allclose(at_once.divergences(read, 12, [0, 1]), 0, atol=1e-6)
    assert len(list(converted_layers(student))) == 2
    before = at_once.divergences(read, 12, [0]).mean()
    assert 1e-4 < trained.divergences(read, 12, [0]).mean() < before  # on what it trained on
    assert at_once.divergences(read, 12, [0]).mean() == before


def test_a_plan_is_a_table_that_a_hybrid_takes(make_decoder, tokenizer, texts):
    plan = convert_plan(
        make_decoder("llama", 3), texts[:40], keep=1, seeds=2, steps={"mixers": 2, "logits": 1},
        length=12, batch_size=4, tokenizer=tokenizer, progress=False,
    )  # fmt: skip
    assert "each after 1 steps" in " ".join(plan.notes)
    assert len(plan.keep) == 1
    assert plan.even == (1,)
    assert [r.layer for r in plan.layers] == [0, 1, 2]
    assert [r.rank for r in plan.layers if r.layer in plan.keep] == [1]
    assert "fall of KL" in str(plan)
    assert plan.sentence in " ".join(str(plan).split())
    assert Hybrid(keep=plan).steps(3) == [plan.keep]
    assert list(plan.to_frame()["layer"]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"keep": 3}, "3 layers"), ({"keep": 0}, "Hybrid"), ({"keep": 1.0}, "keep"),
     ({"keep": 0.1}, "less than one"), ({"seeds": 0}, "seeds"), ({"rounds": 0}, "rounds"),
     ({"steps": {"logit": 2}}, "no stage of a plan"), ({"steps": {"mixers": 0}}, "steps")],
)  # fmt: skip
def test_bad_plans_are_refused(make_decoder, tokenizer, texts, settings, said):
    with pytest.raises(InvalidInput, match=said):
        convert_plan(make_decoder("llama", 3), texts, tokenizer=tokenizer, **settings)
    with pytest.raises(InvalidInput, match="20 or more"):
        convert_plan(make_decoder("llama", 3), texts[:15], tokenizer=tokenizer)
