"""Values and gradients of the losses between tokenizers, beside those of TRL's GOLD trainer.

Texts are read by two byte-level tokenizers. Where both cut a text alike, the losses are the same;
where one has a token of several digits that the other writes in several, TRL multiplies the last
token's distribution by the probabilities of those before it, and limbeck compares likelihoods.

    python -m venv peers && peers/bin/pip install trl==1.16.0    # in an environment of its own
    peers/bin/python benchmarks/language_peers.py
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl.experimental.gold.gold_trainer import GOLDTrainer, ULDLoss

from limbeck.core.task import Task
from limbeck.language import CrossTokenizer, TeacherLogits, TokenKD
from limbeck.language.cross_tokenizer.bridge import Bridge
from limbeck.language.models import LanguageModel
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompts import encode
from limbeck.language.samples import TextSamples
from limbeck.language.text_step import text_step
from limbeck.modules.batch import Step, View

TEXT = "the cost is 1234 and 5678 in all, as the cost was 1234. naïve café 1234 5678 the end. "
SETTINGS = {
    "uld_crossentropy_weight": 0.0, "uld_distillation_weight": 1.0, "uld_student_temperature": 1.0,
    "uld_teacher_temperature": 1.0, "uld_skip_student_eos": False, "uld_skip_teacher_eos": False,
    "use_extended_uld": True, "uld_token_merge_strategy": "bayesian", "beta": 0.5,
    "uld_hybrid_matched_weight": None, "uld_hybrid_unmatched_weight": None,
}  # fmt: skip


def bpe(size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE with one end of text."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.train_from_iterator([TEXT] * 3, trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<eos>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    ))  # fmt: skip
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<eos>", pad_token="<eos>")


def model(tokenizer: PreTrainedTokenizerFast, width: int, seed: int) -> LanguageModel:
    """A random Llama."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=2 * width,
        num_hidden_layers=1, num_attention_heads=2, initializer_range=0.3, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    return LanguageModel(LlamaForCausalLM(config).eval(), tokenizer, str(width))


def of_trl(bridge: Bridge, logits: Any, prompt: Any, text: Any, hybrid: bool) -> Any:
    """TRL's loss of one text."""
    loss = ULDLoss(SimpleNamespace(uld_use_hybrid_loss=hybrid, **SETTINGS),
                   bridge.student.tokenizer, bridge.teacher.tokenizer)  # fmt: skip
    one = bridge.aligned(prompt, text)
    sides = []
    own = bridge.ours, one.student_ids, len(prompt)
    for table, ids, start in (own, (bridge.theirs, one.teacher_ids, int(one.teacher[0]) + 1)):
        labels, ends, at = [-100] * start + list(ids[start:]), [[0, 0]] * start, 0
        for token in ids[start:]:
            ends.append([at, at + len(table.table[token])])
            at = ends[-1][1]
        sides.append([torch.tensor([x]) for x in (ids, labels, ends)])
    (ids, labels, ends), (their_ids, their_labels, their_ends) = sides
    with torch.no_grad():
        theirs = bridge.teacher.module(input_ids=their_ids).logits.double()
    return loss(logits, theirs, labels, their_labels, ids, their_ids, ends, their_ends)


def compared(bridge: Bridge, prompt: str, completion: str, method: str) -> tuple[float, ...]:
    """Chunks, tokens, both values a chunk, and the largest difference of gradients."""
    prompts = encode(read_rows([{"prompt": prompt, "completion": completion}]), bridge.student, 40)
    prompts = prompts.followed_by([c[:-1] for c in prompts.completions if c])  # no end of text
    task = Task.of("language", bridge.student.outputs)
    batch = TextSamples(prompts, bridge.student.pad, task).fetch([0])
    logits = bridge.student.module(**batch.inputs).logits.detach().double().requires_grad_()
    step = Step(batch.inputs, batch.labels, View(logits), None, task)
    signal = bridge.signal(step, 0.0, True)
    ours = CrossTokenizer(method, cross_entropy=0.0).cross_loss(text_step(step), signal)
    ours = ours.total / signal.chunks
    theirs = of_trl(bridge, logits, prompts.ids[0], prompts.completions[0], method == "gold")
    grads = [torch.autograd.grad(x, logits)[0] for x in (ours, theirs)]
    return (signal.chunks, int(signal.student.sizes.sum()), ours.item(), theirs.item(),
            float((grads[0] - grads[1]).abs().max() / grads[1].abs().max()))  # fmt: skip


def divergences() -> None:
    """Generalised Jensen-Shannon of one vocabulary."""
    torch.manual_seed(0)
    student, teacher = torch.randn(1, 7, 50).double().requires_grad_(), torch.randn(1, 7, 50)
    teacher = teacher.double()
    for beta in (0.0, 0.3, 0.5, 1.0):
        ours = TokenKD("jsd", beta=beta).loss(student, TeacherLogits(teacher)).mean
        theirs = GOLDTrainer.generalized_jsd_loss(
            student, teacher, labels=torch.zeros(1, 7).long(), beta=beta
        )
        grads = [torch.autograd.grad(x, student)[0] for x in (ours, theirs)]
        print(f"jsd, beta {beta}: {ours.item():.6f}, TRL {theirs.item():.6f}; gradients differ by"
              f" {float((grads[0] - grads[1]).abs().max()):.1e}")  # fmt: skip


if __name__ == "__main__":
    divergences()
    fine, coarse = bpe(290), bpe(320)
    for name, teacher, student in (
        ("fine to coarse", fine, coarse),
        ("coarse to fine", coarse, fine),
    ):
        pair = Bridge(model(teacher, 24, 0), model(student, 16, 1))
        for text in (" the end", " cost was all", " naïve café", " 1234 in all"):
            for method in ("gold", "uld"):
                chunks, tokens, ours, theirs, gap = compared(pair, "the", text, method)
                print(f"{name}, {text!r}, {method}: {tokens} tokens in {chunks} chunks: {ours:.6f},"
                      f" TRL {theirs:.6f}; gradients differ by {gap:.1e}")  # fmt: skip
