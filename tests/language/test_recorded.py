from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.language import RecordedLogits, TeacherLogits, TokenKD, record
from limbeck.language.models import LanguageModel

pytest.importorskip("transformers")

TEXTS = ["the cat sat on the mat.", "a dog!", {"prompt": "who is it? ", "completion": "me."}]


@pytest.fixture
def teacher(pair: Any) -> Any:
    return pair[0]


def recorded_by(*given: Any, **settings: Any) -> RecordedLogits:
    """Texts of at most 30 tokens."""
    return record(*given, max_new_tokens=30, **settings)


def batch(recorded: RecordedLogits, rows: list[int]) -> Any:
    """Tokens of some texts, padded on the right."""
    texts = [torch.tensor([*p, *c]) for p, c in map(recorded.tokens, rows)]
    return torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)


@pytest.mark.parametrize("keep", ["full", "hidden", "top:10", "sampled:300"])
def test_training_from_disk_is_training_with_the_teacher(
    teacher: LanguageModel, pair: Any, keep: str, tmp_path: Path
) -> None:
    recorded = recorded_by(teacher, TEXTS, tmp_path / "logits", keep=keep, batch_size=2)
    rows = [2, 0, 1]
    ids = batch(recorded, rows)
    places = ids.shape[1] - 1
    student = pair[1].module(input_ids=ids).logits[:, :-1]
    with torch.no_grad():
        online = TeacherLogits(teacher.module(input_ids=ids).logits[:, :-1])
    counts = recorded.counts(rows, places)
    assert int(counts.sum()) == recorded.distributions == 22 + 5 + 4  # "me." and the end of text
    found = TokenKD().loss(student, recorded.signal(rows, places), counts)
    exact = TokenKD().loss(student, online, counts)
    assert int(found.tokens) == int(exact.tokens)
    if keep == "top:10":
        assert exact.mean - 1 < found.mean <= exact.mean + 1e-3
    else:
        within = 0.2 if keep == "sampled:300" else 2e-3
        assert float(found.mean.detach()) == pytest.approx(float(exact.mean.detach()), abs=within)


def test_only_the_answer_to_a_prompt_counts(teacher: LanguageModel, tmp_path: Path) -> None:
    recorded = recorded_by(teacher, TEXTS, tmp_path, keep="top:3")
    prompt, completion = recorded.tokens(2)
    assert teacher.tokenizer.decode(prompt) == "who is it? "
    assert completion[-1] == teacher.tokenizer.eos_token_id
    counts = recorded.counts([2], 20)[0]
    assert counts.nonzero()[:, 0].tolist() == list(range(len(prompt) - 1, len(prompt) + 3))


def test_training_with_what_does_not_fit_is_refused(
    teacher: LanguageModel, pair: Any, make_tokenizer: Any, tmp_path: Path
) -> None:
    recorded = recorded_by(teacher, TEXTS, tmp_path, keep="top:3")
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    for given, word in [
        ({"tokenizer": make_tokenizer("zyxwvutsrqponmlkjihgfedcba .,!?")}, "tokenizer"),
        ({"tokenizer": make_tokenizer(template=template)}, "chat template"),
        ({"teacher": pair[1].module}, "teacher"),
        ({"texts": [([1], [2])]}, "texts"),
    ]:
        with pytest.raises(FileRefused, match=f"other {word}"):
            recorded.check(**given)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="least_mass=0"):
        recorded.check(least_mass=0.999)


def test_a_damaged_head_is_refused(teacher: LanguageModel, tmp_path: Path) -> None:
    recorded_by(teacher, TEXTS, tmp_path, keep="hidden:int8")
    path = tmp_path / "head.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(FileRefused, match="not what was written"):
        RecordedLogits.open(tmp_path)
