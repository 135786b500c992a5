from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest

from limbeck.audits.calibration import calibrate
from limbeck.audits.fitting import fit_models, make_folds
from limbeck.audits.model_multiplicity import model_multiplicity
from limbeck.audits.results import ModelMultiplicity
from limbeck.audits.table import read_table
from limbeck.core.progress import quiet

pytest.importorskip("interpret")


@pytest.fixture(scope="module")
def multiplicity() -> ModelMultiplicity:
    """Copies a and b stand for each other, c matters little, and colour red is higher."""
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
    return model_multiplicity(t, m, quiet)


def test_what_rests_on_the_score_holds_in_all(multiplicity: ModelMultiplicity) -> None:
    share = {s.text: s.share for s in multiplicity.statements}
    assert share["The score is higher for colour red than for blue."] == 1.0
    assert share["colour matters more to the score than c."] == 1.0


def test_what_rests_on_the_student_does_not(multiplicity: ModelMultiplicity) -> None:
    share = {s.text: s.share for s in multiplicity.statements}
    direction = [v for text, v in share.items() if text.endswith((" high a.", " high b."))]
    assert direction
    assert max(direction) < 1.0  # each of the copies is left out of some students


def test_rankings_have_the_features_of_their_student(multiplicity: ModelMultiplicity) -> None:
    assert multiplicity.students == len(multiplicity.rankings) > 10
    assert {len(r) for r in multiplicity.rankings} >= {3, 4}
    shares = [s.share for s in multiplicity.statements]
    assert shares == sorted(shares, reverse=True)


def built(seed: int, features: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """A score whose effects are known: lines up and down, steps, none; correlated columns."""
    rng = np.random.default_rng(seed)
    n = 1500
    common = rng.normal(size=n)
    effects: dict[str, np.ndarray] = {}
    columns: dict[str, object] = {}
    for j in range(features):
        name, kind = f"x{j}", rng.integers(4) if j < 6 else 0
        x = 0.6 * common + 0.8 * rng.normal(size=n)
        columns[name] = x
        size = rng.choice([-1.0, 1.0]) * rng.uniform(0.2, 1.0)
        effects[name] = [0 * x, size * x, size * (x > 0.3), size * np.maximum(x, 0)][kind]
    columns["colour"] = rng.choice(["red", "blue", "green"], n, p=[0.5, 0.3, 0.2])
    effects["colour"] = rng.choice([0.0, -0.7, 0.7]) * (columns["colour"] == "red")
    frame = pd.DataFrame(columns)
    noise = rng.choice([0.0, 0.5])
    frame["score"] = sum(effects.values()) + noise * rng.normal(size=n)
    return frame, effects


def is_true(text: str, frame: pd.DataFrame, effects: dict[str, np.ndarray]) -> bool:
    """Whether a statement follows from the effects that the score was built from."""
    size = {name: np.abs(e - e.mean()).mean() for name, e in effects.items()}
    if found := re.fullmatch(r"The score is (higher|lower) for high (\w+)\.", text):
        x, e = frame[found[2]], effects[found[2]]
        up = e[x >= x.quantile(0.8)].mean() - e[x <= x.quantile(0.2)].mean()
        return bool(up > 0.01 if found[1] == "higher" else up < -0.01)
    if found := re.fullmatch(r"The score is higher for colour (\w+) than for (\w+)\.", text):
        a, b = (effects["colour"][frame["colour"] == level].mean() for level in found.groups())
        return bool(a > b + 0.01)
    if found := re.fullmatch(r"(\w+) matters more to the score than (\w+)\.", text):
        return bool(size[found[1]] > size[found[2]])
    found = re.fullmatch(r"(\w+) matters most to the score\.", text)
    assert found, text
    return bool(size[found[1]] == max(size.values()))


@cache
def multiplicity_of_built(seed: int, features: int) -> ModelMultiplicity:
    return multiplicity_of(built(seed, features)[0], seed)


def multiplicity_of(frame: pd.DataFrame, seed: int) -> ModelMultiplicity:
    rng = np.random.default_rng(seed)
    t = read_table(frame, score="score")
    _, curve = calibrate(t.score, None, t.mass, 0.95, rng)
    m = fit_models(
        t, curve, make_folds(len(t), 5, rng), pairs=0, bags=20, rng=rng, tell=quiet, rounds=200
    )
    return model_multiplicity(t, m, quiet)


FEW = [(0, 4), (1, 4)]
MANY = [(seed, 4) for seed in range(2, 20)] + [(0, 12)] + [(seed, 24) for seed in range(20)]


@pytest.mark.parametrize(
    ("seed", "features"), [*FEW, *(pytest.param(*p, marks=pytest.mark.slow) for p in MANY)]
)
def test_no_false_statement_on_a_built_truth(seed: int, features: int) -> None:
    frame, effects = built(seed, features)
    found = multiplicity_of_built(seed, features)
    held = [s.text for s in found.statements if s.share == 1.0]
    assert [text for text in held if not is_true(text, frame, effects)] == []
    directions = [t for t in held if " for " in t]
    large = [n for n, e in effects.items() if e.std() > 0.3 * frame["score"].std()]
    assert len(directions) >= len(large)  # and it is not silent where effects are large


def test_directions_turn_with_the_coding() -> None:
    frame, _ = built(1, 4)
    turned = frame.assign(**{name: -frame[name] for name in ("x0", "x1", "x2", "x3")})
    one, other = multiplicity_of_built(1, 4), multiplicity_of(turned, 1)
    directions = {s.text for s in one.statements if "for high" in s.text}
    assert directions
    swap = {"higher": "lower", "lower": "higher"}
    expected = {re.sub("higher|lower", lambda m: swap[m[0]], text) for text in directions}
    assert expected == {s.text for s in other.statements if "for high" in s.text}


def test_a_score_made_of_three_columns_tells_of_no_other() -> None:
    """Stop-and-Frisk's score is exactly 3 a + b + c; its outcome bends the calibration."""
    rng = np.random.default_rng(0)
    n = 1000
    held = {name: rng.random(n) < p for name, p in (("a", 0.2), ("b", 0.3), ("c", 0.2))}
    frame = pd.DataFrame(held | {f"u{j}": rng.random(n) < 0.3 for j in range(5)})
    frame["u0"] = np.where(rng.random(n) < 0.8, frame["a"], frame["u0"]).astype(bool)
    frame["score"] = 3.0 * frame["a"] + frame["b"] + frame["c"]
    frame["outcome"] = (rng.random(n) < 0.02 + 0.4 * (frame["score"] >= 3)).astype(int)
    t = read_table(frame, score="score", outcome="outcome")
    _, curve = calibrate(t.score, t.outcome, t.mass, 0.95, rng)
    m = fit_models(
        t, curve, make_folds(n, 5, rng), pairs=0, bags=10, rng=rng, tell=quiet, rounds=200
    )
    found = model_multiplicity(t, m, quiet)
    assert {s.text for s in found.statements if s.share == 1.0} >= {
        f"The score is higher where {name} holds." for name in "abc"
    }
    assert not [s.text for s in found.statements if "u" in s.text.split(" where ")[-1][:1]]
    assert set(found.silent) == {f"u{j}" for j in range(5)}
