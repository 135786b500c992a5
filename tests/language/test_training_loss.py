"""Losses on texts from hidden states and head are those from logits, and logits are never whole."""

from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.task import Task  # noqa: E402
from limbeck.language import (  # noqa: E402
    MiniLLM,
    OnPolicy,
    PolicyGradient,
    SequenceKD,
    TokenKD,
    chunked,
)
from limbeck.language.prompts import Prompts  # noqa: E402
from limbeck.language.samples import TextSamples, WrittenInputs  # noqa: E402
from limbeck.language.training_loss import TextLoss, whole_logits_note  # noqa: E402
from limbeck.modules import linear_head  # noqa: E402
from limbeck.modules.batch import Step  # noqa: E402
from limbeck.modules.outputs import OutputReader, read_by  # noqa: E402
from limbeck.modules.runner import watched  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

V, TASK = 1_100, Task.of("language", 1_100)
OBJECTIVES = [TokenKD("jsd"), SequenceKD(0.1), OnPolicy("skew_reverse_kl"), MiniLLM(),
              PolicyGradient(discount=0.5)]  # fmt: skip


def rows(count=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, V, (count, 12), generator=generator)
    ids[0, 9:] = 0  # padding
    labels = ids.clone()
    labels[:, :4], labels[0, 9:] = -100, -100
    return {"input_ids": ids, "attention_mask": (ids > 0).long()}, labels


def gradients(objective, teacher, student, heads, context=nullcontext):
    """The loss of a batch, and its gradient in the student's weights."""
    inputs, labels = rows()
    found = [linear_head.linear_head(m) if heads else None for m in (teacher, student)]
    with watched(teacher, (), "t", head=found[0], context=torch.no_grad) as ask, watched(
        student, (), "s", head=found[1], context=context
    ) as network:  # fmt: skip
        step = Step(WrittenInputs(inputs), labels, network(inputs), ask(inputs), TASK)
        assert (step.student.head is not None) is heads
        loss = TextLoss(objective).loss(step, None)
        return loss, torch.autograd.grad(loss, list(student.parameters()))


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: type(o).__name__)
def test_states_and_head_give_the_loss_and_gradients_of_logits(objective, make_llama, monkeypatch):
    monkeypatch.setitem(chunked._ELEMENTS, "cpu", 7 * V)  # several chunks
    monkeypatch.setattr(chunked, "_HEAD_ROWS", 1)
    teacher, student = make_llama(24, 1, 0, V), make_llama(16, 1, 1, V).train()
    (loss, ours), (whole, theirs) = (
        gradients(objective, teacher, student, heads) for heads in (True, False)
    )
    assert loss.item() == pytest.approx(whole.item(), rel=1e-5)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5 * float(b.abs().max()))


def test_mixed_precision_is_that_of_the_model_itself(make_llama):
    teacher, student = make_llama(24, 1, 0, V), make_llama(16, 1, 1, V).train()
    both = [
        gradients(TokenKD(), teacher, student, heads, lambda: torch.autocast("cpu", torch.bfloat16))
        for heads in (True, False)
    ]
    assert both[0][0].item() == pytest.approx(both[1][0].item(), rel=1e-3)
    for a, b in zip(both[0][1], both[1][1], strict=True):
        assert float((a - b).norm()) < 0.02 * float(b.norm())


def test_what_was_filled_up_enters_no_loss(make_llama):
    teacher, student = make_llama(24, 1, 0, V + 20), make_llama(16, 1, 1, V + 10).train()
    for module in (teacher, student):
        read_by(module, OutputReader(first=V))
    with torch.no_grad():
        teacher.lm_head.weight[V:], student.lm_head.weight[V:] = 9.0, -9.0
    (loss, ours), (whole, theirs) = (
        gradients(TokenKD(), teacher, student, heads) for heads in (True, False)
    )
    assert loss.item() == pytest.approx(whole.item(), rel=1e-5)
    assert not ours[-1][V:].any()
    assert ours[-1].shape == theirs[-1].shape


@pytest.mark.parametrize("objective", [TokenKD("jsd"), PolicyGradient()],
                         ids=lambda o: type(o).__name__)  # fmt: skip
def test_no_logits_of_a_batch_stand_in_memory(objective, make_llama, monkeypatch, largest):
    monkeypatch.setitem(chunked._ELEMENTS, "cpu", 20 * V)
    monkeypatch.setattr(chunked, "_HEAD_ROWS", 1)
    teacher, student = make_llama(24, 1, 0, V), make_llama(16, 1, 1, V)
    inputs, _ = rows(16)
    texts = [tuple(ids) for ids in inputs["input_ids"].tolist()]
    blank = ("",) * len(texts)
    prompts = Prompts(blank, tuple(t[:3] for t in texts), tuple(t[3:] for t in texts), blank)
    loss = TextLoss(objective)
    with largest() as seen:
        train(student, TextSamples(prompts, 0, TASK), loss, TASK, teacher=teacher,
              training=Training(epochs=1, batch_size=16))  # fmt: skip
    assert seen.numbers < 40 * V  # of 16 x 11 tokens: weights and a chunk


def test_it_is_said_whose_logits_are_whole(make_llama):
    from limbeck.language.models import LanguageModel

    model = LanguageModel(make_llama(16, 1, 0, V), None, "small")
    assert whole_logits_note({"student": model}) == ""
    model.module.lm_head.register_forward_hook(lambda *_: None)
    found = whole_logits_note({"student": model, "teacher": model})
    assert found.startswith("The logits of the student and the teacher are not")
