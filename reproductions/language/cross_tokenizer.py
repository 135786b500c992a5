"""A student with another tokenizer than its teacher's: ALM, ULD and GOLD beside their control.

All arms have the same random start, texts, order and updates; the control learns by cross-entropy.
Judged on prompts that no training saw, by chunks between boundaries that both tokenizers share.

    python reproductions/language/cross_tokenizer.py              # small: one method, one seed
    python reproductions/language/cross_tokenizer.py --full       # all methods, three seeds
    python reproductions/language/cross_tokenizer.py --full --bytes    # into a student of bytes
    python reproductions/language/cross_tokenizer.py --smol smollm2/  # on WikiText-2

The teacher is the character teacher of `characters.py` (65 characters), and the student's tokenizer
is trained on the plays: 512 subwords, or bytes. With ``--smol`` the teacher is a folder of
SmolLM2-135M-Instruct (49,152 tokens), and the student has wordllama's Llama-2 tokenizer (32,000)
where that package is installed, else 2,048 subwords trained on WikiText-2.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

import torch
from characters import ROOT, shakespeare, teacher
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from wiki import pieces as wiki_pieces

import limbeck
from limbeck.language import CrossTokenizer

OUT = ROOT / "build" / "reproductions" / "language" / "cross_tokenizer"
METHODS = {
    "ALM": CrossTokenizer("alm"),
    "ALM, chunks as they come": CrossTokenizer("alm", bias_threshold=0.0),
    "ULD, with CE": CrossTokenizer("uld"),
    "GOLD": CrossTokenizer("gold"),
    "GOLD, with CE": CrossTokenizer("gold", cross_entropy=1.0),
}
_COLUMNS = ("own_overlap", "teacher_overlap", "real_overlap", "forward_kl", "cross_entropy")


def subwords(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE with one end of text."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<eos>"], initial_alphabet=alphabet, show_progress=False,
    ))  # fmt: skip
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<eos>", pad_token="<eos>")


def llama_2() -> PreTrainedTokenizerFast | None:
    """The tokenizer that wordllama ships, read from its file; None where it is not installed."""
    found = importlib.util.find_spec("wordllama")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "tokenizers" / "l2_supercat_tokenizer_config.json"
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(path)), bos_token="<s>", eos_token="</s>",
        unk_token="<unk>", pad_token="</s>",
    )  # fmt: skip


def start(tokenizer: PreTrainedTokenizerFast, width: int, layers: int, folder: Path) -> str:
    """A student of random weights, as hf:folder."""
    torch.manual_seed(0)
    end = tokenizer.eos_token_id
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=2 * width,
        num_hidden_layers=layers, num_attention_heads=4, num_key_value_heads=4,
        max_position_embeddings=512, bos_token_id=None, eos_token_id=end, pad_token_id=end,
        tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return f"hf:{folder}"


def stretches(n: int, length: int) -> tuple[list[str], list[str]]:
    """Pieces of plays that train, and of plays that no model saw."""
    train, test = shakespeare()
    step, other = len(train) // n, len(test) // max(n // 5, 40)
    return (
        [train[i * step : i * step + length] for i in range(n)],
        [test[i * other : i * other + length] for i in range(max(n // 5, 40))],
    )


def row(name: str, result: Any, role: str, seconds: float | None) -> str:
    """One line of the table."""
    facts = result.facts[role].measured
    cells = [f"{facts[c].value:.3f}" for c in _COLUMNS]
    if role == "student":
        for i, d in zip((0, 1, 2, 3), result.comparison.differences, strict=False):
            star = "*" if d.low > 0 or d.high < 0 else ""
            sign = -1 if i == 3 else 1  # coverage is minus the divergence
            low, high = sorted((sign * d.low, sign * d.high))
            cells[i] += f"{star} [{low:+.3f}, {high:+.3f}]"
    spent = "" if seconds is None else f"{seconds:.0f}"
    return f"| {name} | " + " | ".join(cells) + f" | {spent} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--bytes", action="store_true")
    parser.add_argument("--smol", metavar="FOLDER")
    parser.add_argument("--methods", nargs="+", choices=METHODS)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--texts", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--prompts", type=int, default=40, help="judged, with --smol")
    given = parser.parse_args()
    seeds = given.seeds or (3 if given.full else 1)
    texts = given.texts or (1_500 if given.full else 150)
    epochs = given.epochs or (4 if given.full else 1)
    methods = given.methods or (list(METHODS) if given.full else ["ALM"])
    if given.smol:
        own = AutoTokenizer.from_pretrained(given.smol)
        train, test = wiki_pieces(own, 64, texts, given.prompts)
        tokenizer = llama_2() or subwords(train, 2_048)
        big, width, layers, prompt, most = f"hf:{given.smol}", 64, 2, 16, 48
    else:
        train, test = stretches(texts, 90)
        tokenizer = subwords(train, 257 if given.bytes else 512)
        big, width, layers = f"hf:{teacher()}", 48, 1
        prompt, most = (24, 66) if given.bytes else (10, 40)
    small = start(tokenizer, width, layers, OUT / ("bytes" if given.bytes else "subwords"))
    print(f"{len(tokenizer):,} tokens of the student; {len(train):,} texts, {epochs} epochs,"
          f" {seeds} seeds; torch {torch.__version__}, limbeck {limbeck.__version__}",
          file=sys.stderr)  # fmt: skip
    print("| arm | own texts | teacher's texts | real texts | KL(t‖s) | CE, real texts | CPU-s |")
    print("|---|---|---|---|---|---|---|")
    for i, name in enumerate(methods):
        began = time.process_time()
        result = limbeck.distill(
            big, train, into=small, test=test, objective=METHODS[name], prompt_tokens=prompt,
            max_new_tokens=most, epochs=epochs, lr=3e-3, seeds=seeds, progress=False,
        )  # fmt: skip
        if not i:
            for role in ("teacher", "start", "control"):
                print(row(role, result, role, None), flush=True)
            print(result.certificate.statement, file=sys.stderr)
        print(row(name, result, "student", time.process_time() - began), flush=True)


if __name__ == "__main__":
    main()
