"""`distill(..., via=...)` from end to end: certificate, page, folder, verification."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.methods.greedy import Greedy

rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(700, 3)), columns=["a", "b", "c"])
Y = np.where(X["a"] + X["b"] > 0, "yes", "no")
STEP = Greedy(max_leaves=6, queries=300)


@pytest.fixture(scope="module")
def result() -> limbeck.Distillation:
    forest = RandomForestClassifier(10, random_state=0).fit(X[::2], Y[::2])
    return limbeck.distill(
        forest, X[1::2], Y[1::2], into="linear", via=STEP, queries=300, progress=False, seed=1
    )


def test_both_bounds_are_made_of_rows_that_no_step_saw(result: limbeck.Distillation) -> None:
    found = result.chain
    assert found is not None
    assert result.holdout is not None
    assert found.direct == result.certificate
    assert result.certificate.delta == 0.025
    assert [c.delta for c in found.steps] == [0.0125, 0.0125]
    assert [c.student for c in found.steps] == [s.fingerprint() for s in result.steps]
    assert result.steps[-1] is result.student
    assert all(c.settings["seen"]["hits"] == 0 for c in found.steps)
    tree, last = (s.predict(result.holdout.rows) for s in result.steps)
    assert found.steps[0].mean_loss == pytest.approx((tree != result.holdout.answers).mean())
    assert found.steps[1].mean_loss == pytest.approx((last != tree).mean())
    assert found.epsilon >= found.direct.epsilon == found.bound


def test_the_page_leads_with_the_bound_of_the_steps_where_it_is_smaller(
    result: limbeck.Distillation, tmp_path: Path
) -> None:
    assert result.chain is not None
    steps = tuple(replace(c, epsilon=0.01) for c in result.chain.steps)  # as on many more rows
    chain = replace(result.chain, steps=steps)
    assert chain.by_steps
    assert not result.certificate.reached
    surer = replace(result, chain=chain)
    said = "differs from the teacher on at most 2% of inputs, by the bound of its steps."
    assert said in surer.report(tmp_path / "steps.html").read_text()
    assert said in surer._repr_html_()
    assert "by the bound of its steps" not in result.report(tmp_path / "direct.html").read_text()


def test_both_are_shown(result: limbeck.Distillation, tmp_path: Path) -> None:
    text = " ".join(str(result).split())
    assert "By its steps (the tree from the teacher by at most" in text
    assert "without steps" in text
    assert result.chain is not None
    assert result.chain.sentence in result.verdict
    page = result.report(tmp_path / "report.html").read_text()
    assert "Step by step" in page
    frame = result.to_frame("chain")
    assert frame["compared"].tolist() == [
        "teacher → tree", "tree → linear", "all steps", "teacher → linear, directly",
    ]  # fmt: skip
    assert frame["epsilon"][2] == pytest.approx(frame["epsilon"][:2].sum())


def test_the_folder_verifies_step_by_step(result: limbeck.Distillation, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "run")
    again = limbeck.load(folder)
    assert str(again) == str(result)
    assert again.chain == result.chain
    for i, name in enumerate(("1-tree", "2-linear")):
        step = folder / "steps" / name
        rows = pd.read_parquet(step / "holdout.parquet")
        student = limbeck.load(step / "student.json")
        assert result.chain is not None
        verdict = limbeck.verify(
            result.chain.steps[i], student, rows.drop(columns="teacher_label"),
            rows["teacher_label"].to_numpy(), seen=np.load(step / "seen.npy"),
        )  # fmt: skip
        assert verdict.ok, verdict


def test_numbers_have_tolerances_that_add_up_where_rows_are_enough() -> None:
    target = X.to_numpy() @ [1.0, 2.0, 0.0]
    model = LinearRegression().fit(X, target)
    few = limbeck.distill(
        model, X[:300], target[:300], into="linear", via=STEP, queries=0, progress=False
    )
    assert few.chain is None
    assert few.certificate.delta == 0.05
    assert any("not certified one by one" in note for note in few.notes)
    many = limbeck.distill(
        model, X, target, into="linear", via=STEP, queries=0, progress=False, holdout=0.5
    )
    assert many.chain is not None
    assert many.chain.tolerance is not None
    assert many.chain.tolerance >= many.chain.bound
    assert many.chain.epsilon == pytest.approx(0.05)


def test_via_is_refused_where_it_means_nothing() -> None:
    with pytest.raises(InvalidInput, match="via was given"):
        limbeck.distill(lambda rows: rows[:, 0], X, into="auto", via="tree")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("run/", r"give via=limbeck\.load\('run/'\)"),
        (RandomForestClassifier(), "via is RandomForestClassifier"),
        (3, "via is int"),
        ([None], "via is NoneType"),
    ],
)
def test_what_is_no_step_is_refused_by_its_own_name(given, words) -> None:
    with pytest.raises(InvalidInput, match=words):
        limbeck.distill(lambda rows: rows[:, 0], X, into="linear", via=given, progress=False)


def test_an_earlier_result_is_a_step_without_work(tmp_path: Path) -> None:
    model = RandomForestClassifier(10, random_state=0).fit(X[::2], Y[::2])
    rows, told = X[1::2], Y[1::2]
    first = limbeck.distill(
        model,
        rows,
        told,
        into="tree",
        method="greedy",
        queries=300,
        out=tmp_path / "tree",
        progress=False,
    )
    found = limbeck.distill(model, rows, told, into="linear", via=first, queries=0, progress=False)
    assert found.steps[0] is first.student
    assert found.chain is not None
    assert found.chain.students[0] == "tree"
    assert found.trace["steps"][0]["into"] == "tree"
    assert found.trace["steps"][0]["queries"] == 0
    assert "A student made before: The tree is taken as it is." in found.status.message
    both = np.unique(np.concatenate([first.holdout.seen, found.holdout.seen]))
    assert len(both) == len(np.unique(found.holdout.seen))  # whoever verifies sees all of them
    again = limbeck.load(tmp_path / "tree")
    same = limbeck.distill(model, rows, told, into="linear", via=again, queries=0, progress=False)
    assert same.student.fingerprint() == found.student.fingerprint()


def test_an_earlier_result_that_saw_the_rows_of_the_certificate_is_refused() -> None:
    model = RandomForestClassifier(10, random_state=0).fit(X[::2], Y[::2])
    first = limbeck.distill(model, X, Y, into="tree", method="greedy", queries=300, progress=False)
    with pytest.raises(InvalidInput, match="rows that are set aside"):
        limbeck.distill(model, X, Y, into="rules", via=first, seed=5, progress=False)
    with pytest.raises(InvalidInput, match="stands second on the way"):
        limbeck.distill(model, X, Y, into="rules", via=["junta", first], progress=False)
    with pytest.raises(InvalidInput, match="has cases"):
        limbeck.distill(
            model, X, Y, into="rules", via=first, cases=np.arange(len(X)), progress=False
        )
    renamed = X.set_axis(["p", "q", "r"], axis=1)
    with pytest.raises(InvalidInput, match="reads the columns a, b, c, and X has p, q, r"):
        limbeck.distill(
            lambda rows: model.predict(rows.set_axis(X.columns, axis=1)), renamed, Y,
            into="rules", via=first, progress=False,
        )  # fmt: skip
