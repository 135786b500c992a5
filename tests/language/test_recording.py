from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import limbeck
from limbeck.core.errors import FileRefused, InvalidInput, TeacherFailed
from limbeck.language import RecordedLogits, TokenKD, record, recording
from limbeck.language.models import LanguageModel
from limbeck.language.recorded import is_recorded

pytest.importorskip("transformers")

TEXTS = ["the cat sat on the mat.", "a dog!", {"prompt": "who is it? ", "completion": "me."}]


@pytest.fixture
def teacher(pair: Any) -> Any:
    return pair[0]


def recorded_by(*given: Any, **settings: Any) -> RecordedLogits:
    """Texts of at most 30 tokens."""
    return record(*given, max_new_tokens=30, **settings)


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(
    teacher: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_SHARD", 20)
    recorded_by(teacher, TEXTS, tmp_path / "whole", keep="sampled:5", batch_size=1)
    seen = []

    def killed(stage: str, done: float, total: float) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recorded_by(
            teacher, TEXTS, tmp_path / "cut", keep="sampled:5", batch_size=1, progress=killed
        )
    with pytest.raises(FileRefused, match="1 of 3 texts"):
        RecordedLogits.open(tmp_path / "cut")
    recorded_by(teacher, TEXTS, tmp_path / "cut", keep="sampled:5", batch_size=3)
    for shard in sorted((tmp_path / "whole").glob("shard-*")):
        assert shard.read_bytes() == (tmp_path / "cut" / shard.name).read_bytes()


def test_a_finished_folder_is_read_and_not_asked_again(
    teacher: LanguageModel, tmp_path: Path
) -> None:
    recorded_by(teacher, TEXTS, tmp_path)
    assert is_recorded(tmp_path)
    assert is_recorded(str(tmp_path))
    assert not is_recorded(tmp_path / "other")

    def never(*_: object) -> None:
        raise AssertionError

    again = recorded_by(teacher, TEXTS, tmp_path, progress=never)
    assert "keep='sampled:50'" in repr(again)
    assert "unbiased" in repr(again)


def test_folders_of_another_teacher_text_or_setting_are_refused(
    teacher: LanguageModel, pair: Any, tmp_path: Path
) -> None:
    recorded = recorded_by(teacher, TEXTS, tmp_path, keep="top:20")
    for other, texts, keep, word in [
        (pair[1], TEXTS, "top:20", "teacher"),
        (teacher, TEXTS[:2], "top:20", "texts"),
        (teacher, TEXTS, "top:10", "keep"),
    ]:
        with pytest.raises(FileRefused, match=f"other {word}"):
            recorded_by(other, texts, tmp_path, keep=keep)
    recorded.check(tokenizer=teacher.tokenizer, teacher=teacher.module)
    recorded.check(texts=[recorded.tokens(i) for i in range(3)])


def test_outputs_that_are_not_numbers_are_refused(teacher: LanguageModel, tmp_path: Path) -> None:
    broken = copy.deepcopy(teacher.module)
    with torch.no_grad():
        broken.lm_head.weight[3] = float("nan")
    for keep in ("sampled:5", "top:3", "full"):
        with pytest.raises(TeacherFailed, match="text 1"):
            recorded_by(LanguageModel(broken, teacher.tokenizer, "broken"), TEXTS, tmp_path / keep,
                   keep=keep)  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "given", "word"),
    [
        ([], {}, "no prompts"),
        ([" "], {}, "empty"),
        (["a"], {}, "1 token"),
        (TEXTS, {"keep": "top"}, "keep"),
        (TEXTS, {"keep": "top:34"}, "34 outputs"),
        (TEXTS, {"batch_size": 0}, "batch_size"),
        (["ab" * 60], {"prompt_tokens": 64}, "context"),
        (TEXTS, {"prompt_tokens": 0}, "prompt_tokens"),
    ],
)
def test_bad_input_is_refused_before_any_work(
    teacher: LanguageModel, tmp_path: Path, texts: list[Any], given: dict[str, Any], word: str
) -> None:
    out = tmp_path / "logits"
    with pytest.raises(InvalidInput, match=word):
        record(teacher, texts, out, **({"max_new_tokens": 30} | given))
    assert not list(out.glob("*.safetensors"))


def test_a_text_is_cut_where_the_context_ends_and_no_room_is_kept_for_more(
    teacher: LanguageModel, tmp_path: Path
) -> None:
    recorded = record(teacher, [*TEXTS, "ab" * 60], tmp_path)  # the context is 64
    assert [sum(map(len, recorded.tokens(i))) for i in range(4)] == [23, 6, 15, 64]
    assert "where the context ends" in recorded.facts["notes"][0]


def test_prompts_of_whole_texts(teacher: LanguageModel, tmp_path: Path) -> None:
    recorded = record(teacher, TEXTS[:2], tmp_path, prompt_tokens=4)
    assert [len(recorded.tokens(i)[0]) for i in range(2)] == [4, 4]
    assert recorded.distributions == 19 + 2


def test_a_full_disk_is_said_and_what_is_complete_stays(
    teacher: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import limbeck.language.shards as shards

    monkeypatch.setattr(recording, "_SHARD", 20)
    write = shards.write_bytes

    def full(content: bytes, path: Path) -> Path:
        if "000001" in path.name:
            raise FileRefused("It cannot be written: No space left on device.", "Free some space.")
        return write(content, path)

    monkeypatch.setattr(shards, "write_bytes", full)
    with pytest.raises(FileRefused, match="No space"):
        recorded_by(teacher, TEXTS, tmp_path, keep="top:3")
    monkeypatch.setattr(shards, "write_bytes", write)
    assert json.loads((tmp_path / "index.json").read_text())["shards"][0]["rows"] == 1
    assert len(recorded_by(teacher, TEXTS, tmp_path, keep="top:3")) == 3


@pytest.mark.parametrize(
    ("outputs", "keep"),
    [((40, 34), "hidden"), ((40, 36), "top:30"), ((34, 40), "sampled:50"), ((40, 40), "hidden")],
)
def test_recordings_of_a_padded_vocabulary_serve_heads_of_any_size(
    outputs: tuple[int, int], keep: str, make_llama: Any, make_tokenizer: Any, tmp_path: Path
) -> None:
    tokenizer = make_tokenizer()
    rows = [{"prompt": f"{a}{b}", "completion": "hello"} for a in "abc" for b in "abcdef"]
    teacher, student = (make_llama(16, 1, i, size, 0.1) for i, size in enumerate(outputs))
    with torch.no_grad():
        teacher.lm_head.weight[34:] *= 50  # outputs that are no tokens, and likely
    logits = record(teacher, rows, tmp_path, keep=keep, tokenizer=tokenizer)
    assert logits.vocabulary == 34
    found = limbeck.distill(
        logits, into=student, objective=TokenKD(), judge=teacher, tokenizer=tokenizer,
        control=False, progress=False, preflight="warn", max_new_tokens=6, holdout=0.6,
    )  # fmt: skip
    checks = {c.name: c for c in found.preflight}
    assert checks["recorded log-probabilities"].state == "ok"
    assert checks["vocabulary padding"].state == ("warning" if outputs == (40, 40) else "ok")
