from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.students import load
from limbeck.students.scorecard.scorecard import Scorecard


def table(n: int = 500) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({
        "age [years]": rng.integers(18, 90, n).astype(float),
        "smoker": rng.random(n) < 0.4,
        "visits": rng.poisson(2, n).astype(float),
    })  # fmt: skip
    z = X["age [years]"] / 15 + 2 * X["smoker"] + 0.5 * X["visits"] - 5.5
    return X, np.where(rng.logistic(size=n) < z, "ill", "well")


def test_points_are_whole_and_bounded_and_the_table_tells_the_probability() -> None:
    X, y = table()
    card = Scorecard(max_points=6).fit(X, y)
    points = card.sum_.weights[:, 0]
    assert (points == np.round(points)).all()
    assert 1 <= np.abs(points).min() <= np.abs(points).max() <= 6
    assert card.score(X, y) > 0.75
    said = card.text()
    assert "age in steps of 20 years" in said or "age >" in said
    turn = float(re.search(r"above (\S+) points", said)[1])
    total = card.add_up(X) - card.sum_.intercept[0]  # what a reader adds up
    assert (np.where(total > turn, "well", "ill") == card.predict(X)).all()
    shown = re.search(r"by points: (.*)\.", said)[1]
    for entry in shown.split(", "):
        at, share = entry.removesuffix(" %").split(": ")
        if share.startswith((">", "<")):
            continue
        p = 1 / (1 + np.exp(-(float(at) - turn) * card.scale_))
        assert abs(100 * p - float(share)) <= 0.51


def test_a_file_gives_the_card_back(tmp_path) -> None:
    X, y = table()
    card = Scorecard().fit(X, y)
    again = load(card.save(tmp_path / "card.json"))
    assert again.fingerprint() == card.fingerprint()
    assert (again.predict_proba(X) == card.predict_proba(X)).all()
    with pytest.raises(FileRefused, match="scale"):
        Scorecard.from_dict({**card.to_dict(), "scale": -1.0})


def test_more_classes_have_whole_points_and_values_keep_real_weights() -> None:
    X, _ = table()
    y = np.digitize(X["age [years]"], [40, 65])
    card = Scorecard(max_numbers=16).fit(X, y)
    assert (card.sum_.weights == np.round(card.sum_.weights)).all()
    assert card.score(X, y) > 0.85
    values = Scorecard(max_numbers=4).fit(X, X["age [years]"] * 0.317)
    assert values.score(X, X["age [years]"] * 0.317) > 0.999
    assert "weights stay real" in values.text()


def test_settings_are_checked() -> None:
    X, y = table()
    with pytest.raises(InvalidInput, match="max_points is 0"):
        Scorecard(max_points=0).fit(X, y)
