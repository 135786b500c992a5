"""Model cards: what Hugging Face reads at their head, and only what a result stores below it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LinearRegression

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.results.model_card import model_card

BAD = "a|b\n## <script>alert(1)</script> ``` *x*"
SECTIONS = (
    "Intended use", "Out of scope", "Data", "Training procedure", "Evaluation", "The student",
    "Limits", "How to verify",
)  # fmt: skip


def head(card: str) -> dict[str, Any]:
    found = re.match(r"---\n(.*?)\n---\n", card, re.S)
    assert found
    told: dict[str, Any] = yaml.safe_load(found[1])
    return told


@pytest.fixture(scope="module")
def result() -> limbeck.Distillation:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({BAD: rng.normal(size=400), "b": rng.normal(size=400)})
    y = np.where(X[BAD] > 0, "ye`s", "no")
    return limbeck.distill(
        lambda rows: rows[BAD].to_numpy() > 0, X, y == "ye`s", into="tree", max_leaves=3, queries=0,
        progress=False,
    )  # fmt: skip


def test_the_head_has_the_fields_of_the_hub(result: limbeck.Distillation) -> None:
    told = head(model_card(result))
    assert told["library_name"] == "limbeck"
    assert "license" not in told
    assert told["pipeline_tag"] == "tabular-classification"
    assert {"limbeck", "knowledge-distillation", "tree"} == set(told["tags"])
    assert told["metrics"] == ["accuracy"]
    measured = told["model-index"][0]["results"][0]["metrics"]
    student = next(e for e in result.comparison.entries if e.role == "student")
    assert measured[0]["value"] == pytest.approx(student.agreement.value, abs=1e-6)
    assert head(model_card(result, "mit"))["license"] == "mit"


def test_every_section_is_there_with_the_numbers_of_the_result(
    result: limbeck.Distillation,
) -> None:
    card = model_card(result)
    for name in SECTIONS:
        assert f"\n## {name}\n" in card
    assert "\n### Certificate\n" in card
    assert "\n### Control\n" in card
    assert result.certificate.student in card
    assert result.certificate.rows in card
    assert f"{result.rows_seen:,}" in card
    assert "limbeck verify certificate.json --student student.json" in card
    assert card.count("The certificate assumes:") == len(result.certificate.assumptions)


def test_names_of_columns_write_no_markup(result: limbeck.Distillation) -> None:
    card = model_card(result)
    body, drawn = card.split("## The student\n\n")
    assert "<script>" not in body
    assert "\n## &lt;script" not in body
    fence = drawn.split("text\n")[0]
    assert set(fence) == {"`"}
    assert len(fence) > 3
    assert drawn.count(f"\n{fence}\n") == 1
    for line in body.splitlines():
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) == 6


def test_it_is_exported_and_the_same_after_loading(
    result: limbeck.Distillation, tmp_path: Path
) -> None:
    path = result.export(tmp_path / "card.md", license="apache-2.0")
    assert head(path.read_text())["license"] == "apache-2.0"
    again = limbeck.load(result.save(tmp_path / "run"))
    assert again.export(tmp_path / "again.md", license="apache-2.0").read_text() == path.read_text()
    with pytest.raises(InvalidInput, match="dtype was given for a model card"):
        result.export(tmp_path / "card.md", dtype="float32")
    with pytest.raises(InvalidInput, match="license was given"):
        result.export(tmp_path / "student.py", license="mit")


def test_numbers_have_r_squared(tmp_path: Path) -> None:
    X = np.random.default_rng(1).normal(size=(300, 2))
    model = LinearRegression().fit(X, X[:, 0])
    result = limbeck.distill(model, X, into="linear", queries=0, progress=False)
    told = head(model_card(result))
    assert told["pipeline_tag"] == "tabular-regression"
    assert told["metrics"] == ["r_squared"]


def test_networks_have_cards(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    teacher, student = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
    result = limbeck.distill(
        teacher, torch.randn(80, 4), into=student, epochs=1, baseline=False, timing=False,
        progress=False,
    )  # fmt: skip
    card = result.export(tmp_path / "card.md").read_text()
    told = head(card)
    assert "pipeline_tag" not in told
    assert result.certificate is not None
    assert result.certificate.student in card
    assert "--student student.onnx --rows rows.npz" in card
    assert "## The student" not in card
    with pytest.raises(InvalidInput, match=r"result\.save"):
        result.export(tmp_path / "student.onnx")
