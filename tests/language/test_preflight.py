"""Each check finds the fault that it is for, planted on purpose, and nothing in sound models."""

import copy

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language import OnPolicy, TokenKD, preflight, record  # noqa: E402
from limbeck.language.generation import TokenSampling  # noqa: E402
from limbeck.language.models import LanguageModel, share_vocabulary  # noqa: E402
from limbeck.language.preflight import padding  # noqa: E402
from limbeck.language.prompt_rows import read_rows  # noqa: E402
from limbeck.language.prompts import encode  # noqa: E402

TEMPLATE = (
    "{% for m in messages %}{{ m['content'] }}{% if m['role'] == 'assistant' %}<unk>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}?{% endif %}"
)
ROWS = [{"prompt": p, "completion": p[::-1] + "xyz"} for p in ("abcd", "efg", "hijklm", "no", "p")]


@pytest.fixture(scope="module")
def sound(make_llama, make_tokenizer):
    """A teacher that was trained a little on the rows, and a student that was not."""
    tokenizer = make_tokenizer()
    teacher = LanguageModel(make_llama(24, 2, 0, scale=0.1), tokenizer, "big")
    student = LanguageModel(make_llama(16, 1, 1, scale=0.1), tokenizer, "small")
    optimizer = torch.optim.Adam(teacher.module.parameters(), 0.01)
    prompts = encode(read_rows(ROWS), teacher, 8)
    for _ in range(15):
        for ids, text in zip(prompts.ids, prompts.completions, strict=True):
            whole = torch.tensor([[*ids, *text]])
            teacher.module(whole, labels=whole).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return teacher, student, prompts


def states(teacher, student, prompts, objective=None, **settings):
    found = preflight.preflight(
        teacher, student, prompts, objective or TokenKD(), TokenSampling(8), **settings
    )
    return {c.name: c for c in found}


def with_module(model, forward):
    """The same model with another forward pass."""
    module = copy.deepcopy(model.module)
    plain = module.forward
    module.forward = lambda *args, **given: forward(plain, *args, **given)
    return LanguageModel(module, model.tokenizer, model.name)


def test_sound_models_pass(sound):
    found = states(*sound)
    assert {c.state for c in found.values()} == {"ok"}
    assert len(found) == 12


def test_a_shift_of_logits_is_found(sound):
    """Logits that stand at the token that they predict."""

    def shifted(plain, *args, **given):
        out = plain(*args, **given)
        out.logits = out.logits.roll(1, dims=1) if out.logits.shape[1] > 1 else out.logits
        return out

    found = states(sound[0], with_module(sound[1], shifted), sound[2])
    assert found["labels"].state == "refused"


def test_labels_that_are_masked_with_the_padding_are_found(sound, monkeypatch):
    """The end of text is the pad token, and all pad tokens are taken out of the labels."""
    from limbeck.language import samples

    plain = samples._batched

    def masked(prompts, texts, pad):
        inputs, labels = plain(prompts, texts, pad)
        labels[inputs["input_ids"] == prompts[0][0]] = -100
        return inputs, labels

    monkeypatch.setattr(samples, "_batched", masked)
    short = encode(read_rows([{"prompt": "ab", "completion": "ba"}]), sound[1], 8)
    assert states(*sound[:2], short)["labels"].state == "refused"


def test_prompt_tokens_that_count_are_found(sound, monkeypatch):
    from limbeck.language import samples

    plain = samples._batched

    def unmasked(prompts, texts, pad):
        inputs, _ = plain(prompts, texts, pad)
        return inputs, inputs["input_ids"].clone()

    monkeypatch.setattr(samples, "_batched", unmasked)
    assert states(*sound)["labels"].state == "refused"


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_a_model_that_reads_padding_is_found(sound, role):
    def blind(plain, *args, attention_mask=None, **given):
        return plain(*args, attention_mask=torch.ones_like(given["input_ids"]), **given)

    teacher, student, prompts = sound
    if role == "teacher":
        found = states(with_module(teacher, blind), student, prompts)
    else:
        found = states(teacher, with_module(student, blind), prompts)
    assert found[f"padding ({role})"].state == "refused"
    assert "padded to the left" in found[f"padding ({role})"].message


def test_logits_that_are_no_numbers_are_found(sound):
    _, student, prompts = sound
    broken = copy.deepcopy(student.module)
    with torch.no_grad():
        broken.lm_head.weight[0] = float("nan")
    found = padding(LanguageModel(broken, student.tokenizer, "small"), "student", prompts)
    assert found.state == "refused"
    assert found.message == "The student's logits are not numbers."
    checks = states(LanguageModel(broken, student.tokenizer, "big"), student, prompts)
    assert checks["padding (teacher)"].message == "The teacher's logits are not numbers."


@pytest.mark.parametrize("fault", ["adds a token", "lowers letters"])
def test_tokenizers_of_the_same_tokens_that_cut_texts_differently_are_found(sound, fault):
    """Vocabularies are equal, so that comparing them finds nothing."""
    from tokenizers import normalizers, processors

    teacher, student, _ = sound
    tokenizer = copy.deepcopy(student.tokenizer)
    inner = tokenizer.backend_tokenizer
    if fault == "adds a token":
        inner.post_processor = processors.TemplateProcessing(
            single="<eos> $A", special_tokens=[("<eos>", 1)]
        )
    else:
        inner.normalizer = normalizers.Lowercase()
    other = LanguageModel(student.module, tokenizer, "small")
    assert share_vocabulary(teacher, other) == (34, "")
    prompts = encode(read_rows([{"prompt": "aB", "completion": "c"}]), other, 8)
    found = states(teacher, other, prompts)["tokenizer ids"]
    assert found.state == "refused"
    told = "1 3" if fault == "adds a token" else "3 4"
    assert f"'aB' is 3 2 for the teacher and {told} for the student" in found.message


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_weights_that_number_tokens_otherwise_than_the_tokenizer_are_found(sound, role):
    """Ids shifted by one: the tokenizers agree, and one of the models reads other words."""
    teacher, _, prompts = sound
    shifted = copy.deepcopy(teacher.module)
    with torch.no_grad():
        for weight in (shifted.lm_head.weight, shifted.model.embed_tokens.weight):
            weight.copy_(3 * weight.roll(1, 0))  # a sure model, as large ones are
    other = LanguageModel(shifted, teacher.tokenizer, role)
    pair = (other, sound[1]) if role == "teacher" else (teacher, other)
    found = states(*pair, prompts)["tokens of the weights"]
    assert found.state == "warning"
    assert f"The {role} gives texts" in found.message


def test_padded_vocabularies_that_are_not_cut_are_found(sound, make_llama):
    """152,064 outputs against 151,936 with 151,665 tokens, in small."""
    _, student, prompts = sound
    padded = LanguageModel(make_llama(vocabulary=48), student.tokenizer, "big")
    other = LanguageModel(make_llama(seed=1, vocabulary=40), student.tokenizer, "small")
    found = preflight.vocabulary(padded, other, prompts)
    assert found.state == "refused"
    assert "48 outputs and the student 40, and 34 are tokens" in found.message
    share_vocabulary(padded, other)
    assert preflight.vocabulary(padded, other, prompts).state == "ok"


def test_probability_of_outputs_that_are_no_tokens_is_found(sound, make_llama):
    """Both heads have 40 outputs for 34 tokens, so that nothing is cut."""
    _, student, prompts = sound
    pair = [LanguageModel(make_llama(24, 1, i, 40, 0.1), student.tokenizer, "m") for i in (0, 1)]
    share_vocabulary(*pair)
    found = states(*pair, prompts)["vocabulary padding"]
    assert found.state == "warning"
    assert "6 outputs that are no tokens" in found.message
    with torch.no_grad():
        pair[0].module.model.norm.weight.fill_(1.0)
        pair[0].module.forward = _without_padding(pair[0].module.forward)
    assert states(*pair, prompts)["vocabulary padding"].state == "ok"


def _without_padding(plain):
    def forward(*args, **given):
        out = plain(*args, **given)
        out.logits[..., 34:] = -100.0
        return out

    return forward


@pytest.mark.parametrize("keep", ["full", "hidden", "top:12", "sampled:50"])
@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.0])
def test_recorded_logits_at_another_temperature_are_found(sound, tmp_path, keep, temperature):
    """The teacher, its tokenizer and its texts are the right ones."""
    teacher, _, _ = sound
    warmer = copy.deepcopy(teacher.module)
    with torch.no_grad():
        warmer.lm_head.weight /= temperature
    found = record(warmer, ROWS, tmp_path, keep=keep, tokenizer=teacher.tokenizer)
    with torch.no_grad():
        check = preflight.recorded_temperature(found, teacher)
    assert check.state == ("ok" if temperature == 1 else "refused")
    told = float(check.message.partition("at temperature ")[2].rstrip(".").split(",")[0])
    assert told == pytest.approx(temperature, rel=0.1)


@pytest.mark.parametrize("keep", ["full", "sampled:50"])
def test_recorded_logits_of_another_model_are_found(sound, tmp_path, keep):
    teacher, student, _ = sound
    found = record(student.module, ROWS, tmp_path, keep=keep, tokenizer=teacher.tokenizer)
    check = states(*sound, recorded=found)["recorded log-probabilities"]
    assert check.state == "refused"


def test_different_ends_of_text_are_found(sound, make_llama):
    student = LanguageModel(make_llama(), copy.deepcopy(sound[1].tokenizer), "small")
    student.module.generation_config.eos_token_id = [1, 2]
    assert states(sound[0], student, sound[2])["end of text"].state == "refused"


def templated(model, template=TEMPLATE):
    tokenizer = copy.deepcopy(model.tokenizer)
    tokenizer.chat_template = template
    return LanguageModel(model.module, tokenizer, model.name)


def test_a_template_whose_answers_end_otherwise_is_found(sound):
    teacher, student = templated(sound[0]), templated(sound[1])
    prompts = encode(read_rows(["ab", "cd"]), student, 4, chat=True)
    found = states(teacher, student, prompts)
    assert found["chat template"].state == "ok"
    assert found["end of text"].state == "refused"
    assert "'<unk>' (id 2)" in found["end of text"].message


def test_different_chat_templates_are_found(sound):
    student = templated(sound[1])
    prompts = encode(read_rows(["ab", "cd"]), student, 4, chat=True)
    other = templated(sound[0], TEMPLATE.replace("?", "!"))
    assert states(other, student, prompts)["chat template"].state == "refused"


def test_a_template_that_is_not_used_is_said(sound):
    assert states(sound[0], templated(sound[1]), sound[2])["chat template"].state == "warning"


def test_a_template_that_is_applied_twice_is_found(sound):
    with pytest.raises(InvalidInput, match="holds the special token '<eos>'"):
        encode(read_rows(["ab<eos>"]), templated(sound[1]), 4, chat=True)


def test_a_beginning_of_text_that_stands_twice_is_found(sound):
    tokenizer = copy.deepcopy(sound[1].tokenizer)
    tokenizer.bos_token = "<unk>"
    student = LanguageModel(sound[1].module, tokenizer, "small")
    prompts = encode(read_rows(["<unk><unk>ab"]), student, 4)
    assert prompts.ids[0][:2] == (2, 2)
    assert states(sound[0], student, prompts)["chat template"].state == "refused"


@pytest.mark.parametrize(
    ("dtype", "state"), [(torch.float16, "refused"), (torch.bfloat16, "warning")]
)
def test_narrow_weights_are_found(sound, dtype, state):
    student = LanguageModel(copy.deepcopy(sound[1].module).to(dtype), sound[1].tokenizer, "small")
    assert preflight.number_type(sound[0], student).state == state


def test_shared_weights_are_found(sound):
    """Evaluation mode of the teacher would turn off the student's dropout."""
    found = preflight.shared_weights(sound[0], sound[0])
    assert found.state == "refused"
    assert "dropout" in found.message


def test_a_teacher_behind_the_start_is_found(sound):
    teacher, student, prompts = sound
    assert states(student, teacher, prompts)["teacher better than start"].state == "refused"
    assert states(student, student, prompts)["teacher better than start"].state == "warning"


def test_a_start_far_from_the_teacher_is_said(sound):
    teacher, student, prompts = sound
    far = copy.deepcopy(student.module)
    with torch.no_grad():  # likes best what the teacher likes least
        order = teacher.module(torch.tensor([prompts.ids[0]])).logits[0].mean(0).argsort()
        far.lm_head.weight.zero_()
        far.lm_head.weight[order[:8]] = 1.0
        far.model.norm.weight.fill_(1.0)
    far.forward = lambda *a, plain=far.forward, **g: _liking(plain(*a, **g), order[:8])
    found = preflight.top_tokens(teacher, LanguageModel(far, student.tokenizer, "far"), prompts)
    assert found.state == "warning"
    assert "top tokens in common" in states(*sound, OnPolicy(share=1.0))


def _liking(out, tokens):
    out.logits[..., tokens] += 100
    return out


def test_a_model_that_is_in_shards_already_is_found(sound):
    from torch.distributed import HashStore, destroy_process_group, init_process_group
    from torch.distributed.fsdp import fully_shard

    teacher, student, _ = sound
    whole = LanguageModel(copy.deepcopy(student.module), student.tokenizer, "small")
    assert preflight.sharding(teacher, whole, "fsdp").state == "warning"
    init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    try:
        mesh = torch.distributed.init_device_mesh("cpu", (1,))
        fully_shard(whole.module, mesh=mesh)
        assert preflight.sharding(teacher, whole, "fsdp").state == "refused"
        assert preflight.sharding(whole, student, "fsdp").state == "ok"
    finally:
        destroy_process_group()
