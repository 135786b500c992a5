"""Every way to a student, from end to end on one device: does it run, and what does it print?

Tiny models that are made here. Each call prints ok with its seconds, or the error and where it was
raised, and goes on with the next; status 1 if one of them fails.

    python benchmarks/gpu_calls.py [--device cuda] [--only hybrid record]
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import nn

import limbeck
from limbeck.language import (
    CrossTokenizer,
    MiniLLM,
    OnPolicy,
    PolicyGradient,
    SequenceKD,
    TokenKD,
)
from limbeck.modules.quantized_tensors import is_quantized
from limbeck.networks import (
    DKD,
    AttentionTransfer,
    BornAgain,
    Callback,
    Contrastive,
    GoldLabels,
    HiddenStates,
    Hybrid,
    Pruned,
    Quantized,
    Relations,
    SoftTargets,
    TeacherCache,
    TeacherCorrect,
)

TEXTS = {
    "max_new_tokens": 8,
    "batch_size": 8,
    "epochs": 1,
    "lr": 3e-3,
    "distinct_n": 2,
    "preflight": "warn",
}  # models that learned nothing: the teacher is no better
KEEPS = ("sampled:20", "top:20", "hidden", "hidden:int8", "full")
CALLS: list[tuple[str, Callable[[Any], str]]] = []


def call(work: Callable[[Any], str]) -> Callable[[Any], str]:
    CALLS.append((work.__name__.replace("_", " "), work))
    return work


def each(name: str, values: Any) -> Callable[[Any], Any]:
    """A call for each value."""

    def told(work: Callable[[Any, Any], str]) -> Any:
        for value in values:
            label = value if isinstance(value, str) else getattr(value, "__name__", str(value))
            CALLS.append((f"{name}: {label}", lambda w, v=value: work(w, v)))
        return work

    return told


class Models:
    """What all calls share: two language models of one tokenizer, one of another, a network."""

    def __init__(self, device: str, folder: Path) -> None:
        self.device, self.folder = device, folder
        self.big, self.small = self._pair()
        self.other = self._bytes()
        draw = random.Random(0)
        self.texts = ["".join(draw.choices("abcdefgh ", k=30)) + "x" for _ in range(60)]
        self.rows = [{"prompt": t[:5] + f"{i:b}".replace("0", "x").replace("1", "y"),
                      "completion": "hello"} for i, t in enumerate(self.texts)]  # fmt: skip
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(400, 3, 8, 8, generator=generator)
        self.y = (self.x[:, 0].mean((1, 2)) > 0).long() + (self.x[:, 1, 0, 0] > 0).long()
        self.net = network(16).eval()

    def _pair(self) -> tuple[str, str]:
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast

        characters = ["<pad>", "<eos>", "<unk>", *"abcdefghijklmnopqrstuvwxyz .,!?"]
        inner = Tokenizer(models.WordLevel({c: i for i, c in enumerate(characters)}, "<unk>"))
        inner.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
        inner.decoder = decoders.Fuse()
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>",
            clean_up_tokenization_spaces=False,
        )  # fmt: skip
        for seed, (name, width, layers) in enumerate([("big", 32, 4), ("small", 16, 2)]):
            self._write(name, width, layers, len(characters), seed, tokenizer)
        return f"hf:{self.folder / 'big'}", f"hf:{self.folder / 'small'}"

    def _bytes(self) -> str:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast

        alphabet = ["<eos>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
        inner = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = decoders.ByteLevel()
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=inner, eos_token="<eos>", pad_token="<eos>"
        )
        self._write("other", 16, 2, len(alphabet), 2, tokenizer)
        return f"hf:{self.folder / 'other'}"

    def _write(self, name: str, width: int, layers: int, size: int, seed: int, tokens: Any) -> None:
        from transformers import LlamaConfig, LlamaForCausalLM

        torch.manual_seed(seed)
        LlamaForCausalLM(
            LlamaConfig(
                vocab_size=size, hidden_size=width, intermediate_size=2 * width,
                num_hidden_layers=layers, num_attention_heads=4, num_key_value_heads=2,
                max_position_embeddings=128, bos_token_id=None, eos_token_id=tokens.eos_token_id,
                pad_token_id=tokens.pad_token_id, initializer_range=0.3,
            )
        ).save_pretrained(self.folder / name)  # fmt: skip
        tokens.save_pretrained(self.folder / name)

    def language(self, into: Any, data: Any = None, teacher: Any = None, **settings: Any) -> Any:
        return limbeck.distill(
            teacher or self.big, self.rows if data is None else data, into=into,
            device=self.device, progress=False, **{**TEXTS, **settings},
        )  # fmt: skip

    def pictures(self, into: Any, **settings: Any) -> Any:
        given = {"epochs": 2, "batch_size": 32, "device": self.device, "progress": False}
        return limbeck.distill(self.net, (self.x, self.y), into=into, **{**given, **settings})

    def new(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))


def network(width: int) -> nn.Module:
    torch.manual_seed(width)
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(4 * width, 2 * width), nn.ReLU(), nn.Linear(2 * width, 3),
    )  # fmt: skip


def student() -> nn.Module:
    return network(8)


def sound(result: Any) -> str:
    """The verdict in short, once weights are finite and the result prints."""
    kept = result.student
    weights = list(getattr(kept, "module", getattr(kept, "model", kept)).parameters())
    plain = [w for w in weights if w.is_floating_point() and not is_quantized(w)]
    if not all(bool(torch.isfinite(w).all()) for w in plain):
        raise ValueError("weights are not finite")
    print(result, file=open("/dev/null", "w"))  # noqa: SIM115
    role = next(e for e in result.comparison.entries if e.role == "student")
    value = float((role.agreement or role.accuracy).value)
    if not math.isfinite(value):
        raise ValueError("agreement is not finite")
    return f"agreement {value:.3f}, weights on {weights[0].device}"


PICTURES: dict[str, dict[str, Any]] = {
    "soft targets": {"objective": SoftTargets(temperature=2) + GoldLabels()},
    "DKD": {"objective": DKD() + GoldLabels()},
    "hidden states": {"objective": SoftTargets() + HiddenStates({"4": "4"})},
    "attention transfer": {"objective": SoftTargets() + AttentionTransfer({"4": "4"})},
    "contrastive": {"objective": SoftTargets() + Contrastive({"4": "4"}, width=8)},
    "relations": {"objective": SoftTargets() + Relations({"4": "4"})},
    "filter": {"filter": TeacherCorrect()},
    "mixup, averaged weights": {"mixup": 0.2, "ema": 0.9},
    "patient": {"recipe": "patient"},
    "born again": {"mode": BornAgain(2)},
    "two seeds": {"seeds": 2},
    "validation": {"validation": 0.2},
    "bf16": {"precision": "bf16"},
    "fp16": {"precision": "fp16"},
}


@each("network", PICTURES)
def _network(models: Models, name: str) -> str:
    return sound(models.pictures(student, **PICTURES[name]))


@call
def teacher_on_the_device(models: Models) -> str:
    """Networks that are there already, and no device= said."""
    net, own = network(16).eval().to(models.device), student().to(models.device)
    result = limbeck.distill(net, (models.x, models.y), into=own, epochs=1, batch_size=32,
                             progress=False)  # fmt: skip
    return sound(result)


@call
def cache(models: Models) -> str:
    held = TeacherCache(models.new())
    held.fill(models.net.to(models.device), limbeck.networks.Samples.of((models.x, models.y)))
    models.net.cpu()
    return f"{len(list(held.folder.iterdir()))} files"


@each("readable", ["tree", "sparse_sum"])
def _readable(models: Models, into: str) -> str:
    """A network on the device teaches a student of a processor."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2)).eval().to(models.device)
    rows = models.x[:, 0, :2].reshape(400, 16).numpy()
    found = limbeck.distill(net, rows, into=into, progress=False)
    return f"{found.student.size} {found.student.size_unit}"


@call
def trim_and_export(models: Models) -> str:
    result = models.pictures(student, out=models.new() / "run")
    where = limbeck.networks.export_network(result.student, models.x[:2], models.new() / "s.onnx")
    return f"{sound(result)}; {where}"


@each("cut of a network", ["activation", "norm", "fisher"])
def _cut(models: Models, importance: str) -> str:
    return sound(models.pictures(Pruned(channels=0.5, importance=importance)))


@call
def cut_of_a_network_that_is_there(models: Models) -> str:
    net = network(16).eval().to(models.device)
    into = Pruned(channels=0.5, importance="fisher")
    return sound(limbeck.distill(net, (models.x, models.y), into=into, epochs=1, batch_size=32,
                                 progress=False))  # fmt: skip


@call
def what_can_be_dropped(models: Models) -> str:
    found = limbeck.ablate(
        models.net, models.x, models.y, into=Pruned(channels=0.5), seeds=1, epochs=1,
        batch_size=32, device=models.device, progress=False,
    )  # fmt: skip
    return f"{len(str(found).splitlines())} lines"


@call
def advice(models: Models) -> str:
    found = limbeck.advise(models.net, (models.x, models.y), into=student, budget="6 s", seeds=2,
                           device=models.device, progress=False)  # fmt: skip
    return f"{len(str(found).splitlines())} lines"


@call
def tuned(models: Models) -> str:
    found = limbeck.tune(
        models.net, (models.x, models.y), into=student, over={"lr": [1e-3, 1e-2]}, trials=2,
        seeds=1, epochs=1, device=models.device, progress=False,
    )  # fmt: skip
    return f"{len(str(found).splitlines())} lines"


@each("rounded network", ["int8", "int4"])
def _rounded(models: Models, weights: str) -> str:
    return sound(models.pictures(Quantized(weights)))


@each("texts", [TokenKD, SequenceKD, OnPolicy, PolicyGradient, MiniLLM])
def _texts(models: Models, kind: Any) -> str:
    return sound(models.language(models.small, objective=kind()))


@each("own and real texts", ["fp32", "bf16", "fp16"])
def _precisions(models: Models, precision: str) -> str:
    return sound(models.language(models.small, objective=OnPolicy(share=0.5), precision=precision))


@each("another tokenizer", ["alm", "uld", "gold"])
def _tokenizers(models: Models, method: str) -> str:
    return sound(models.language(models.other, objective=CrossTokenizer(method)))


@call
def another_tokenizer_own_texts_bf16(models: Models) -> str:
    objective = CrossTokenizer("gold", share=0.5)
    return sound(models.language(models.other, objective=objective, precision="bf16"))


@each("recorded", KEEPS)
def _recorded(models: Models, keep: str) -> str:
    folder = models.new() / "logits"
    limbeck.language.record(models.big, models.texts, folder, keep=keep, device=models.device,
                            prompt_tokens=8, max_new_tokens=12, progress=False)  # fmt: skip
    found = limbeck.distill(folder, into=models.small, objective=TokenKD(), device=models.device,
                            progress=False, **TEXTS)  # fmt: skip
    return sound(found)


@call
def low_rank(models: Models) -> str:
    return sound(models.language(models.small, objective=TokenKD(), lora=4, precision="bf16"))


@call
def texts_from_disk(models: Models) -> str:
    import json

    path = models.new() / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in models.rows))
    return sound(models.language(models.small, str(path), out=models.new() / "run"))


@each("cut of a language model", ["fp32", "bf16"])
def _cut_texts(models: Models, precision: str) -> str:
    into = Pruned(size=0.6)
    return sound(models.language(into, models.texts, precision=precision))


@each("rounded language model", ["int8", "int4"])
def _rounded_texts(models: Models, weights: str) -> str:
    return sound(models.language(Quantized(weights, 4), models.texts))


@each("hybrid", ["gated_recurrence", "gated_delta", "linear_attention"])
def _hybrid(models: Models, mixer: str) -> str:
    result = limbeck.distill(
        models.big, models.texts, into=Hybrid(keep=0.5, mixer=mixer), device=models.device,
        stages=["mixers", "blocks", "logits"], steps=3, length=16, batch_size=4, recall=[32],
        progress=False,
    )  # fmt: skip
    wrote = result.student.generate(["abc", "hello"], max_new_tokens=4, do_sample=False)
    again = limbeck.load(result.save(models.new() / "run"))
    return f"{sound(result)}; {len(wrote)} texts, loaded on {again.student.model.device}"


@call
def hybrid_with_preferences(models: Models) -> str:
    pairs = [(a[:8], a[8:16], b[8:16]) for a, b in zip(models.texts[:40], models.texts[1:41],
                                                       strict=True)]  # fmt: skip
    result = limbeck.distill(
        models.big, models.texts, into=Hybrid(keep=0.5), device=models.device, length=16,
        stages=["logits", "preferences"], steps=3, batch_size=4, preferences=pairs, beta=0.1,
        progress=False,
    )  # fmt: skip
    return sound(result)


@call
def layers_that_keep_attention(models: Models) -> str:
    found = limbeck.networks.convert_plan(
        models.big, models.texts, steps=2, length=16, seeds=1, batch_size=4, device=models.device,
        progress=False,
    )  # fmt: skip
    return f"{len(str(found).splitlines())} lines"


@call
def encoder_with_two_scans(models: Models) -> str:
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    bert = BertForSequenceClassification(
        BertConfig(vocab_size=40, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                   intermediate_size=64)
    ).eval().to(models.device)  # fmt: skip
    ids, mask = torch.randint(1, 40, (120, 12)), torch.ones(120, 12, dtype=torch.long)
    with torch.no_grad():
        labels = bert(ids.to(models.device), mask.to(models.device)).logits.argmax(-1).cpu()
    data = [{"input_ids": i, "attention_mask": m, "labels": int(y)}
            for i, m, y in zip(ids, mask, labels, strict=True)]  # fmt: skip
    batch = {"input_ids": ids[:16].to(models.device), "attention_mask": mask[:16].to(models.device)}
    half = limbeck.networks.recurrent_encoder(bert, Hybrid(keep=0.5), inputs=batch)
    result = limbeck.distill(bert, data, into=half, max_steps=4, device=models.device,
                             progress=False)  # fmt: skip
    return sound(result)


@call
def speculation(models: Models) -> str:
    from limbeck.language.models import read_model
    from limbeck.language.speculative import speculate

    pair = [read_model(m, "m", None, models.device) for m in (models.big, models.small)]
    found = speculate(pair[0], pair[1], [[5, 6], [7, 8, 9]], 12, draft=3)
    return f"{sum(f.accepted for f in found)} of {sum(f.drafted for f in found)} accepted"


@call
def saved_verified_loaded(models: Models) -> str:
    result = models.language(models.small, objective=TokenKD(), out=models.new() / "run")
    folder = result.save(models.new() / "again")
    found = limbeck.language.verify(folder, models.big, device=models.device)
    limbeck.load(folder)
    return str(found).splitlines()[0]


class Stopped(Callback):
    """Ends a training as a killed process would."""

    def on_step_end(self, state: Any) -> None:
        if state.step == 3:
            raise KeyboardInterrupt


@each("killed and resumed", ["network", "texts", "own texts", "hybrid"])
def _resumed(models: Models, kind: str) -> str:
    def run(**given: Any) -> Any:
        if kind == "network":
            return models.pictures(student, **given)
        if kind == "hybrid":
            return limbeck.distill(
                models.big, models.texts, into=Hybrid(keep=0.5), device=models.device, steps=5,
                length=16, batch_size=4, progress=False, **given,
            )  # fmt: skip
        objective = TokenKD() if kind == "texts" else OnPolicy(share=0.8, replay=0.3)
        return models.language(models.small, objective=objective, **given)

    whole, broken = run(), {"out": models.new() / "run", "checkpoint_every": 1}
    with suppress(KeyboardInterrupt):
        run(callbacks=[Stopped()], **broken)
    gone_on = run(**broken)
    kept = [getattr(r.student, "module", getattr(r.student, "model", r.student))
            for r in (whole, gone_on)]  # fmt: skip
    apart = max(
        float((p.detach().cpu() - q.detach().cpu()).abs().max())
        for p, q in zip(kept[0].parameters(), kept[1].parameters(), strict=True)
    )
    return f"weights apart from a run that was not stopped: {apart:.2g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--only", nargs="*", help="calls whose names hold one of these")
    given = parser.parse_args()
    card = torch.cuda.get_device_name() if given.device != "cpu" else "CPU"
    print(f"{card}, torch {torch.__version__}", flush=True)
    failed = []
    with tempfile.TemporaryDirectory() as place:
        models = Models(given.device, Path(place))
        for name, work in CALLS:
            if given.only and not any(part in name for part in given.only):
                continue
            began = time.perf_counter()
            try:
                said, mark = work(models), "ok"
            except Exception as error:  # the next call goes on
                failed.append(name)
                frames = list(traceback.extract_tb(error.__traceback__))
                at = "\n      ".join(f"{f.filename[-60:]}:{f.lineno} {f.line}" for f in frames[-6:])
                said, mark = f"{type(error).__name__}: {str(error)[:400]}\n      {at}", "FAILS"
            print(f"{mark:5s} {name:36s} {time.perf_counter() - began:5.1f} s  {said}", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else "every call ran")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
