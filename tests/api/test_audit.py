from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import limbeck
from limbeck.api.audit import Audit
from limbeck.core.errors import InvalidInput
from limbeck.core.strict_json import plain
from limbeck.students import load

pytest.importorskip("interpret")

COMPAS = Path(__file__).parents[3] / "shared/data/tabular/compas_two_years.parquet"
FEATURES = [
    "sex", "age", "race", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count",
    "c_charge_degree",
]  # fmt: skip


def frame(n: int = 900, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({"x": rng.integers(0, 8, n) * 1.0, "kind": rng.choice(["a", "b"], n)})
    z = 0.5 * df["x"] - 2 + 1.0 * (df["kind"] == "b")
    df["score"] = np.round(2 * z + rng.normal(0, 1, n))
    df["outcome"] = (rng.random(n) < expit(z)).astype(int)
    df["id"] = np.arange(n)
    return df


@pytest.fixture(scope="module")
def found() -> Audit:
    return limbeck.audit(
        frame(), score="score", outcome="outcome", drop=["id"], groups="kind", bags=24,
        progress=False,
    )  # fmt: skip


def test_the_record_is_whole(found: Audit) -> None:
    assert (found.score, found.outcome, found.rows) == ("score", "outcome", 900)
    assert found.features == ("x", "kind")
    assert found.dropped == (("id", "left out as asked"),)
    assert found.fidelity.score_r2.value > 0.6
    assert found.fidelity.outcome_auc is not None
    assert found.fidelity.outcome_auc.value > 0.65
    assert {s.feature for s in found.differences.shapes} == {"x", "kind"}
    assert [g.group for g in found.groups] == ["kind a", "kind b"]
    assert found.group == "kind"
    assert found.settings["bags"] == 24
    assert [c.subject for c in found.caveats] == ["x"]  # it explains most of the score
    assert "Either it was made from the score" in found.caveats[0].problem


def test_the_certificate_is_of_rows_that_the_student_never_saw(found: Audit) -> None:
    assert found.certificate is not None
    assert found.certificate.student == found.student.fingerprint()
    assert found.certificate.n == 180
    assert sum(w.sum() for w in found.student.weight_) == 2 * 720
    aside = found.work.aside
    errors = np.abs(found.student.predict(frame()[["x", "kind"]]) - frame()["score"])[aside]
    assert (errors <= found.certificate.tolerance).mean() >= 0.95


def test_the_certificate_compares_its_rows_with_those_of_the_student(found: Audit) -> None:
    assert found.certificate is not None
    (said,) = (a for a in found.certificate.assumptions if "training saw" in a)
    assert "compared with the 720 rows that training saw: 180 of 180 coincide" in said


def test_missing_features_and_multiplicity_are_kept(found: Audit) -> None:
    assert found.missing_features() is found.missing_features()
    assert found.missing_features().matched_pairs.kind == "exact"
    assert found.model_multiplicity() is found.model_multiplicity()
    assert found.model_multiplicity().students > 10


def test_same_seed_same_audit_with_its_answers_side_by_side_or_one_by_one(found: Audit) -> None:
    one_by_one = found.missing_features(), found.model_multiplicity()
    again = limbeck.audit(
        frame(), score="score", outcome="outcome", drop=["id"], groups="kind", bags=24,
        progress=False,
    )  # fmt: skip
    missing, multiplicity = again.answer()
    assert plain((missing, multiplicity)) == plain(one_by_one)
    assert again.answer()[0] is missing
    assert again.model_multiplicity() is multiplicity
    one, other = found.to_dict(), again.to_dict()
    for d in (one, other):
        d["settings"].pop("seconds")
    assert one == other


def test_save_writes_all_but_rows(found: Audit, tmp_path: Path) -> None:
    folder = found.save(tmp_path / "audit")
    names = {p.name for p in folder.iterdir()}
    assert names == {"student.json", "certificate.json", "audit.json", "report.html"}
    data = json.loads((folder / "audit.json").read_text())
    assert data["format"] == "limbeck-audit"
    assert len(data["differences"]["shapes"]) == 2
    assert load(folder / "student.json").fingerprint() == found.student.fingerprint()
    again = limbeck.load(folder)
    assert type(again) is type(found)
    assert str(again) == str(found)
    assert again.to_dict() == found.to_dict()
    again.report(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == (folder / "report.html").read_text()


def test_prints(found: Audit) -> None:
    assert "score" in str(found)
    assert "<pre>" in found._repr_html_()


def test_score_only() -> None:
    df = frame().drop(columns=["outcome", "id"])
    alone = limbeck.audit(df, score="score", bags=20, progress=False)
    assert alone.calibration.method == "none"
    assert alone.fidelity.outcome_auc is None
    assert alone.differences.sentences[0].startswith("The score ")
    assert alone.missing_features().verdict == "cannot tell"
    assert json.dumps(alone.to_dict(), allow_nan=False)


@pytest.mark.parametrize("written", [0, pytest.param(200_000, marks=pytest.mark.slow)])
def test_frequency_weights_are_people(
    written: int, found: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where there are too many to write out a row each."""
    monkeypatch.setattr("limbeck.audits.counting._MOST_WRITTEN", written)
    df = frame().drop(columns="id").value_counts().reset_index(name="cases")
    weighted = limbeck.audit(
        df, score="score", outcome="outcome", frequency_weight="cases", groups="kind", bags=20,
        progress=False,
    )  # fmt: skip
    assert weighted.rows == (900 if written else len(df))
    assert sum(g.n for g in weighted.groups) == 900
    assert weighted.differences.shapes[0].count.sum() == 900
    assert weighted.missing_features().matched_pairs.rows == 900
    assert found.missing_features().verdict == weighted.missing_features().verdict
    for a, b in zip(found.groups, weighted.groups, strict=True):
        assert a.outcome_rate == b.outcome_rate
    for name in ("x", "kind"):
        one, other = (
            next(s for s in of.differences.shapes if s.feature == name) for of in (found, weighted)
        )
        assert np.abs(one.difference - other.difference).max() < 0.02
    if written:
        assert weighted.certificate is not None
        return
    assert weighted.certificate is None
    assert "weighted" in weighted.caveats[-1].problem


def test_pairs() -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame(rng.normal(size=(700, 3)), columns=list("abc"))
    df["score"] = df["a"] + 2 * np.sign(df["b"]) * np.sign(df["c"])
    df["outcome"] = (rng.random(700) < expit(df["a"])).astype(int)
    paired = limbeck.audit(df, score="score", outcome="outcome", bags=20, pairs=1, progress=False)
    alone = df["a"].var() / df["score"].var()  # R squared without the pair
    assert paired.fidelity.score_r2.value > alone + 0.4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bags": 18}, "bags is 18"),
        ({"folds": 1}, "folds is 1"),
        ({"pairs": -1}, "pairs is -1"),
        ({"delta": 0.0}, "delta"),
        ({"delta": 0.6}, "delta is 0.6"),
        ({"score": "scroe"}, "no column 'scroe'"),
    ],
)
def test_bad_arguments(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        limbeck.audit(frame(), **{"score": "score", "outcome": "outcome", **given})


def test_interruption_before_enough_bags_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    @contextmanager
    def impatient(wanted: bool | None = None) -> Any:
        def tell(stage: str, done: float, total: float) -> None:
            if stage == "bags" and done > 1:
                raise KeyboardInterrupt

        yield tell

    monkeypatch.setattr("limbeck.api.audit.shown", impatient)
    with pytest.raises(KeyboardInterrupt):
        limbeck.audit(frame(250), score="score", outcome="outcome", bags=20)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not COMPAS.exists(), reason="the data folder is not here")
def test_compas() -> None:
    df = pd.read_parquet(COMPAS)
    df = df[df["in_propublica_sample"].astype(bool)]
    more = ["length_of_stay_days", "days_b_screening_arrest", "c_charge_desc"]
    found = limbeck.audit(
        df, score="decile_score", outcome="two_year_recid", features=FEATURES + more, bags=20,
        progress=False,
    )  # fmt: skip
    assert found.rows == 6172
    assert found.fidelity.score_rmse.value <= 1.98
    assert found.fidelity.outcome_auc is not None
    assert found.fidelity.outcome_auc.value >= 0.745


def test_a_table_on_disk_is_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidInput, match="over its whole table again and again") as caught:
        limbeck.audit("rows/*.parquet", score="score", progress=False)
    assert "random sample" in caught.value.remedy
