"""Logits of other programs become the folder that recording the teacher itself would write."""

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.language import TokenKD, record  # noqa: E402
from tests.language.imported.conftest import TEXTS, K, imported, log_probabilities, tokens  # noqa: E402


def loss(recorded, teacher):
    rows = list(range(len(recorded)))
    length = max(sum(map(len, recorded.tokens(i))) for i in rows)
    student = torch.linspace(-1, 1, len(rows) * length * teacher.outputs)
    student = student.reshape(len(rows), length, -1).sin()
    return float(TokenKD().loss(student, recorded.signal(rows, length),
                                recorded.counts(rows, length)).total)  # fmt: skip


def test_vllm_is_what_recording_the_teacher_keeps(teacher, vllm, tmp_path):
    found = imported(teacher, vllm, tmp_path / "out")
    ours = record(teacher.module, TEXTS, tmp_path / "ours", keep=f"top:{K}",
                  tokenizer=teacher.tokenizer)  # fmt: skip
    assert found.keep == ours.keep
    assert [found.tokens(i) for i in range(3)] == [ours.tokens(i) for i in range(3)]
    assert loss(found, teacher) == pytest.approx(loss(ours, teacher), rel=2e-3)
    assert found.facts["kept_mass"] == pytest.approx(ours.facts["kept_mass"], abs=2e-3)
    assert found.fingerprints["teacher"] == ours.fingerprints["teacher"]
    again = imported(teacher, vllm, tmp_path / "out")  # all is there
    assert again.fingerprints == found.fingerprints


def test_openai_tokens_are_found_by_their_bytes(teacher, tmp_path):
    inner = teacher.tokenizer
    path, lines = tmp_path / "openai.jsonl", []
    for text in TEXTS:
        ids = tokens(teacher, text)
        logs, content = log_probabilities(teacher, ids), []
        for place in range(3, len(ids) - 1):

            def named(i, log_p=logs[place]):
                token = inner.convert_ids_to_tokens(int(i))
                raw = None if token.startswith("<") else list(token.encode())
                return {"token": token, "bytes": raw, "logprob": float(log_p[i])}

            best = logs[place].topk(K).indices
            content.append({**named(ids[place + 1]), "top_logprobs": [named(i) for i in best]})
        lines.append({"prompt": text[:4],
                      "response": {"choices": [{"logprobs": {"content": content}}]}})  # fmt: skip
    path.write_text(json.dumps(lines))
    found = imported(teacher, path, tmp_path / "out", written_by="openai")
    rows = [{"prompt": t[:4], "completion": t[4:]} for t in TEXTS]
    assert [found.tokens(i)[0] for i in range(3)] == [tokens(teacher, r["prompt"]) for r in rows]
    ours = record(teacher.module, TEXTS, tmp_path / "ours", keep=f"top:{K}", prompt_tokens=4,
                  tokenizer=teacher.tokenizer)  # fmt: skip
    assert loss(found, teacher) == pytest.approx(loss(ours, teacher), rel=2e-3)


def test_another_teacher_is_refused_by_its_numbers(teacher, pair, vllm, tmp_path):
    with pytest.raises(FileRefused, match="nats from those"):
        imported(teacher, vllm, tmp_path / "out", teacher=pair[1].module)


def test_another_temperature_is_refused(teacher, vllm, tmp_path):
    with pytest.raises(InvalidInput, match=r"temperature 0\.7"):
        imported(teacher, vllm, tmp_path / "out", temperature=0.7)


def test_logits_that_do_not_say_whose_they_are_say_so(teacher, vllm, tmp_path):
    found = imported(teacher, vllm, tmp_path / "out", teacher=None)
    assert "of a teacher that is not said" in repr(found)
    with pytest.warns(UserWarning, match="probable tokens hold"):  # too little was kept here
        found.check(tokenizer=teacher.tokenizer, teacher=teacher.module)
    with pytest.raises(FileRefused, match="another teacher"):
        imported(teacher, vllm, tmp_path / "out")


def test_what_is_refused_for_its_numbers_leaves_no_folder(teacher, pair, vllm, tmp_path):
    with pytest.raises(FileRefused, match="nats from those"):
        imported(teacher, vllm, tmp_path / "new" / "out", teacher=pair[1].module)
    assert not (tmp_path / "new").exists()
    imported(teacher, vllm, tmp_path / "new" / "out")


@pytest.mark.parametrize("vocabulary", [-1, 0, 3.5, "x"])
def test_a_vocabulary_without_a_meaning_is_refused(teacher, vllm, tmp_path, vocabulary):
    with pytest.raises(InvalidInput, match="vocabulary"):
        imported(teacher, vllm, tmp_path / "out", vocabulary=vocabulary)


def test_tokens_beyond_the_vocabulary_are_refused(teacher, vllm, tmp_path):
    with pytest.raises(FileRefused, match="numbered 0 to 4"):
        imported(teacher, vllm, tmp_path / "out", vocabulary=5, teacher=None)


def test_settings_without_a_meaning_are_refused(teacher, vllm, tmp_path):
    with pytest.raises(InvalidInput, match="written_by"):
        imported(teacher, vllm, tmp_path / "out", written_by="sglang")
    with pytest.raises(FileRefused, match="There is no"):
        imported(teacher, tmp_path / "absent.jsonl", tmp_path / "out")
