"""Language models: a step of token distillation, its memory, recording, and training from disk.

Each figure stands beside the plain way in the same run: a loop by hand, the loss with all logits at
once, the teacher's forward pass, cross-entropy of the student alone. Seconds are those of the
processor; the medians of alternating repeats are compared.

    python benchmarks/language.py                       # random models
    python benchmarks/language.py --teacher hf:FOLDER   # recording with a model of your own
    python benchmarks/language.py --large token         # a run of 8 x 2,048 x 151,936 logits
    python benchmarks/language.py --large token gold uld --device cuda
"""

from __future__ import annotations

import argparse
import copy
import random
import resource
import shutil
import string
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import limbeck
from limbeck.core.task import Task
from limbeck.language import CrossTokenizer, LMHead, TeacherHidden, TeacherLogits, TokenKD
from limbeck.language.cross_tokenizer.bridge import Bridge
from limbeck.language.cross_tokenizer.judge import cross_scores
from limbeck.language.models import LanguageModel, read_model
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompt_scores import score_texts
from limbeck.language.prompts import Prompts, encode
from limbeck.language.samples import TextSamples
from limbeck.language.training_loss import TextLoss
from limbeck.networks.conversion.speed import clock
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import train


def llama(width: int, layers: int, vocabulary: int, context: int = 1024) -> Any:
    """A random Llama."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=width * 8 // 3,
        num_hidden_layers=layers, num_attention_heads=4, max_position_embeddings=context,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def compared(repeats: int, *ways: Callable[[], Any]) -> list[float]:
    """Median processor seconds of each, taken in turns after a first round."""
    spent: list[list[float]] = [[] for _ in ways]
    for turn in range(repeats + 1):
        for way, found in zip(ways, spent, strict=True):
            before = time.process_time()
            way()
            if turn:
                found.append(time.process_time() - before)
    return [median(found) for found in spent]


def step(repeats: int, vocabulary: int) -> None:
    """A step of token distillation on a Llama of two layers, against a loop by hand."""
    teacher, student = llama(256, 2, vocabulary).eval(), llama(128, 2, vocabulary).train()
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4)
    ids = torch.randint(vocabulary, (4, 128))

    def updated(loss: Callable[[Any, Any], Any]) -> None:
        with torch.no_grad():
            theirs = teacher(input_ids=ids).logits
        optimizer.zero_grad(set_to_none=True)
        loss(student(input_ids=ids).logits, theirs).backward()
        optimizer.step()

    def by_hand(mine: Any, theirs: Any) -> Any:
        log_q, log_p = F.log_softmax(mine, -1), F.log_softmax(theirs, -1)
        kl = F.kl_div(log_q, log_p, reduction="none", log_target=True)
        return kl.sum() / mine[..., 0].numel()

    ours, hand = compared(
        repeats,
        lambda: updated(lambda s, t: TokenKD().loss(s, TeacherLogits(t)).mean),
        lambda: updated(by_hand),
    )
    print(f"step, vocabulary {vocabulary:,}: {ours / hand:.2f}x a loop by hand ({hand:.2f} s)")


class Texts:
    """A training of the library, and the same updates by hand, on the same random texts."""

    def __init__(self, vocabulary: int, rows: int = 4, length: int = 128) -> None:
        self.teacher = llama(256, 2, vocabulary).eval()
        self.student = llama(128, 2, vocabulary).train()
        self.task, self.rows = Task.of("language", vocabulary), rows
        self.ids = torch.randint(vocabulary, (rows, length))

    def trained(self, updates: int) -> None:
        """By `limbeck.networks.training`, as `limbeck.distill` calls it."""
        texts = tuple(map(tuple, self.ids.tolist()))
        blank = ("",) * self.rows
        prompts = Prompts(blank, tuple(t[:1] for t in texts), tuple(t[1:] for t in texts), blank)
        settings = Training(epochs=updates, batch_size=self.rows, lr=1e-4)
        train(self.student, TextSamples(prompts, 0, self.task), TextLoss(TokenKD()), self.task,
              training=settings, teacher=self.teacher)  # fmt: skip

    def by_hand(self, updates: int) -> None:
        """Logits of both, log-softmax, kl_div, AdamW."""
        student = copy.deepcopy(self.student)
        optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4)
        mask = torch.ones_like(self.ids)
        for _ in range(updates):
            with torch.no_grad():
                theirs = self.teacher(input_ids=self.ids, attention_mask=mask).logits[:, :-1]
            mine = student(input_ids=self.ids, attention_mask=mask).logits[:, :-1]
            log_q, log_p = F.log_softmax(mine, -1), F.log_softmax(theirs, -1)
            kl = F.kl_div(log_q, log_p, reduction="none", log_target=True)
            optimizer.zero_grad(set_to_none=True)
            (kl.sum() / mine[..., 0].numel()).backward()
            optimizer.step()


def loop(repeats: int, vocabulary: int, updates: int) -> None:
    """An update of a whole training, against one by hand: both of long less short runs."""
    texts = Texts(vocabulary)
    short, long, hand_short, hand_long = compared(
        repeats,
        *(lambda n=n: texts.trained(n) for n in (2, 2 + updates)),
        *(lambda n=n: texts.by_hand(n) for n in (2, 2 + updates)),
    )
    ours, hand = (long - short) / updates, (hand_long - hand_short) / updates
    print(f"update of a training, vocabulary {vocabulary:,}: {ours / hand:.2f}x a loop by hand"
          f" ({hand:.3f} s)")  # fmt: skip
    if vocabulary > 10_000:
        most = [peak(lambda way=way: way(2)) for way in (texts.trained, texts.by_hand)]
        print(f"the most memory of two updates, optimizer and all: {most[0] / most[1]:.2f}x"
              f" ({most[0] / 1e6:,.0f} MB, by hand {most[1] / 1e6:,.0f} MB)")  # fmt: skip


def memory(vocabulary: int, tokens: int = 512, width: int = 128) -> None:
    """The most bytes that the loss and its gradient hold, against the loss with all logits."""
    states = torch.randn(tokens, width)
    weight = torch.randn(vocabulary, width) / width**0.5
    theirs = torch.randn(tokens, width)

    def unchunked() -> None:
        s, w = states.clone().requires_grad_(), weight.clone().requires_grad_()
        log_q = F.log_softmax(F.linear(s, w), -1)
        log_p = F.log_softmax(F.linear(theirs, weight), -1)
        F.kl_div(log_q, log_p, reduction="sum", log_target=True).backward()

    def from_logits() -> None:
        s, w = states.clone().requires_grad_(), weight.clone().requires_grad_()
        logits = F.linear(theirs, weight)
        TokenKD().loss(F.linear(s, w), TeacherLogits(logits)).total.backward()

    def from_states() -> None:
        s, w = states.clone().requires_grad_(), weight.clone().requires_grad_()
        TokenKD().loss(LMHead(s, w), TeacherHidden(LMHead(theirs, weight))).total.backward()

    whole, some, none = (peak(way) for way in (unchunked, from_logits, from_states))
    print(
        f"memory, {tokens} tokens, vocabulary {vocabulary:,}: {some / whole:.2f}x from logits,"
        f" {none / whole:.2f}x from hidden states (unchunked: {whole / 1e6:,.0f} MB)"
    )


def peak(way: Callable[[], None]) -> int:
    """The most bytes of tensors at a time, as the profiler counts allocations."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        way()
    now = most = 0
    for event in sorted(found.profiler.kineto_results.events(), key=lambda e: e.start_ns()):
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return most


def letters(vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE that knows words of up to four letters, until the vocabulary is full."""
    alphabet = [*sorted(set(ByteLevel.alphabet()))]
    words, merges, last = ["<end>", *alphabet], [], [*string.ascii_lowercase]
    while last and len(words) < vocabulary:
        pairs = [(w, c) for w in last for c in string.ascii_lowercase][: vocabulary - len(words)]
        merges, last = merges + pairs, [w + c for w, c in pairs]
        words += last
    inner = Tokenizer(BPE({w: i for i, w in enumerate(words)}, merges))
    inner.pre_tokenizer, inner.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", pad_token="<end>")


def large(
    name: str, device: str, texts: int = 8, length: int = 2_048, vocabulary: int = 151_936
) -> None:
    """Updates and the judging of texts whose logits would take 10 GB, in less address space."""
    whole = 4 * texts * length * vocabulary
    forget(device)
    if device == "cpu":
        room = max(whole, 10 << 30)
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
    objective: Any = TokenKD() if name == "token" else CrossTokenizer(name)
    cross = isinstance(objective, CrossTokenizer)
    teacher, student = (
        LanguageModel(llama(64, 1, vocabulary, context=length).to(device), letters(size), role)
        for role, size in (("big", vocabulary), ("small", vocabulary - 10_000 * cross))
    )
    prompts = words(student, texts, length)
    tokens = sum(map(len, prompts.completions))
    print(f"{texts} texts, {tokens:,} tokens, vocabulary {vocabulary:,}: logits of one model"
          f" {whole / 1e9:.1f} GB; before {highest(device):.2f} GB", flush=True)  # fmt: skip
    bridge = Bridge(teacher, student) if cross else None
    task = Task.of("language", vocabulary if bridge is None else len(bridge.ours.table))

    def updated(updates: int) -> float:
        """Seconds of so many updates, with all that is done before the first."""
        began = clock(torch.device(device))
        train(student.module, TextSamples(prompts, 0, task), TextLoss(objective, bridge=bridge),
              task, training=Training(epochs=updates, batch_size=texts, device=device),
              teacher=None if cross else teacher.module)  # fmt: skip
        return clock(torch.device(device)) - began

    first = updated(1)
    each = "" if device == "cpu" else f", {(updated(6) - updated(1)) / 5:.2f} s each after it"
    print(f"an update with {objective}: at most {highest(device):.2f} GB, {first:.1f} s{each}",
          flush=True)  # fmt: skip
    forget(device)
    given = (prompts.ids, [list(c) for c in prompts.completions])
    began = clock(torch.device(device))
    if bridge is None:
        score_texts(teacher, student, *given)
    else:
        cross_scores(bridge, student, *given, "other")
    spent = clock(torch.device(device)) - began
    print(f"judging: at most {highest(device):.2f} GB, {spent:.1f} s", flush=True)
    if device != "cpu" and not cross:
        at_once(teacher.module, student.module, prompts, device)


def at_once(teacher: Any, student: Any, prompts: Prompts, device: str) -> None:
    """The same update by hand, with all logits of both models at once, where it has the room."""
    rows = [[*p, *c] for p, c in zip(prompts.ids, prompts.completions, strict=True)]
    most = min(map(len, rows))
    ids = torch.tensor([row[:most] for row in rows], device=device)
    optimizer, times = torch.optim.AdamW(student.parameters(), lr=1e-4), []
    forget(device)
    try:
        for _ in range(4):
            began = clock(torch.device(device))
            with torch.no_grad():
                theirs = teacher(input_ids=ids).logits[:, :-1]
            log_q = F.log_softmax(student(input_ids=ids).logits[:, :-1], -1)
            log_p = F.log_softmax(theirs, -1)
            kl = F.kl_div(log_q, log_p, reduction="none", log_target=True)
            optimizer.zero_grad(set_to_none=True)
            (kl.sum() / log_q[..., 0].numel()).backward()
            optimizer.step()
            times.append(clock(torch.device(device)) - began)
    except torch.OutOfMemoryError:
        print("by hand, all logits at once: out of memory", flush=True)
    else:
        print(f"by hand, all logits at once: at most {highest(device):.2f} GB,"
              f" {min(times[1:]):.2f} s each", flush=True)  # fmt: skip


def words(student: LanguageModel, texts: int, length: int) -> Prompts:
    """Texts of words of three random letters, each of so many tokens."""
    draw = random.Random(0)
    every = ["".join(draw.choices(string.ascii_lowercase, k=3)) for _ in range(texts * length // 2)]
    rows = [" ".join(every[i::texts]) for i in range(texts)]
    return encode(read_rows(rows), student, length, prompt_tokens=1, reserve=False)


def highest(device: str) -> float:
    """The most memory that this process held so far, on a GPU that of its tensors there, in GB."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def forget(device: str) -> None:
    """Count the most memory of a GPU anew from here."""
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats(device)


def recording(model: LanguageModel, repeats: int, rows: int, length: int) -> None:
    """Recording against the forward pass alone, and bytes a token."""
    generator = torch.Generator().manual_seed(0)
    size = len(model.tokenizer)
    texts = [
        model.tokenizer.decode(torch.randint(size, (length,), generator=generator))
        for _ in range(rows)
    ]
    read = [model.tokenizer(text)["input_ids"][: length + 1] for text in texts]
    tokens = sum(len(ids) - 1 for ids in read)

    @torch.inference_mode()
    def plain() -> None:
        for ids in read:
            model.module(input_ids=torch.tensor([ids]), use_cache=False)

    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "logits"
        for keep in ("sampled:50", "top:32", "hidden"):

            def written(keep: str = keep) -> None:
                shutil.rmtree(out, ignore_errors=True)
                limbeck.language.record(
                    model, texts, out, keep=keep, max_new_tokens=length, batch_size=1
                )

            hand, ours = compared(repeats, plain, written)
            size = limbeck.language.RecordedLogits.open(out).bytes_per_token
            print(f"recording {keep}: {hand / ours:.0%} of {tokens / hand:,.0f} tokens a second,"
                  f" {size:.1f} bytes a token")  # fmt: skip


def from_disk(model: LanguageModel, repeats: int, rows: int, length: int) -> None:
    """A step from sampled tokens on disk, against cross-entropy of the student alone."""
    student = llama(128, 2, model.outputs).train()
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(len(model.tokenizer), (rows, length), generator=generator)
    texts = [model.tokenizer.decode(ids) for ids in drawn]
    with tempfile.TemporaryDirectory() as place:
        recorded = limbeck.language.record(model, texts, place, max_new_tokens=length)
        parts = [torch.tensor([*p, *c]) for p, c in map(recorded.tokens, range(rows))]
        ids = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)
        places, every = ids.shape[1] - 1, list(range(rows))
        counts = recorded.counts(every, places)

        def stepped(loss: Callable[[Any], Any]) -> None:
            optimizer.zero_grad(set_to_none=True)
            loss(student(input_ids=ids).logits[:, :-1]).backward()
            optimizer.step()

        ours, alone = compared(
            repeats,
            lambda: stepped(
                lambda s: TokenKD().loss(s, recorded.signal(every, places), counts).mean
            ),
            lambda: stepped(lambda s: F.cross_entropy(s[counts], ids[:, 1:][counts])),
        )
    print(f"training from disk: {ours / alone:.2f}x cross-entropy alone ({alone:.2f} s)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--teacher", metavar="FOLDER")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", choices=["token", "alm", "uld", "gold"], nargs="+")
    parser.add_argument("--device", default="cpu", help="of --large")
    parser.add_argument("--texts", type=int, default=8, help="of --large")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.large:
        for name in given.large:
            large(name, given.device, given.texts)
        raise SystemExit
    step(given.repeats, 1024)
    step(given.repeats, 49_152)
    memory(49_152)
    loop(given.repeats, 1024, 20)
    loop(given.repeats, 49_152, 4)
    if given.teacher:
        model = read_model(given.teacher, "teacher")
        recording(model, given.repeats, 8, 256)
        from_disk(model, given.repeats, 4, 96)
