from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from limbeck.audits import fitting
from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.calibration import calibrate
from limbeck.audits.fidelity import auc, fidelity
from limbeck.audits.fitting import Models, fit_models, make_folds
from limbeck.audits.table import read_table
from limbeck.core.progress import quiet

pytest.importorskip("interpret")


def table(n: int = 800, weight: bool = False, outcome: bool = True) -> AuditTable:
    rng = np.random.default_rng(0)
    x, kind = rng.normal(size=n), rng.choice(["a", "b"], n)
    z = 1.2 * x + 0.8 * (kind == "b")
    df = pd.DataFrame({"x": x, "kind": kind, "score": z + rng.normal(0, 0.5, n)})
    df["outcome"] = (rng.random(n) < expit(z - 0.5)).astype(int)
    df["w"] = rng.integers(1, 4, n)
    return read_table(
        df if weight else df.drop(columns="w"),
        score="score",
        outcome="outcome" if outcome else None,
        drop=() if outcome else ("outcome",),
        sampling_weight="w" if weight else None,
    )


def fit(t: AuditTable, bags: int = 5, seed: int = 0, pairs: int = 0) -> Models:
    rng = np.random.default_rng(seed)
    _, curve = calibrate(t.score, t.outcome, t.mass, 0.95, rng)
    return fit_models(
        t, curve, make_folds(len(t), 5, rng), pairs=pairs, bags=bags, rng=rng, tell=quiet, rounds=60
    )


def test_folds_are_of_equal_size() -> None:
    folds = make_folds(103, 5, np.random.default_rng(0))
    assert np.bincount(folds.of).tolist() == [21, 21, 21, 20, 20]


def test_both_models_follow_what_they_should() -> None:
    t = table()
    m = fit(t)
    assert np.corrcoef(m.score_out, t.score)[0, 1] > 0.85
    assert m.outcome_out is not None
    assert auc(m.outcome_out, t.outcome)(t.mass) > 0.7
    assert m.bags.score.shape == m.bags.outcome.shape == (5, m.design.starts[-1])
    assert all((m.drawn(i) == 0).any() for i in range(5))  # rows that a bag left out
    assert (m.drawn(3) == m.drawn(3)).all()
    assert not (m.drawn(3) == m.drawn(4)).all()
    assert m.mass.sum() == 2 * len(t)


def test_same_seed_same_models() -> None:
    t = table(300)
    a, b = fit(t, bags=2), fit(t, bags=2)
    assert (a.score_out == b.score_out).all()
    assert (a.bags.score == b.bags.score).all()
    assert not (a.bags.score == fit(t, bags=2, seed=1).bags.score).all()


def test_out_of_fold_predictions_see_no_row_of_their_own() -> None:
    t = table()
    rng = np.random.default_rng(0)
    noise = rng.normal(size=len(t))
    blind = read_table(pd.DataFrame({"x": rng.normal(size=len(t)), "score": noise}), score="score")
    m = fit(blind)
    assert abs(np.corrcoef(m.score_out, noise)[0, 1]) < 0.15


def test_score_only_and_weights() -> None:
    alone = fit(table(outcome=False))
    assert alone.outcome_out is None
    assert alone.outcome is None
    assert np.isnan(alone.bags.outcome).all()
    weighted = table(weight=True)
    m = fit(weighted)
    assert m.mass.sum() == pytest.approx(2 * len(weighted))


def test_interrupted_after_enough_bags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "ENOUGH_BAGS", 3)
    t = table(300)
    rng = np.random.default_rng(0)
    _, curve = calibrate(t.score, t.outcome, t.mass, 0.95, rng)
    for stop, wanted in ((4, 4), (2, None)):

        def tell(stage: str, done: float, total: float, stop: int = stop) -> None:
            if stage == "bags" and done == stop:
                raise KeyboardInterrupt

        given = (t, curve, make_folds(300, 3, rng))
        if wanted is None:
            with pytest.raises(KeyboardInterrupt):
                fit_models(*given, pairs=0, bags=9, rng=rng, tell=tell, rounds=0)
        else:
            found = fit_models(*given, pairs=0, bags=9, rng=rng, tell=tell, rounds=0)
            assert len(found.bags) == wanted


def test_bags_of_many_rows_take_one_step_to_the_same_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    t = table(8000)
    full = fit(t, bags=12)
    monkeypatch.setattr(fitting, "_MANY", 5000)
    quick = fit(t, bags=12)
    for name in ("score", "outcome"):
        a, b = getattr(quick.bags, name), getattr(full.bags, name)
        live = full.mass > 0
        spread = b.std(axis=0)
        assert (np.abs(a - b)[:, live] < 0.35 * spread[live] + 1e-9).all()
        assert np.abs(a - b)[:, live].mean() < 0.05 * spread[live].mean()
        ratio = getattr(quick.bags, f"{name}_spread") / getattr(full.bags, f"{name}_spread")
        assert np.abs(ratio - 1).max() < 0.01


def test_boosting_sees_some_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_MOST_BOOSTED", 30)
    weight = np.r_[np.zeros(20), np.arange(1.0, 81)]
    some = fitting.some_rows(weight)
    assert (some > 0).sum() == 30
    assert (some[some > 0] == weight[some > 0]).all()


def test_fidelity_of_known_errors() -> None:
    rng = np.random.default_rng(0)
    s = rng.normal(size=2000)
    out = s + rng.choice([-0.5, 0.5], 2000)
    o = (rng.random(2000) < expit(s)).astype(float)
    df = pd.DataFrame({"x": rng.normal(size=2000), "score": s, "outcome": o})
    t = read_table(df, score="score", outcome="outcome")
    found = fidelity(t, out, s, 0.95, rng)
    assert found.score_rmse.value == pytest.approx(0.5)
    assert found.score_r2.value == pytest.approx(0.75, abs=0.03)
    assert found.outcome_auc is not None
    assert found.outcome_auc.low < found.outcome_auc.value < found.outcome_auc.high
    assert found.outcome_auc == found.outcome_auc
    assert fidelity(replace(t, outcome=None), out, None, 0.9, rng).score_auc is None


def test_auc_is_that_of_sklearn() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    s, o, w = rng.integers(0, 9, 500) * 1.0, rng.integers(0, 2, 500) * 1.0, rng.random(500)
    assert auc(s, o)(w) == pytest.approx(roc_auc_score(o, s, sample_weight=w))
