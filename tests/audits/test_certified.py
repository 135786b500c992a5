from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from limbeck.audits.certified import certified_student
from limbeck.audits.fitting import make_folds
from limbeck.audits.results import Caveat
from limbeck.audits.table import read_table
from limbeck.core.certificate import Certificate

pytest.importorskip("interpret")


def certified_twice(people: int, twice: float) -> tuple[Certificate | None, list[Caveat]]:
    """People whom a number marks; this share of them was scored twice, with two outcomes."""
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"x": rng.normal(size=people), "kind": rng.choice(["a", "b"], people)})
    df = pd.concat([df, df[: round(twice * people)]], ignore_index=True)
    df["score"] = 2 * df["x"] + rng.normal(size=len(df))
    df["outcome"] = (rng.random(len(df)) < expit(df["x"])).astype(int)
    table = read_table(df.sample(frac=1, random_state=0), score="score", outcome="outcome")
    aside = make_folds(len(table), 5, rng).of == 0
    return certified_student(table, aside, 0, 0.95, 0)[1:]


def test_people_whom_the_student_saw_are_not_in_the_certificate() -> None:
    certificate, _ = certified_twice(700, 0.2)
    assert certificate is not None
    assert 110 < certificate.n < 160  # of 168 set aside about a seventh are such people
    (said,) = (a for a in certificate.assumptions if "training saw" in a)
    assert f"0 of {certificate.settings['rows']} coincide" in said


def test_no_certificate_where_hardly_any_row_is_fresh() -> None:
    certificate, caveats = certified_twice(300, 1.0)
    assert certificate is None
    assert caveats[-1].problem.startswith("No certificate was made: ")


@pytest.mark.parametrize(
    ("given", "told"), [("frequency_weight", "weighted"), ("cases", "of one case")]
)
def test_no_certificate_of_rows_that_are_not_drawn_alike(given: str, told: str) -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"x": rng.normal(size=900), "at": rng.integers(1, 600, 900)})
    df["score"] = 2 * df["x"] + rng.normal(size=900)
    df["outcome"] = (rng.random(900) < expit(df["x"])).astype(int)
    table = read_table(df, score="score", outcome="outcome", **{given: "at"})
    aside = np.arange(900) < 180
    student, certificate, (caveat,) = certified_student(table, aside, 0, 0.95, 0)
    assert certificate is None
    assert told in caveat.problem
    assert "Give a row a case" in caveat.remedy
    # those set aside were not learned from, weighted or not
    assert sum(w.sum() for w in student.weight_) == pytest.approx(table.mass[~aside].sum())
