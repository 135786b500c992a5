from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import limbeck  # noqa: E402
from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.networks import Hybrid  # noqa: E402


@pytest.fixture(scope="module")
def run(make_decoder, tokenizer, texts):
    def distilled(some=texts, into=None, **settings):
        given = {"steps": 3, "length": 12, "batch_size": 4, "tokenizer": tokenizer}
        return limbeck.distill(
            make_decoder("llama", 2), some, into=into or Hybrid(keep=0.5), progress=False,
            **given | settings,
        )  # fmt: skip

    return distilled


@pytest.fixture(scope="module")
def result(run):
    return run(stages=["mixers", "blocks", "logits"], seeds=2, recall=[8])


def test_a_conversion_has_certificate_control_table_and_generates(result):
    assert [e.role for e in result.comparison.entries] == ["teacher", "student", "control", "start"]
    c = result.certificate
    student = result.comparison.entries[1].agreement
    assert c.n == 24
    assert c.mean_loss < c.epsilon < 1
    assert abs(1 - c.mean_loss - student.value) < 0.05  # of the first seed, and of both
    assert result.settings["kept"] == [1]
    assert result.student.converted == (0,)
    assert result.facts["teacher"].divergence == 0
    assert {row["role"] for row in result.history} == {"student", "control"}
    assert {row["seed"] for row in result.history} == {0, 1}
    steps = [r["step"] for r in result.history if r["role"] == "control" and r["seed"] == 0]
    assert max(steps) == 9  # as many as the student's stages in all
    assert "overlap" in str(result)
    texts_out = result.student.generate(["the cat", "dog"], max_new_tokens=3, do_sample=False)
    assert len(texts_out) == 2
    assert result.student.generate("dog", max_new_tokens=3, do_sample=False) == texts_out[1]


def test_all_models_are_asked_what_stood_far_back(result):
    assert list(result.recalled) == ["teacher", "control", "student", "start"]
    for scores in result.recalled.values():
        assert [(s.task, s.distance) for s in scores] == [
            ("copying", 8), ("associative recall", 8), ("needle", 8),
        ]  # fmt: skip
        assert all(0 <= s.right.low <= s.right.value <= s.right.high <= 1 for s in scores)
    assert "Share recalled of what stood so far back" in str(result)
    assert result.tables()["recall"].to_frame()["distance"].tolist() == [8, 8, 8]
    assert result.settings["recall"] == [8]


def test_it_is_saved_and_loaded_without_pickles(result, tmp_path):
    again = limbeck.load(result.save(tmp_path / "run"))
    assert str(again) == str(result)
    ids = torch.tensor([[1, 2, 3, 4]])
    assert torch.equal(again.student(ids), result.student(ids))
    assert again.certificate == result.certificate
    assert again.recalled == result.recalled
    assert not list((tmp_path / "run").rglob("*.bin"))
    assert "overlap" in (tmp_path / "run" / "report.html").read_text()
    assert result.to_frame().shape[0] == 4
    # transformers alone would fill the lacking attention at random
    assert not (tmp_path / "run" / "student" / "config.json").exists()


def test_a_longer_training_comes_closer_than_the_start(run, texts):
    found = run(stages=["mixers"], steps=20, lr=3e-3)
    overlap = {e.role: e.agreement.value for e in found.comparison.entries}
    assert overlap["student"] > overlap["start"]


def test_holdout_texts_may_be_given_and_must_be_others(run, texts):
    found = run(texts[:40], stages=["logits"], holdout=texts[40:60])
    assert found.certificate.n == 20
    with pytest.raises(InvalidInput, match="training texts as well"):
        run(texts[:40], holdout=texts[30:60])
    with pytest.raises(InvalidInput, match="10 or more"):
        run(texts[:20], holdout=texts[30:35])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"stages": ["logit"]}, "logits"),
        ({"step": 3}, "steps"),
        ({"lr": -1.0}, "lr"),
        ({"into": Hybrid(keep=[5])}, "layers 0 to 1"),
        ({"into": Hybrid(keep=0.2)}, "less than one layer"),
        ({"tokenizer": None}, "tokenizer"),
        ({"epsilon": 2.0}, "epsilon"),
        ({"seeds": 0}, "seeds"),
        ({"groups": np.zeros(80)}, "groups"),
        ({"recall": [9]}, "even number"),
        ({"recall": ["far"]}, "whole numbers"),
        ({"recall": [100_000]}, "tokens of text"),
    ],
)
def test_bad_input_is_refused_before_any_work(run, texts, settings, said):
    with pytest.raises(InvalidInput, match=said):
        run(**settings)
    with pytest.raises(FileRefused, match="no folder"):
        limbeck.distill("hf:nowhere", texts, into=Hybrid())
