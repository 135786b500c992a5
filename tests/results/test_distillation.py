from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from limbeck import certify, distill, load, verify
from limbeck.api.load import read_table
from limbeck.certificates.certificate_file import load as load_certificate
from limbeck.certificates.fingerprint import row_hashes
from limbeck.core.errors import InvalidInput
from limbeck.results.distillation import check_saved_names


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True, as_frame=True)
    X = X.drop_duplicates()  # the one repeat may fall on both sides of the split
    names = np.array(["setosa", "versicolor", "virginica"])[y[X.index]]
    teacher = DecisionTreeClassifier(random_state=0).fit(X[::3], names[::3])
    rest = np.arange(len(X)) % 3 > 0
    return distill(teacher, X[rest], names[rest], queries=200, max_leaves=6)


def mixed(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "x": rng.normal(size=n).astype(np.float32),
            "count": rng.integers(0, 9, n),
            "colour": pd.Categorical(rng.choice(["red", "green"], n)),
            "stage": pd.Categorical(rng.integers(1, 4, n), ordered=True),
            "on": rng.random(n) < 0.5,
        }
    )
    X.loc[::7, "colour"] = np.nan
    X.loc[::5, "x"] = np.nan
    return X


def by_colour(X):
    return np.where((X["colour"] == "red") | X["on"], "yes", "no")


def test_a_folder_holds_what_a_third_party_needs(iris, tmp_path):
    folder = iris.save(tmp_path / "deep" / "run")
    assert folder == tmp_path / "deep" / "run"
    assert {p.name for p in folder.iterdir()} == {
        "student.json", "certificate.json", "result.json", "seen.npy", "holdout.parquet",
        "report.html",
    }  # fmt: skip
    student = load(folder / "student.json")
    assert student.fingerprint() == iris.student.fingerprint()
    assert load_certificate(folder / "certificate.json") == iris.certificate
    rows = pd.read_parquet(folder / "holdout.parquet")
    assert list(rows.columns) == [*iris.student.features_.names, "teacher_label", "true_label"]
    np.testing.assert_array_equal(rows["teacher_label"], iris.holdout.answers)
    np.testing.assert_array_equal(rows["true_label"], iris.holdout.y)
    found = verify(folder / "certificate.json", student, rows, rows["teacher_label"])
    assert found.ok, str(found)
    seen = np.load(folder / "seen.npy", allow_pickle=False)
    assert len(seen) == iris.rows_seen
    again = certify(student, rows, rows["teacher_label"], epsilon=0.05, seen=seen)
    assert again.epsilon == iris.certificate.epsilon


def test_numbers_as_json(iris, tmp_path):
    data = json.loads((iris.save(tmp_path) / "result.json").read_text())
    assert data["format"] == "limbeck-result"
    assert data["version"] == 1
    assert data["verdict"] == iris.verdict
    assert 0 < data["queries"] <= 200
    assert data["rows_seen"] == iris.rows_seen == len(np.load(tmp_path / "seen.npy"))
    assert data["status"]["code"] == iris.status.code.name.lower()
    assert [e["role"] for e in data["comparison"]["entries"]][:3] == [
        "teacher", "student", "control",
    ]  # fmt: skip
    assert data["trace"]["frontier"] == [list(map(float, f)) for f in iris.trace["frontier"]]


def strict(text):
    """JSON as any other parser reads it: without NaN and Infinity."""

    def refuse(name):
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("into", ["tree", "junta"])
def test_json_is_strict_and_a_folder_comes_back(into, tmp_path):
    X, y = mixed(), by_colour(mixed())
    result = distill(by_colour, X, y, into=into, epsilon=0.2, groups=X["on"])
    folder = result.save(tmp_path / "run")
    data = strict((folder / "result.json").read_text())
    assert data.pop("checksum")
    if into == "junta":
        assert data["frontier"][0]["cost"] is None  # a table has no cost of a search
    again = load(folder)
    assert type(again) is type(result)
    assert str(again) == str(result)
    assert again.certificate == result.certificate
    assert again.comparison == result.comparison
    assert again.student.fingerprint() == result.student.fingerprint()
    np.testing.assert_array_equal(again.holdout.rows.values, result.holdout.rows.values)
    assert verify(again.certificate, again.student, again.holdout.rows, again.holdout.answers,
                  groups=again.holdout.groups).ok  # fmt: skip
    again.save(tmp_path / "copy")
    names = {p.name for p in folder.iterdir()}
    for name in names - {"holdout.parquet"}:
        assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes(), name
    assert strict(json.dumps(again.to_dict(), allow_nan=False)) == data


def test_a_folder_without_rows_comes_back_without_them(iris, tmp_path):
    again = load(iris.save(tmp_path, rows=False))
    assert again.holdout is None
    assert str(again) == str(iris)
    again.save(tmp_path / "copy")
    assert not (tmp_path / "copy" / "seen.npy").exists()


def test_rows_may_be_withheld(iris, tmp_path):
    folder = iris.save(tmp_path, rows=False)
    assert not (folder / "holdout.parquet").exists()
    assert (folder / "certificate.json").exists()


def test_saving_again_replaces_and_leaves_no_parts(iris, tmp_path):
    (tmp_path / "student.json").write_text("old")
    (tmp_path / "mine.txt").write_text("kept")
    iris.save(tmp_path)
    iris.save(tmp_path)
    assert load(tmp_path / "student.json").fingerprint() == iris.student.fingerprint()
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_file_is_no_folder(iris, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(InvalidInput, match="is a file"):
        iris.save(path)


@pytest.mark.parametrize("arrow", [True, False])
@pytest.mark.parametrize("kind", ["mixed", "numbers", "array", "float32"])
def test_any_rows_can_be_verified_from_the_folder(kind, arrow, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    if kind == "mixed":
        result = distill(by_colour, mixed(), by_colour(mixed()), queries=50, max_leaves=4)
    elif kind == "numbers":
        X = pd.DataFrame(
            rng.normal(size=(200, 3)) * 10.0 ** np.array([-12, 0, 9]), columns=[*"abc"]
        )
        result = distill(
            lambda X: np.exp(X["b"].to_numpy()), X, regression=True, epsilon=0.1, queries=50
        )
    else:
        X = rng.normal(size=(200, 3)).astype(np.float64 if kind == "array" else np.float32)
        result = distill(lambda X: (X[:, 0] > 0).astype(int), X, classes=[0, 1], queries=50)
    if not arrow:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    folder = result.save(tmp_path)
    monkeypatch.undo()
    name = "holdout.parquet" if arrow else "holdout.csv"
    rows = read_table(folder / name)
    student = load(folder / "student.json")
    found = verify(folder / "certificate.json", student, rows, rows["teacher_label"])
    assert found.ok, str(found)
    np.testing.assert_array_equal(
        row_hashes(student.features_.encode(rows)), row_hashes(result.holdout.rows.values)
    )


def test_the_page_is_one_file_with_nothing_from_elsewhere(iris, tmp_path):
    path = iris.report(tmp_path / "page.html")
    page = path.read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    links = []

    class Links(HTMLParser):
        def handle_starttag(self, tag, attrs):
            links.extend(v for k, v in attrs if k in ("src", "href") and v and ":" in v)

    Links().feed(page)
    assert not [v for v in links if v.startswith(("http", "//", "file"))]
    assert "<script" not in page
    assert iris.student.fingerprint()[:12] in page


def test_it_prints_as_a_table_and_as_html(iris):
    assert str(iris) == repr(iris)
    assert str(iris).count("virginica") == 1  # agreement by class, and no rows
    assert iris.certificate.statement.split(",")[0] in " ".join(str(iris).split())
    assert "<table" in iris._repr_html_()


@pytest.mark.parametrize(
    ("names", "groups", "cases", "refused"),
    [
        (["x", "group"], "race", None, "group"),
        (["x", "group"], "group", None, ""),
        (["x", "group"], None, None, ""),
        (["case"], None, [1, 2], "case"),
        (["true_label"], None, None, "true_label"),
        (["teacher_label"], None, None, "teacher_label"),
    ],
)
def test_features_that_saving_would_overwrite_are_refused(
    names: list[str], groups: object, cases: object, refused: str
) -> None:
    if not refused:
        check_saved_names(names, groups, cases)
        return
    with pytest.raises(InvalidInput, match=f"A feature is called '{refused}'"):
        check_saved_names(names, groups, cases)
