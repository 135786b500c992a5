from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from limbeck import LimbeckError  # noqa: E402
from limbeck.teachers.answer_store import AnswerStore  # noqa: E402
from limbeck.teachers.completions import Sampling  # noqa: E402
from limbeck.teachers.huggingface import text_writer  # noqa: E402
from limbeck.teachers.huggingface.text_writer import FolderWriter  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

PROMPTS = ["ab", "abcdefgh ijkl", "once upon a time there was a", "once upon a time there is"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = "abcdefghijklmnopqrstuvwxyz \n."
    vocabulary = {c: i for i, c in enumerate(letters)} | {"<end>": len(letters)}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="."))
    plain.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    plain.decoder = decoders.Fuse()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<end>")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, bos_token_id=None, eos_token_id=29,
        initializer_range=0.4,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("causal")
    transformers.LlamaForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def write(writer: Any, sampling: Sampling, prompts: list[str] = PROMPTS) -> list[Any]:
    return writer.complete(prompts, sampling, [0] * len(prompts), lambda n: None)


def alone(writer: Any, prompt: str, sampling: Sampling) -> str:
    """Greedy decoding without cache, batch or padding."""
    ids = writer.tokenizer(prompt, add_special_tokens=False)["input_ids"]
    start, seen = len(ids), set()
    for _ in range(sampling.max_tokens):
        with torch.no_grad():
            logits = writer.module(torch.tensor([ids])).logits[0, -1].clone()
        for token in seen:
            logits[token] -= sampling.presence_penalty
        token = int(logits.argmax())
        if token == 29:
            break
        ids.append(token)
        seen.add(token)
    return str(writer.tokenizer.decode(ids[start:]))


@pytest.mark.parametrize("penalty", [0.0, 3.0])
@pytest.mark.parametrize("least", [3, 1000])
def test_a_batch_writes_what_each_prompt_gets_alone(folder, monkeypatch, penalty, least):
    monkeypatch.setattr(text_writer, "_LEAST", least)  # with and without a common beginning
    writer = FolderWriter.of_folder(f"hf:{folder}", None)
    sampling = Sampling(12, presence_penalty=penalty)
    found = write(writer, sampling, [f"the same start {p}" for p in PROMPTS])
    for prompt, one in zip(PROMPTS, found, strict=True):
        assert one.text == alone(writer, f"the same start {prompt}", sampling)
    assert len({one.text for one in found}) > 1


def test_answers_are_drawn_by_prompt_and_number_and_kept(folder, tmp_path):
    sampling = Sampling(20, temperature=1.0)
    writer = FolderWriter.of_folder(f"hf:{folder}", AnswerStore(tmp_path / "a.sqlite"))
    first = write(writer, sampling)
    other = write(FolderWriter.of_folder(f"hf:{folder}", None), sampling, PROMPTS[:1])
    assert other == first[:1]  # in another batch, without the store
    drawn = writer.complete(PROMPTS, sampling, [1] * 4, lambda n: None)
    assert [d.text for d in drawn] != [f.text for f in first]
    requests = writer.bill().requests
    again = FolderWriter.of_folder(f"hf:{folder}", AnswerStore(tmp_path / "a.sqlite"))
    assert write(again, sampling) == first
    assert (again.bill().requests, again.bill().stored) == (0, 4)
    assert requests == 8


def test_answers_end_before_a_stop_mark_or_at_the_limit(folder):
    writer = FolderWriter.of_folder(f"hf:{folder}", None)
    long = write(writer, Sampling(30))
    whole = max(long, key=lambda one: len(one.text))
    prompt = PROMPTS[long.index(whole)]
    assert len(whole.text) > 8
    (short,) = write(writer, Sampling(3), [prompt])
    assert (short.text, short.finish) == (whole.text[:3], "length")
    mark = whole.text[5:7]
    (cut,) = write(writer, Sampling(30, stop=("zzzz", mark)), [prompt])
    assert (cut.text, cut.finish) == (whole.text[: whole.text.index(mark)], "stop")


def test_answers_that_ended_leave_the_batch(folder):
    writer = FolderWriter.of_folder(f"hf:{folder}", None)
    sampling, sizes = Sampling(40, presence_penalty=1.0), []
    whole = [alone(writer, prompt, sampling) for prompt in PROMPTS]
    longest = max(whole, key=len)
    marks = tuple(
        next(text[i : i + 2] for i in range(len(text)) if text[i : i + 2] not in longest)
        for text in whole
        if text != longest
    )
    sampling = Sampling(40, presence_penalty=1.0, stop=marks)
    seen = writer.module.register_forward_pre_hook(
        lambda _, args, given: sizes.append(len(given["input_ids"])), with_kwargs=True
    )
    found = write(writer, sampling)
    seen.remove()
    for text, one in zip(whole, found, strict=True):
        ends = [text.find(mark) for mark in marks if mark in text]
        assert one.text == text[: min(ends, default=40)]
    assert sizes[-1] < sizes[0] == len(PROMPTS)


@pytest.mark.parametrize("likely", [2, 512])
def test_nucleus_sampling_keeps_the_fewest_tokens_that_reach_top_p(likely, monkeypatch):
    from collections import Counter

    monkeypatch.setattr(text_writer, "_LIKELY", likely)
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    draw = torch.Generator().manual_seed(0)
    for top_p, kept in ((0.4, {0}), (0.5, {0}), (0.6, {0, 1}), (1.0, {0, 1, 2, 3})):
        sampling = Sampling(1, 1.0, top_p)
        seen = Counter(text_writer._draw(logits, sampling, [], draw) for _ in range(600))
        assert set(seen) == kept
        total = sum([0.5, 0.3, 0.15, 0.05][i] for i in kept)
        assert abs(seen[0] / 600 - 0.5 / total) < 0.07


TEMPLATE = (
    "{% for m in messages %}{{ m.role }}. {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant. {% endif %}"
)


def test_a_chat_template_asks_and_opens(folder, tmp_path):
    import shutil

    import limbeck

    plain = FolderWriter.of_folder(f"hf:{folder}", None)
    assert plain.opening() is None
    with pytest.raises(LimbeckError, match="has no chat template"):
        plain.asking("who")
    shutil.copytree(folder, tmp_path / "chat")
    (tmp_path / "chat" / "chat_template.jinja").write_text(TEMPLATE)
    writer = FolderWriter.of_folder(f"hf:{tmp_path / 'chat'}", None)
    assert writer.asking("who") == "user. who\nassistant. "
    assert writer.opening() == "user. "
    found = limbeck.generate(
        f"hf:{tmp_path / 'chat'}", n=3, method="empty_prompt", out=tmp_path / "set", min_words=1,
        unsuitable=(), prompts_at_once=4, max_tokens=60, answer_tokens=60, max_requests=40,
    )  # fmt: skip
    openings = [r for r in found.requests if r.stage == "writing instructions"]
    assert {r.prompt for r in openings} == {"user. "}
    assert len({r.answer for r in openings}) > 1  # draws of their own
    answered = [r for r in found.requests if r.stage == "answering"]
    assert all(r.prompt.endswith("\nassistant. ") for r in answered)
    again = limbeck.generate(
        f"hf:{tmp_path / 'chat'}", n=3, method="empty_prompt", out=tmp_path / "set", min_words=1,
        unsuitable=(), prompts_at_once=4, max_tokens=60, answer_tokens=60, max_requests=40,
    )  # fmt: skip
    assert again.rows == found.rows
    assert (again.bill.requests, again.bill.stored) == (0, len(found.requests))


def test_folders_that_write_nothing_are_refused(tmp_path):
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    with pytest.raises(LimbeckError, match="writes no text"):
        FolderWriter.of_folder(f"hf:{tmp_path}", None)
