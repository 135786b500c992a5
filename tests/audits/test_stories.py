from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.audits.calibration import calibrate
from limbeck.audits.fitting import fit_models, make_folds
from limbeck.audits.results import Stories
from limbeck.audits.stories import tell_stories
from limbeck.audits.table import read_table
from limbeck.progress import quiet

pytest.importorskip("interpret")


@pytest.fixture(scope="module")
def stories() -> Stories:
    """Twins a and b stand for each other, c matters little, and colour red is higher."""
    rng = np.random.default_rng(0)
    n = 1500
    a = rng.normal(size=n)
    df = pd.DataFrame({"a": a, "b": a + rng.normal(0, 0.02, n), "c": rng.normal(size=n)})
    df["colour"] = rng.choice(["red", "blue"], n, p=[0.6, 0.4])
    df["score"] = 2 * a + 1.5 * (df["colour"] == "red") + 0.05 * df["c"] + rng.normal(0, 0.3, n)
    t = read_table(df, score="score")
    _, curve = calibrate(t.score, None, t.mass, 0.95, rng)
    m = fit_models(
        t, curve, make_folds(n, 5, rng), pairs=0, bags=20, rng=rng, tell=quiet, rounds=100
    )
    return tell_stories(t, m, quiet)


def test_what_rests_on_the_score_holds_in_all(stories: Stories) -> None:
    share = {s.text: s.share for s in stories.statements}
    assert share["The score is higher for colour red than for blue."] == 1.0
    assert share["colour matters more to the score than c."] == 1.0


def test_what_rests_on_the_student_does_not(stories: Stories) -> None:
    share = {s.text: s.share for s in stories.statements}
    direction = [v for text, v in share.items() if text.endswith((" high a.", " high b."))]
    assert direction
    assert max(direction) < 1.0  # each of the twins is left out of some students


def test_rankings_have_the_features_of_their_student(stories: Stories) -> None:
    assert stories.students == len(stories.rankings) > 10
    assert {len(r) for r in stories.rankings} >= {3, 4}
    shares = [s.share for s in stories.statements]
    assert shares == sorted(shares, reverse=True)
