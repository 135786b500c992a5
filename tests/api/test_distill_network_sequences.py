"""Networks that read sequences, numbers as if each row were alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import limbeck
from limbeck.networks import SoftTargets

transformers = pytest.importorskip("transformers")
datasets = pytest.importorskip("datasets")

FAST: dict[str, Any] = {
    "epochs": 1, "batch_size": 16, "lr": 0.01, "baseline": False, "control": False,
    "timing": False,
}  # fmt: skip


def sentences(n: int, seed: int) -> list[list[int]]:
    draw = np.random.default_rng(seed)
    return [draw.integers(3, 40, draw.integers(2, 12)).tolist() for _ in range(n)]


def gpt(kind: str, seed: int, width: int = 16, **more: Any) -> Any:
    torch.manual_seed(seed)
    known = {"bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 2, **more}
    config = transformers.GPT2Config(
        vocab_size=40, n_positions=16, n_embd=width, n_layer=1, n_head=2, initializer_range=0.5,
        **known,
    )  # fmt: skip
    return getattr(transformers, kind)(config)


@pytest.mark.parametrize("saved", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_classifier_that_looks_for_the_pad_token(saved: bool, tmp_path: Any) -> None:
    """It takes the last token that is no pad token, so that any other filling changes answers."""

    def part(n: int, seed: int) -> Any:
        rows = sentences(n, seed)
        return datasets.Dataset.from_dict({"input_ids": rows, "label": [r[-1] % 3 for r in rows]})

    teacher = gpt("GPT2ForSequenceClassification", 0, num_labels=3)
    test = part(60, 1)
    found = limbeck.distill(
        teacher, part(100, 0), into=gpt("GPT2ForSequenceClassification", 1, num_labels=3),
        objective=SoftTargets(), test=test, **FAST,
    )  # fmt: skip
    with torch.no_grad():
        said = [
            [int(m.eval()(torch.tensor([row])).logits.argmax()) for row in test["input_ids"]]
            for m in (teacher, found.student)
        ]
    right = np.mean(np.array(said[0]) == test["label"])
    differ = np.mean(np.array(said[0]) != said[1])
    accuracy = found.comparison.entries[0].accuracy
    assert accuracy is not None
    assert accuracy.value == pytest.approx(right)
    assert 0 < differ < 1
    assert found.comparison.entries[1].agreement.value == pytest.approx(1 - differ)
    assert found.certificate is not None
    assert found.certificate.mean_loss == pytest.approx(differ)
    if saved:
        from limbeck.certificates.certificate_file import load

        found.save(tmp_path)
        assert (tmp_path / "student.onnx").exists()
        assert load(tmp_path / "certificate.json").mean_loss == pytest.approx(differ)


def test_rows_of_which_no_token_counts_are_left_out_and_said() -> None:
    def part(n: int, seed: int) -> Any:
        rows = sentences(n, seed)
        said = [[-100] * len(r) if i % 3 == 0 else [t % 3 for t in r] for i, r in enumerate(rows)]
        return datasets.Dataset.from_dict({"input_ids": rows, "labels": said})

    found = limbeck.distill(
        gpt("GPT2ForTokenClassification", 0, num_labels=3), part(100, 0),
        into=gpt("GPT2ForTokenClassification", 1, num_labels=3), test=part(60, 1), **FAST,
    )  # fmt: skip
    assert found.certificate is not None
    assert found.certificate.n == 40
    agreed = found.comparison.entries[1].agreement.value
    assert found.certificate.mean_loss == pytest.approx(1 - agreed)
    assert "20 test rows have no token that counts, and were left out." in found.notes


def test_row_numbers_do_not_hide_training_rows() -> None:
    """Data sets of benchmarks number their rows, in a column that a network takes and ignores."""

    def part(rows: list[list[int]], start: int) -> Any:
        idx = list(range(start, start + len(rows)))
        return datasets.Dataset.from_dict(
            {"input_ids": rows, "label": [r[0] % 3 for r in rows], "idx": idx}
        )

    train, test = sentences(100, 0), sentences(60, 1)
    test = [r for r in test if r not in train]
    pair = [gpt("GPT2ForSequenceClassification", s, num_labels=3) for s in (0, 1)]

    def ran(rows: list[list[int]]) -> Any:
        return limbeck.distill(pair[0], part(train, 0), into=pair[1], test=part(rows, 900), **FAST)

    found = ran(test)
    assert "No network reads idx: rows were compared without." in found.notes
    with pytest.raises(
        limbeck.LimbeckError, match=r"20 of the .* test rows are among the training"
    ):
        ran([*test, *train[:20]])
