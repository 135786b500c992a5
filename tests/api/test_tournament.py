from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

import limbeck
from limbeck.api.tournament import _agreement
from limbeck.certificates.binomial import interval
from limbeck.core.errors import InvalidInput
from limbeck.results.tournament import Tournament

rng = np.random.default_rng(0)
X = rng.normal(size=(600, 3)).round(2)
Y = np.where(X[:, 0] + (X[:, 1] > 0.5) > 0.3, "yes", "no")
FOREST = RandomForestClassifier(8, max_depth=4, random_state=0).fit(X[:200], Y[:200])
REST = X[200:], Y[200:]


def run(**given):
    return limbeck.tournament(
        given.pop("teacher", FOREST), *given.pop("rows", REST),
        into=given.pop("into", ["linear", "junta"]), max_numbers=given.pop("max_numbers", 16),
        progress=False, **given,
    )  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Tournament:
    return run()


def test_finalists_are_certified_together_on_rows_that_none_saw(found):
    count = len(found.finalists)
    assert count == len(found.fronted) >= 1
    for finalist in found.finalists:
        assert finalist.certificate.settings["candidates"] == count
        assert finalist.certificate.n == 120
        held = finalist.holdout
        checked = limbeck.verify(finalist.certificate, finalist.student, held.rows, held.answers)
        assert checked.ok
        assert [e.role for e in finalist.comparison.entries][:3] == [
            "teacher",
            "student",
            "control",
        ]


def test_the_front_rises_with_size(found):
    numbers = [c.numbers for c in found.fronted]
    agreement = [c.left_out.value for c in found.fronted]
    assert numbers == sorted(set(numbers))
    assert agreement == sorted(agreement)
    for candidate, finalist in zip(found.fronted, found.finalists, strict=True):
        assert finalist.student.numbers == candidate.numbers
        assert finalist.settings["into"] == candidate.into


def test_the_columns_that_every_fit_uses_are_named(found):
    counts = found.fronted[found.recommended].columns
    assert set(counts) <= {"x0", "x1", "x2"}
    assert max(counts.values()) <= 4
    assert counts["x0"] == 4
    printed = " ".join(str(found).split())
    assert f"Fitted again {found.refits} times" in printed
    by_text = {s.text: s for s in found.statements}
    assert by_text["x0 is used"].refits.value == 1
    assert by_text["x0 is used"].near == found.near
    assert by_text["more x0 never speaks against yes"].refits.value == 1
    frame = found.to_frame("statements")
    assert list(frame["statement"]) == [s.text for s in found.statements]


def test_best_answers_for_size_kind_and_nearness(found):
    assert found.best() is found.finalists[found.recommended]
    largest = found.fronted[-1].numbers
    assert found.best(largest) is found.finalists[-1]
    assert found.best(max_numbers=found.fronted[0].numbers) is found.finalists[0]
    assert found.best(within=1.0) is found.finalists[0]
    kind = found.fronted[0].into
    assert type(found.best(kind=kind).student).__name__.lower() == kind
    with pytest.raises(InvalidInput, match="No finalist holds 1 numbers or fewer"):
        found.best(1)
    with pytest.raises(InvalidInput, match="No 'forest' is on the front"):
        found.best(kind="forest")
    with pytest.raises(InvalidInput, match="within is -1"):
        found.best(within=-1)


def test_it_prints_draws_saves_and_loads(found, tmp_path):
    printed = str(found)
    assert "most (95%)" in printed
    assert found.sentence.split(":")[0][:40] in printed.replace("\n", " ")
    folder = found.save(tmp_path / "run")
    again = limbeck.load(folder)
    assert str(again) == printed
    assert again.best().student.fingerprint() == found.best().student.fingerprint()
    assert list(found.to_frame()["numbers"]) == [c.numbers for c in found.fronted]
    page = (folder / "report.html").read_text()
    assert found.sentence.split(":")[0] in page
    assert "limbeck" in found._repr_html_()


def test_agreement_says_what_it_was_measured_on(found, tmp_path):
    """Few rows are joined by queries made from them, and the label says so."""
    assert found.settings["judged_queries"] > 0
    page = found.report(tmp_path / "page.html").read_text()
    assert "on rows left out and queries from them" in " ".join(page.split())
    printed = str(found).splitlines()
    assert "on rows left out and" in printed[1]
    assert "queries from them" in printed[2]
    assert "Chosen on rows left out of training in turn and queries made" in str(found)
    stored = run(teacher=(REST[0], FOREST.predict_proba(REST[0])), into=["linear"],
                 rows=(REST[0], None), classes=list(FOREST.classes_))  # fmt: skip
    assert stored.settings["judged_queries"] == 0
    for text in (str(stored), stored.report(tmp_path / "page.html").read_text()):
        assert "rows left out" in text
        assert "queries made" not in text


def test_the_front_is_a_picture_of_its_own(found):
    """Well-formed, with a mark for every student and a ring around the recommended one."""
    drawn = ElementTree.fromstring(found.svg())
    marks = [e.get("class") for e in drawn.iter() if e.find("{*}title") is not None]
    assert marks.count("point main") == len(found.fronted)
    assert marks.count("point") == len(found.candidates) - len(found.fronted)
    rings = [e for e in drawn.iter() if e.get("class") == "ring"]
    assert len(rings) == 2  # one of them in the key
    assert "http" not in found.svg().replace("http://www.w3.org/2000/svg", "")


def test_the_same_seed_gives_the_same_students(found):
    again = run()
    assert [f.student.fingerprint() for f in again.finalists] == [
        f.student.fingerprint() for f in found.finalists
    ]


def test_values_are_recommended_by_their_tolerance():
    y = X[:, 0] * 2 + (X[:, 1] > 0.5)
    forest = RandomForestRegressor(5, max_depth=4, random_state=0).fit(X[:200], y[:200])
    found = run(teacher=forest, rows=(X[200:], y[200:]), into=["linear"])
    assert "within (95%)" in str(found)
    assert found.sentence.startswith("Take the linear of")


def test_none_that_is_good_enough_is_said():
    noise = {x.tobytes(): a for x, a in zip(X, rng.random(len(X)) < 0.5, strict=True)}

    def coin(rows):
        return np.where([noise[x.tobytes()] for x in np.asarray(rows)], "yes", "no")

    found = run(teacher=(X[200:], coin(X[200:])), rows=(X[200:], None), into=["linear"])
    assert "No readable student within 16 numbers reaches 5%; the best reaches" in found.sentence


def test_what_the_teacher_does_not_grant_is_listed():
    found = run(teacher=(REST[0], FOREST.predict(REST[0])))
    assert [(u.into, u.reason) for u in found.unfinished] == [
        ("junta", "needs queries of the teacher")
    ]


def test_a_budget_of_time_that_is_too_short_is_an_error_that_names_all():
    with pytest.raises(InvalidInput, match=r"No way came .* linear by .*: no time was left"):
        run(seconds=1e-9, into=["linear"])


def test_a_tree_is_not_recommended_where_a_linear_model_is_as_faithful_and_smaller():
    """A slanted line takes a tree many leaves, and a linear student five numbers or fewer."""

    def line(rows):
        return np.where(np.asarray(rows) @ [1.0, -1.0, 0.5] > 0, "yes", "no")

    rows = X[:200]
    found = run(
        teacher=(rows, line(rows)), rows=(rows, None), into=["tree", "linear"], max_numbers=9
    )
    trees = [c for c in found.candidates if c.into == "tree"]
    assert trees  # it was in the race
    chosen = found.fronted[found.recommended]
    assert chosen.into == "linear"
    assert all(
        t.left_out.value < chosen.left_out.value for t in trees if t.numbers >= chosen.numbers
    )


def test_the_sentence_never_understates_a_bound(found):
    """A certificate of 7.64% is not one for 7.6%."""
    chosen = found.finalists[found.recommended]
    for epsilon, asked in [(0.0764, 0.1), (0.0764, 0.05)]:
        certificate = replace(chosen.certificate, epsilon=epsilon)
        one = replace(
            found, candidates=(found.fronted[found.recommended],), recommended=0,
            finalists=(replace(chosen, certificate=certificate),),
            settings={**found.settings, "epsilon": asked},
        )  # fmt: skip
        assert "7.64%" in one.sentence


def test_agreement_has_an_interval_where_no_loss_was_seen():
    none = _agreement(np.zeros(100), True)
    assert (none.value, none.high) == (1.0, 1.0)
    assert none.low == pytest.approx(0.025 ** (1 / 100))  # Clopper and Pearson, no error of 100
    few = _agreement(np.r_[np.ones(3), np.full(2, 0.25), np.zeros(95)], True)
    assert few.value == pytest.approx(0.965)
    assert few.low == pytest.approx(1 - interval(4, 100, 0.05)[1])
    assert few.high == pytest.approx(1 - interval(3, 100, 0.05)[0])


def test_a_constant_teacher_has_a_constant_student():
    """One answer to every row is one number, certified, and said to be a constant."""

    def constant(rows):
        return np.tile([0.1, 0.9], (len(rows), 1))

    found = run(teacher=constant, rows=(X[:200], Y[:200]), into=["tree", "linear"])
    assert found.best().student.numbers == 1
    assert set(found.best().student.predict(X)) == {"yes"}
    assert "uses no column: it answers every row alike" in str(found)
    with pytest.raises(InvalidInput, match="at least two different classes"):
        run(teacher=lambda rows: np.full(len(rows), "yes"), rows=(X, None))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seconds": 0}, "seconds is 0"),
        ({"max_numbers": 1}, "max_numbers is 1"),
        ({"epsilon": 2.0}, "epsilon is 2.0"),
        ({"into": ["tre"]}, "There is no student 'tre'. Did you mean 'tree'"),
        ({"into": []}, "into is empty"),
        ({"seconds": "60"}, "seconds is '60'"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"n_jobs": "two"}, "n_jobs is 'two'"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(given, message):
    with pytest.raises(InvalidInput, match=message):
        run(**given)


def test_into_auto_is_the_recommended_student(found):
    result = limbeck.distill(FOREST, *REST, into="auto", max_numbers=16, progress=False,
                             among=["linear", "junta"], max_leaves=None)  # fmt: skip
    assert result.student.fingerprint() == found.best().student.fingerprint()


@pytest.mark.parametrize("verb", ["tournament", "distill"])
def test_rows_without_labels_are_refused_and_what_takes_them_is_named(verb):
    X = np.random.default_rng(0).normal(size=(60, 3))
    more = {"into": "auto"} if verb == "distill" else {}
    with pytest.raises(InvalidInput, match="into=name, unlabelled"):
        getattr(limbeck, verb)(lambda x: x[:, 0] > 0, X[:40], unlabelled=X[40:], **more)
