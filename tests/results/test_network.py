"""What a distillation of networks returns, and what it leaves on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks import GoldLabels, SoftTargets
from limbeck.results.network import NetworkDistillation
from limbeck.students.files import load

FILES = {"model.safetensors", "config.json", "student.onnx", "certificate.json", "rows.npz",
         "seen.npy", "result.json", "report.html"}  # fmt: skip


def rows(n: int, seed: int) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 0] > 0).long()


class Looking(nn.Module):
    """Decides by a number that is known only when it runs, which no ONNX file can hold."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return out if float(x.abs().max()) < 100 else -out


def distilled(
    student: Any, teacher: nn.Module | None, objective: Any, seeds: int = 2
) -> NetworkDistillation:
    return limbeck.distill(
        teacher, rows(80, 0), into=student, test=rows(60, 1), objective=objective, epochs=2,
        batch_size=16, seeds=seeds, validation=rows(20, 2), classes=["no", "yes"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def result() -> NetworkDistillation:
    torch.manual_seed(0)
    both = SoftTargets(temperature=2.0) + GoldLabels()
    return distilled(lambda: nn.Linear(4, 2), nn.Linear(4, 2), both)


def test_everything_is_saved(result: NetworkDistillation, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "deep" / "run")
    assert {p.name for p in folder.iterdir()} == FILES
    state = load_file(folder / "model.safetensors")
    assert all(torch.equal(state[k], v) for k, v in result.student.state_dict().items())
    with np.load(folder / "rows.npz", allow_pickle=False) as kept:
        table, answers = kept["rows"], kept["answers"]
        assert kept["rows"].dtype == np.float32  # exact, and half the size
    assert set(answers) <= {"no", "yes"}
    assert limbeck.verify(folder / "certificate.json", load(folder / "student.onnx"),
                          table.astype(np.float64), answers).ok  # fmt: skip
    assert len(np.load(folder / "seen.npy")) == 80


def test_numbers_are_json_without_what_json_lacks(result: NetworkDistillation) -> None:
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert told["verdict"] == result.verdict
    assert told["status"]["code"] == "complete"
    assert {row["role"] for row in told["history"]} == {"student", "control"}
    assert {row["seed"] for row in told["history"]} == {0, 1}
    assert told["settings"]["chosen_seed"] in (0, 1)
    assert told["comparison"]["entries"][1]["accuracy"]["value"] == pytest.approx(
        result.comparison.entries[1].accuracy.value
    )


def test_the_chosen_student_is_the_best_on_validation_rows(result: NetworkDistillation) -> None:
    x, y = rows(20, 2)
    with torch.no_grad():
        scores = [float((m(x).argmax(1) == y).double().mean()) for m in result.students]
    best = result.settings["chosen_seed"]
    assert result.student is result.students[best]
    assert best == int(np.argmax(scores))
    assert any(f"the student of seed {best} was chosen" in note for note in result.notes)


def test_an_export_that_fails_is_noted_and_the_certificate_speaks_of_the_weights(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    found = distilled(Looking, nn.Linear(4, 2), SoftTargets(), seeds=1).kept(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == FILES - {"student.onnx"}
    assert found.notes[-1].startswith("student.onnx was not written: ")
    told = json.loads((tmp_path / "certificate.json").read_text())
    assert fingerprint(found.student) in json.dumps(told)
    assert found.notes[-1] in json.loads((tmp_path / "result.json").read_text())["notes"]


def test_without_a_teacher_there_are_weights_and_a_table_only(tmp_path: Path) -> None:
    found = distilled(lambda: nn.Linear(4, 2), None, GoldLabels())
    found.save(tmp_path)
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {"model.safetensors", "config.json", "result.json", "report.html"}
    assert found.certificate is None
    assert found.verdict.startswith("There is no certificate.")
    assert found.to_dict()["comparison"]["entries"][0]["agreement"]["value"] is None
    assert any("No control was trained" in note for note in found.notes)


def test_a_file_is_no_folder(result: NetworkDistillation, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("here")
    with pytest.raises(InvalidInput, match="is a file"):
        result.save(tmp_path / "run")


def test_a_folder_comes_back(result: NetworkDistillation, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "run")
    again = limbeck.load(folder)
    assert isinstance(again, NetworkDistillation)
    assert again.to_dict() == result.to_dict()
    assert str(again.comparison) == str(result.comparison)
    assert str(again) == str(result)
    with np.load(folder / "rows.npz", allow_pickle=False) as kept:
        table = kept["rows"].astype(np.float64)
        assert limbeck.verify(again.certificate, again.student, table, kept["answers"]).ok
    again.report(tmp_path / "again.html")
    with pytest.raises(InvalidInput, match=r"holds no network to write\. Copy the folder"):
        again.save(tmp_path / "copy")
