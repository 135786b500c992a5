"""SmolLM2-135M into a student of about 30 million weights, which is cut out of it.

The student learns the teacher's next-token distributions (forward KL) on WikiText-2 and on texts
that the teacher writes after beginnings of WikiText-2. The control is the same cut with as many
updates of cross-entropy on the same texts.

    python reproductions/language/smol.py                    # small: the character model, seconds
    python reproductions/language/smol.py --model hf:smollm2 --updates 200 800 --minutes 7 \
        --precision bf16                                     # on a GPU
    python reproductions/language/smol.py --fresh            # a new Llama in place of the cut

Each number of updates is a run of its own, of which table and numbers are kept; none is begun that
would end after the minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from characters import ROOT, teacher
from growing import growing
from minitron import keep
from minitron import pieces as plays
from wiki import PROMPT, blocks, pieces

import limbeck
from limbeck.language import TokenKD
from limbeck.language.generation import TokenSampling, generate
from limbeck.language.models import LanguageModel, read_model
from limbeck.networks import Pruned
from limbeck.networks.pruning.prune import prune

OUT = ROOT / "build" / "reproductions" / "language" / "smol"
CUT = {"layers": 0.6, "width": 0.5, "mlp": 0.5, "heads": 0.67}
FRESH = {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 8,
         "num_attention_heads": 6, "num_key_value_heads": 2}  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="hf:folder; by default the character teacher, on plays")
    parser.add_argument("--fresh", action="store_true", help="a new student, not a cut")
    parser.add_argument("--texts", type=int, help="pieces of WikiText-2; by default all")
    parser.add_argument("--written", type=int, default=1024, help="texts of the teacher")
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=112, help="after the 16 of a prompt")
    parser.add_argument("--rows", type=int, default=32, help="pieces that importance is seen on")
    parser.add_argument("--updates", type=int, nargs="+", default=[20])
    parser.add_argument("--minutes", type=float, help="limit of all updates together")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


def written(big: LanguageModel, beginnings: list[list[int]], tokens: int) -> list[str]:
    """What the teacher writes after beginnings, with them, at temperature 1."""
    began = time.monotonic()
    found = generate(big, beginnings, TokenSampling(tokens, batch_size=512), seed=3)
    whole = [[*a, *b] for a, b in zip(beginnings, found, strict=True) if len(b) > PROMPT]
    print(f"  {len(whole)} texts written in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return big.tokenizer.batch_decode(whole, skip_special_tokens=True)


def student_of(big: LanguageModel, ids: torch.Tensor, fresh: bool) -> LanguageModel:
    """The start: a cut of the teacher by its activations, or a new network with its tokens."""
    if fresh:
        from transformers import LlamaConfig, LlamaForCausalLM

        torch.manual_seed(0)
        config = LlamaConfig(**{**big.module.config.to_dict(), **FRESH, "head_dim": 64})
        module: Any = LlamaForCausalLM(config).to(big.module.device).eval()
        return replace(big, module=module, name=f"{big.name}, fresh")
    shares = {"mlp": 0.5} if big.module.config.num_hidden_layers < 4 else CUT
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    cut = prune(big.module, Pruned(**shares), batch)
    print("\n".join(f"  {line}" for line in cut.notes), file=sys.stderr)
    return replace(big, module=cut.module, name=f"{big.name}, cut")


def main() -> None:
    given, start = arguments(), time.monotonic()
    big = read_model(given.model or f"hf:{teacher()}", "teacher")
    length = PROMPT + given.tokens
    if given.model is None:
        train, test = plays(given.texts or 160)
        ids = torch.tensor([big.tokenizer(t)["input_ids"][:length] for t in train])
    else:
        train, test = pieces(big.tokenizer, length, given.texts, given.test)
        ids = blocks(big.tokenizer, "valid", length, given.texts)
    beginnings = ids[torch.randperm(len(ids), generator=torch.Generator().manual_seed(1))]
    starts = beginnings.repeat(-(-given.written // len(ids)), 1)[: given.written, :PROMPT]
    train += written(big, starts.tolist(), given.tokens)
    small = student_of(big, beginnings[: given.rows], given.fresh)
    print(f"  {big}, {small}, {len(train)} texts", file=sys.stderr, flush=True)
    given.out.mkdir(parents=True, exist_ok=True)

    def run(updates: int) -> None:
        began = time.process_time()
        result = limbeck.distill(
            big, train, into=small, objective=TokenKD(), holdout=(test, None),
            prompt_tokens=PROMPT, max_new_tokens=given.tokens, max_steps=updates,
            batch_size=given.batch_size, lr=given.lr, warmup_ratio=0.1,
            precision=given.precision, judge_batch_size=100,
        )  # fmt: skip
        keep(result, began, f"{small}, {updates} updates", given.out / f"{big.name}-{updates}")

    growing(given.updates, given.minutes, run, start)


if __name__ == "__main__":
    main()
