from __future__ import annotations

import json

import pytest

import limbeck
from limbeck.core.errors import FileRefused
from limbeck.core.measured import Measured
from limbeck.core.strict_json import write_json
from limbeck.evaluation.comparison import Difference
from limbeck.results.ablation import Ablation, Dropped
from limbeck.results.removals import RemovalCost, Removals

HALF = Measured(0.5, 0.4, 0.6)
ABLATION = Ablation(
    HALF,
    (
        Dropped("SoftTargets", HALF, Difference("accuracy", 0.2, 0.1, 0.3), None),
        Dropped("GoldLabels", HALF, None, Difference("agreement", -0.2, -0.3, -0.1)),
    ),
    2, 300, 0.05, "Too short.",
)  # fmt: skip
REMOVALS = Removals(
    (RemovalCost("layers.0", "mlp", "8 of 16", 120, HALF, HALF, None, Measured(0.0, -0.1, 0.1)),),
    1, 100, 0.1,
)  # fmt: skip


@pytest.mark.parametrize("result", [ABLATION, REMOVALS])
def test_what_was_saved_is_equal_and_prints_the_same(result, tmp_path):
    again = limbeck.load(result.save(tmp_path / "run"))
    assert again == result
    assert str(again) == str(result)
    assert again.to_frame("parts").equals(result.to_frame())
    page = (tmp_path / "run/report.html").read_text()
    assert result.title in page
    assert all(note in page for note in result.sheet().notes)


def test_a_result_of_another_kind_or_with_a_broken_field_is_refused(tmp_path):
    folder = ABLATION.save(tmp_path / "run")
    with pytest.raises(FileRefused, match="limbeck-removals"):
        Removals.load(folder)
    data = json.loads((folder / "result.json").read_text())
    data["parts"][0]["score"] = {"value": "much"}
    write_json(data, folder / "result.json")
    with pytest.raises(FileRefused, match="malformed"):
        limbeck.load(folder)


@pytest.mark.parametrize("damaged", [0.9, -1, 1e308, None])
@pytest.mark.parametrize("at", [("full",), ("parts", 0, "score"), ("parts", 1, "agreement")])
def test_a_number_outside_its_interval_is_refused(at, damaged, tmp_path):
    folder = ABLATION.save(tmp_path / "run")
    data = json.loads((folder / "result.json").read_text())
    found = data
    for step in at:
        found = found[step]
    found["value"] = damaged
    write_json(data, folder / "result.json")
    with pytest.raises(FileRefused, match=rf"{at[-1]} is .*, outside its interval"):
        limbeck.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["parts"].pop(),
        lambda d: next(v for v in d["parts"][-1].values() if isinstance(v, dict)).update(
            high=0.999
        ),
        lambda d: d.update(rows=d["rows"] + 1),
        lambda d: d.update(note="more"),
    ],
)
@pytest.mark.parametrize("result", [ABLATION, REMOVALS])
def test_what_is_not_as_it_was_saved_is_refused(result, change, tmp_path):
    path = result.save(tmp_path / "run") / "result.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(FileRefused, match="its checksum is not that of its content"):
        limbeck.load(tmp_path / "run")
    good = result.to_dict()
    path.write_text(json.dumps(good, indent=3, sort_keys=True))  # of a version before
    assert limbeck.load(tmp_path / "run") == result


def test_a_folder_of_a_result_before_loses_what_the_new_one_has_not(tmp_path):
    (tmp_path / "own.txt").write_text("kept")
    ABLATION.save(tmp_path)
    (tmp_path / "attribution.npz").write_bytes(b"of a result before")
    REMOVALS.save(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["own.txt", "report.html", "result.json"]
