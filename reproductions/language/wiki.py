"""WikiText-2 as blocks of tokens and as pieces of text, for models of the size of SmolLM2.

The validation text trains here, since the training text is not at hand; the test text is what no
training sees.
"""

from __future__ import annotations

import gzip
from typing import Any

import torch
from characters import DATA

PROMPT = 16  # tokens of a piece that are its prompt


def blocks(tokenizer: Any, part: str, length: int, rows: int | None = None) -> torch.Tensor:
    """The first blocks of a text, one after another: (rows, length) int64.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizer
    part : {"valid", "test"}
    length : int
        Tokens of a block.
    rows : int, optional
        At most; by default all.
    """
    with gzip.open(DATA / "text" / f"wikitext2_{part}.txt.gz", "rt", encoding="utf-8") as file:
        text = file.read() if rows is None else file.read(rows * length * 6)
    ids = torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"])
    return ids[: len(ids) // length * length].view(-1, length)[:rows]


def pieces(tokenizer: Any, length: int, train: int | None, test: int) -> tuple[list[str], ...]:
    """Pieces of text that train, and pieces spread over the test text that begin otherwise.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizer
    length : int
        Tokens of a piece.
    train, test : int or None
        How many; None takes all.
    """
    ours = blocks(tokenizer, "valid", length, train)
    known = {tuple(row[:PROMPT].tolist()) for row in ours}
    theirs = {tuple(r[:PROMPT].tolist()): r for r in blocks(tokenizer, "test", length)}
    new = [row for start, row in theirs.items() if start not in known]
    chosen = torch.linspace(0, len(new) - 1, test).long().tolist()
    texts = (tokenizer.batch_decode(ours), tokenizer.batch_decode([new[i] for i in chosen]))
    return tuple([t for t in dict.fromkeys(some) if t.strip()] for some in texts)
