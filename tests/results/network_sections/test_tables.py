"""A network's distillation in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from limbeck.core.errors import InvalidInput
from limbeck.core.measured import Measured
from limbeck.core.status import Status, StatusCode
from limbeck.evaluation.comparison import Comparison, ModelResult
from limbeck.evaluation.model_facts import ModelFacts
from limbeck.reports.numbers import NONE
from limbeck.results.network import NetworkDistillation
from limbeck.results.network_sections.tables import model_table, network_table

Make = Callable[..., NetworkDistillation]


def rendered(result: NetworkDistillation, width: int) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(network_table(result))
    return capture.get()


@pytest.mark.parametrize("width", [80, 120])
def test_all_of_it_fits_and_nothing_is_cut(networks: Make, width: int) -> None:
    result = networks()
    text = rendered(result, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert text.count("[0.881, 0.937]") == 7  # of 4 models, less the teacher's with itself
    assert text.count("[0.011, 0.034]") == 4
    for said in ("23.5 M", "(94 MB)", "itself", "control", "baseline", "1234", "<u>Columns</u>"):
        assert said in text
    assert result.comparison.sentence in " ".join(text.split())


def test_columns_that_are_not_known_are_left_out(networks: Make) -> None:
    nothing = Measured(float("nan"), float("nan"), float("nan"))
    entry = ModelResult("student", "Small", "", nothing, None)
    result = networks(
        comparison=Comparison((entry,), (), 0.95), facts={"student": ModelFacts(7, 28)}
    )
    text = rendered(result, 80)
    for absent in ("accuracy", "ECE", "ms a", "nan", "mistakes"):
        assert absent not in text
    assert "7 " in text


def test_numbers_are_headed_by_r_squared(networks: Make) -> None:
    result = networks()
    text = rendered(replace(result, settings={**result.settings, "classifies": False}), 80)
    assert "R² on" in text
    assert "agreement" not in text.split("training")[0]


def test_whose_mistakes_they_are(networks: Make) -> None:
    text = " ".join(rendered(networks(), 100).split())
    said = (
        "Of all answers of the student 5.0% repeat a mistake of the teacher, 3.0% are wrong where"
    )
    assert said in text
    assert text.count("repeat a mistake") == 2


def test_a_poor_end_is_marked(networks: Make) -> None:
    poor = Status(StatusCode.HYPOTHESIS_FAILED, "The teacher is no better.", "Take a larger one.")
    for status, marked in ((poor, True), (networks().status, False)):
        console = Console(width=100, color_system="standard", force_terminal=True)
        with console.capture() as capture:
            console.print(network_table(networks(status=status)))
        line = next(x for x in capture.get().splitlines() if "training" in x)
        assert ("\x1b[33m" in line) is marked


def sizes_and_times(networks: Make, facts: ModelFacts | None) -> tuple[str, ...]:
    entry = ModelResult("student", "Small", "", Measured(0.5, 0.4, 0.6), None)
    found = {} if facts is None else {"student": facts}
    table = model_table(networks(comparison=Comparison((entry,), (), 0.95), facts=found))
    columns = {c.name: c for c in table.columns}
    (row,) = table.rows
    return tuple(columns[n].texts(row)[0] for n in ("parameters", "megabytes", "milliseconds"))


def test_sizes_and_times(networks: Make) -> None:
    timed = ModelFacts(1, 4, milliseconds=Measured(1.26, 1.1, 2.0))
    for facts, texts in (
        (ModelFacts(999, 3996), ("999", "(0.004 MB)", NONE)),
        (ModelFacts(1_000, 4_000), ("1.0 k", "(0.004 MB)", NONE)),
        (ModelFacts(109_000_000, 438_000_000), ("109.0 M", "(438 MB)", NONE)),
        (timed, ("1", "(4e-06 MB)", "1.3")),
        (None, (NONE, NONE, NONE)),
    ):
        assert sizes_and_times(networks, facts) == texts


@pytest.mark.parametrize(("calls", "words"), [(0, "quartiles."), (12, "of 12 calls of each")])
def test_the_caption_counts_calls_where_they_were_counted(
    networks: Make, calls: int, words: str
) -> None:
    facts = {"student": ModelFacts(1, 4, milliseconds=Measured(1.0, 1.0, 2.0), timed_calls=calls)}
    caption = model_table(networks(facts=facts)).caption
    assert words in caption
    assert "of 0 calls" not in caption


def test_every_table_is_a_data_frame(networks: Make) -> None:
    result = networks()
    assert list(result.tables()) == ["models", "differences", "classes", "mistakes", "history"]
    models = result.to_frame()
    assert list(models["role"]) == ["teacher", "student", "control", "baseline"]
    assert models["parameters"].tolist() == [23_500_000, 11_750_000, 7_833_333, 5_875_000]
    assert models["accuracy_low"].tolist() == [0.881] * 4
    assert models["agreement"].isna().tolist() == [True, False, False, False]
    history = result.to_frame("history")
    assert len(history) == 400
    assert history.query("role == 'student' and seed == 0")["loss"].iloc[1] == 1.0
    with pytest.raises(InvalidInput, match="Did you mean 'classes'"):
        result.to_frame("clases")
