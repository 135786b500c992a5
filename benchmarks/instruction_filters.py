"""Self-Instruct's filters on 10,000 instructions: processor seconds, and what comparing all takes.

    python benchmarks/instruction_filters.py [--instructions 10000] [--peer]

Instructions: sentences of SST-2 (real English; few are alike), and instructions made of the
published seeds by exchanging words (many share their frame, which is the hard case for the bound).
Each is offered to the pool in turn, as in a run: filters of words, then the nearest of all seeds
and kept instructions by ROUGE-L, exactly. Beside it the same answers by the table of the dynamic
program for every pair, timed on a part and scaled by the number of pairs; with --peer also by the
package rouge-score, which the published code calls for each pair.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from limbeck.language.generated.instruction_filters import InstructionFilters
from limbeck.language.generated.near_duplicates import near_duplicates
from limbeck.language.generated.pool import InstructionPool
from limbeck.language.generated.rouge import rouge_tokens
from limbeck.language.generated.seeds import read_seeds
from limbeck.language.generated.tasks import SeedTask
from limbeck.language.generated.writing_log import WritingLog

DATA = Path(os.environ.get("LIMBECK_DATA", Path(__file__).parents[2] / "shared" / "data"))


class Nobody:
    """A writer that is never asked."""

    name, continues = "nobody", True


def sentences(n: int) -> list[str]:
    import pandas as pd

    found = pd.read_parquet(DATA / "text" / "sst2.parquet")["sentence"].tolist()
    rng = random.Random(0)
    while len(found) < n:  # the rest: two halves of different sentences
        a, b = rng.choice(found[:9000]).split(), rng.choice(found[:9000]).split()
        found.append(" ".join(a[: len(a) // 2] + b[len(b) // 2 :]))
    return found[:n]


def framed(seeds: Sequence[SeedTask], n: int) -> list[str]:
    """Seeds in which one word of three is exchanged for a word of another seed."""
    rng = random.Random(1)
    words = [w for seed in seeds for w in seed.instruction.split()]
    out = []
    for _ in range(n):
        own = rng.choice(seeds).instruction.split()
        out.append(" ".join(rng.choice(words) if rng.random() < 1 / 3 else w for w in own))
    return out


def offered(texts: Sequence[str], seeds: Sequence[SeedTask]) -> tuple[float, InstructionPool]:
    start = time.process_time()
    pool = InstructionPool(seeds, InstructionFilters(), WritingLog(Nobody()))  # type: ignore[arg-type]
    for text in texts:
        pool.offer(text, (), 0)
    return time.process_time() - start, pool


def by_table(a: list[str], b: list[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b):
            before, row[j + 1] = row[j + 1], before + 1 if x == y else max(row[j], row[j + 1])
    return row[-1]


def seconds_a_pair(texts: Sequence[str], compare: Callable[[str, str], object]) -> float:
    rng = random.Random(2)
    pairs = [(rng.choice(texts), rng.choice(texts)) for _ in range(2_000)]
    start = time.process_time()
    for a, b in pairs:
        compare(a, b)
    return (time.process_time() - start) / len(pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instructions", type=int, default=10_000)
    parser.add_argument("--peer", action="store_true", help="also the package rouge-score")
    args = parser.parse_args()
    seeds = read_seeds(DATA / "text" / "self_instruct_seed_tasks.jsonl.gz")
    head = "| instructions | kept | filters, CPU s | MinHash, CPU s | pairs | table, CPU s |"
    print(head + (" rouge-score, CPU s |" if args.peer else ""))
    for name, texts in (
        ("sentences of SST-2", sentences(args.instructions)),
        ("seeds with words exchanged", framed(seeds, args.instructions)),
    ):
        spent, pool = offered(texts, seeds)
        start = time.process_time()
        near_duplicates(texts)
        hashed = time.process_time() - start
        pairs = sum(len(seeds) + min(i, len(pool.kept)) for i in range(len(texts)))
        tokens = {text: rouge_tokens(text) for text in texts}
        table = pairs * seconds_a_pair(texts, lambda a, b, t=tokens: by_table(t[a], t[b]))
        cells = [name, f"{len(pool.kept):,} of {len(texts):,}", f"{spent:.1f}", f"{hashed:.1f}",
                 f"{pairs:,}", f"about {table:,.0f}"]  # fmt: skip
        if args.peer:
            from rouge_score import rouge_scorer

            scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
            cells.append(f"about {pairs * seconds_a_pair(texts, scorer.score):,.0f}")
        print(f"| {' | '.join(cells)} |")
    print(f"Load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
