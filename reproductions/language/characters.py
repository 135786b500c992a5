"""The character teacher: a small Llama that writes like Shakespeare, for CPU-sized experiments.

Two layers of width 128 with 4 heads (410 thousand weights) over the 65 characters of tiny
Shakespeare, trained for 1,200 steps of 24 x 128 characters: about four minutes of one core, after
which it needs 1.64 nats a character. It is kept as a folder that transformers opens.

    python reproductions/language/characters.py            # train it, or say where it lies
"""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path
from typing import Any

import torch

os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "reproductions"))  # for what all of them share
DATA = Path(os.environ.get("LIMBECK_DATA", ROOT.parent / "shared" / "data"))
FOLDER = Path(
    os.environ.get(
        "LIMBECK_CHARACTERS", ROOT / "build" / "reproductions" / "language" / "character"
    )
)
STEPS, ROWS, LENGTH, RATE = 1_200, 24, 128, 3e-3


def shakespeare() -> tuple[str, str]:
    """All plays but the last tenth, and the last tenth, which no model here is trained on."""
    with gzip.open(DATA / "text" / "tiny_shakespeare.txt.gz", "rt", encoding="utf-8") as file:
        text = file.read()
    cut = len(text) * 9 // 10
    return text[:cut], text[cut:]


def tokenizer() -> Any:
    """One token a character, in the order of their code points; no mark of beginning or end."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    characters = sorted(set("".join(shakespeare())))
    inner = Tokenizer(models.WordLevel({c: i for i, c in enumerate(characters)}, unk_token="\n"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    inner.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="\n", clean_up_tokenization_spaces=False
    )


def llama(layers: int = 2, width: int = 128, heads: int = 4, vocabulary: int = 65) -> Any:
    """An untrained Llama of this size; the weights follow torch's seed."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary, hidden_size=width, intermediate_size=width * 8 // 3,
            num_hidden_layers=layers, num_attention_heads=heads, max_position_embeddings=4096,
            bos_token_id=None, eos_token_id=None, pad_token_id=0, tie_word_embeddings=False,
        )
    )  # fmt: skip


def windows(ids: torch.Tensor, rows: int, length: int, seed: int) -> torch.Tensor:
    """So many stretches of text, drawn at random: (rows, length) int64."""
    generator = torch.Generator().manual_seed(seed)
    starts = torch.randint(len(ids) - length, (rows,), generator=generator)
    return torch.stack([ids[s : s + length] for s in starts])


def encoded(text: str) -> torch.Tensor:
    """Ids of a long text, shape (n,)."""
    place = {c: i for i, c in enumerate(sorted(set("".join(shakespeare()))))}
    return torch.tensor([place[c] for c in text])


def nats(model: Any, ids: torch.Tensor, length: int = LENGTH) -> float:
    """Mean cross-entropy of the next character, over the text cut into pieces."""
    pieces = ids[: len(ids) // length * length].view(-1, length)
    model.eval()
    with torch.no_grad():
        losses = [float(model(input_ids=p, labels=p).loss) * len(p) for p in pieces.split(32)]
    return sum(losses) / len(pieces)


def trained(
    steps: int = STEPS, seed: int = 0, rows: int = ROWS, length: int = LENGTH, **size: int
) -> Any:
    """The teacher, or a Llama of another size, from nothing."""
    torch.manual_seed(seed)
    model, ids = llama(**size), encoded(shakespeare()[0])
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    model.train()
    for step in range(steps):
        batch = windows(ids, rows, length, seed * 1_000_003 + step)
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            print(
                f"  step {step + 1}/{steps}: {float(loss.detach()):.3f}",
                file=sys.stderr,
                flush=True,
            )
    return model.eval()


def teacher(folder: Path = FOLDER, **training: int) -> Path:
    """The folder of the teacher, trained first where there is none, as `trained` is told."""
    if not (folder / "model.safetensors").is_file():
        model, partial = trained(**training), folder.with_name(folder.name + ".part")
        model.save_pretrained(partial)
        tokenizer().save_pretrained(partial)
        partial.replace(folder)
    return folder


if __name__ == "__main__":
    from transformers import AutoModelForCausalLM

    place = teacher()
    valid = encoded(shakespeare()[1])
    print(place)
    print(f"{nats(AutoModelForCausalLM.from_pretrained(place), valid):.3f} nats a character")
