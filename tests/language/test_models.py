"""Vocabularies are compared by ids, and what was only filled up is cut."""

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.language.generation import TokenSampling, generate  # noqa: E402
from limbeck.language.models import LanguageModel, read_model, share_vocabulary  # noqa: E402
from limbeck.language.prompt_scores import score_texts  # noqa: E402


def test_padded_vocabularies_are_cut_and_renormalised(make_llama, make_tokenizer):
    tokenizer = make_tokenizer()
    teacher = LanguageModel(make_llama(vocabulary=40), tokenizer, "padded")
    student = LanguageModel(make_llama(seed=1, vocabulary=len(tokenizer)), tokenizer, "small")
    outputs, note = share_vocabulary(teacher, student)
    assert outputs == 34
    assert "40 outputs" in note
    with torch.no_grad():
        teacher.module.lm_head.weight[34:] += 100 * teacher.module.lm_head.weight[:6]
    text = generate(teacher, [[5, 6]] * 50, TokenSampling(8), seed=0)
    assert max(map(max, text)) < 34
    with torch.no_grad():
        p = teacher.module(torch.tensor([[5, 6]])).logits[0, -1, :34].softmax(-1)
        q = student.module(torch.tensor([[5, 6]])).logits[0, -1].softmax(-1)
    found = score_texts(teacher, student, [[5, 6]], [[7]])
    assert found.overlap[0] == pytest.approx(float(torch.minimum(p, q).sum()), abs=1e-6)


def test_equal_heads_are_left_as_they_are(pair):
    assert share_vocabulary(*pair) == (34, "")


def test_other_tokenizers_are_refused_by_a_token(make_llama, make_tokenizer):
    one = LanguageModel(make_llama(), make_tokenizer(), "a")
    other = LanguageModel(make_llama(), make_tokenizer("bacdefghijklmnopqrstuvwxyz .,!?"), "b")
    with pytest.raises(InvalidInput, match="'a' is id 3 for the teacher and id 4 for the student"):
        share_vocabulary(one, other)


def test_a_head_smaller_than_the_vocabulary_is_refused(make_llama, make_tokenizer):
    tokenizer = make_tokenizer()
    small = LanguageModel(make_llama(vocabulary=30), tokenizer, "small")
    with pytest.raises(InvalidInput, match="student has 30 outputs for 34 tokens"):
        share_vocabulary(LanguageModel(make_llama(), tokenizer, "big"), small)


def test_what_writes_no_text_is_refused():
    with pytest.raises(InvalidInput, match="Linear, which writes no text"):
        read_model(torch.nn.Linear(1, 1), "student")
    with pytest.raises(InvalidInput, match="The teacher is 3"):
        read_model(3, "teacher")


def test_an_encoder_with_a_decoder_is_refused_unread(tmp_path):
    from transformers import T5Config, T5ForConditionalGeneration

    small = T5Config(vocab_size=9, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(small).save_pretrained(tmp_path)
    with pytest.raises(InvalidInput, match="is an encoder with a decoder"):
        read_model(tmp_path, "teacher")


def test_a_module_needs_its_tokenizer(make_llama):
    with pytest.raises(InvalidInput, match="without a tokenizer"):
        read_model(make_llama(), "student")


def test_a_full_disk_is_said(pair, tmp_path):
    """Files of more than 2 kB cannot be written, as on a full disk."""
    resource = pytest.importorskip("resource")
    model, before = pair[0], resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    try:
        with pytest.raises(FileRefused, match=r"cannot be written: File too large.* Free some"):
            model.save_pretrained(tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
