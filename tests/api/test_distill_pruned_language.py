"""A language model cut out of its teacher and healed, beside other ways to its size."""

import random

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Pruned  # noqa: E402

SETTINGS = {"max_new_tokens": 6, "batch_size": 16, "epochs": 1, "lr": 0.01, "distinct_n": 2}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory, language_models):
    return language_models(tmp_path_factory.mktemp("models"))[0]


@pytest.fixture(scope="module")
def texts():
    draw = random.Random(0)
    return ["".join(draw.choices("abcdefgh ", k=24)) + "x" for _ in range(40)]


@pytest.fixture(scope="module")
def result(teacher, texts):
    return limbeck.distill(teacher, texts, into=Pruned(mlp=0.5), progress=False, **SETTINGS)


def test_all_ways_to_the_size_stand_in_one_table(result):
    assert list(result.facts) == [
        "teacher", "student", "control", "random cut", "from scratch", "last layers cut", "start",
    ]  # fmt: skip
    size = result.facts["student"].parameters
    assert size < result.facts["teacher"].parameters
    assert size == result.facts["random cut"].parameters == result.facts["from scratch"].parameters
    assert [a.role for a in result.comparison.alternatives] == [
        "random cut", "from scratch", "last layers cut",
    ]  # fmt: skip
    assert "In overlap with the teacher on the teacher's texts the student is" in result.verdict
    assert "cross-entropy on the same texts" in result.notes[0]
    assert any("first 16 tokens are the prompt" in note for note in result.notes)


def test_the_student_learns_the_teachers_tokens_on_real_texts(result):
    assert result.settings["objective"].startswith("TokenKD")
    assert result.bill["student"].written == 0
    assert result.bill["student"].tokens == result.bill["control"].tokens == 28 * 6


def test_a_saved_cut_is_a_model_of_transformers(result, tmp_path):
    from transformers import AutoModelForCausalLM

    again = limbeck.load(result.save(tmp_path / "run"))
    assert again.comparison.alternatives == result.comparison.alternatives
    module = AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "student")
    ids = torch.tensor([[3, 4, 5, 6]])
    with torch.no_grad():
        assert torch.allclose(module(ids).logits, result.student.module(ids).logits, atol=1e-6)


def test_a_width_that_transformers_refuses_is_rounded(teacher, texts, tmp_path):
    both = limbeck.distill(
        teacher, texts, into=Pruned(width=0.55), control=False, progress=False, **SETTINGS
    )
    assert both.student.module.config.hidden_size == 12  # 13 is no multiple of 2 heads
    assert any("13 was rounded to 12" in note for note in both.notes)
    limbeck.load(both.save(tmp_path / "run"))


def test_without_controls_nothing_else_is_trained(teacher, texts):
    alone = limbeck.distill(
        teacher, texts, into=Pruned(layers=1), control=False, progress=False, **SETTINGS
    )
    assert list(alone.facts) == ["teacher", "student", "start"]


def test_recorded_logits_cannot_be_cut(teacher, texts, tmp_path):
    limbeck.language.record(teacher, texts, out=tmp_path / "logits", keep="top:4", progress=False)
    with pytest.raises(InvalidInput, match="hold no network that could be cut"):
        limbeck.distill(str(tmp_path / "logits"), into=Pruned(mlp=0.5))


def test_a_cut_in_two_steps_learns_from_as_many_tokens(teacher, texts):
    two = limbeck.distill(
        teacher, texts, into=Pruned(size=0.6, iterative_steps=2), progress=False,
        **{**SETTINGS, "epochs": 2},
    )  # fmt: skip
    assert two.facts["student"].parameters <= 0.6 * two.facts["teacher"].parameters
    bills = {role: two.bill[role] for role in ("student", "control", "cut in one step")}
    assert len({(b.updates, b.tokens) for b in bills.values()}) == 1
