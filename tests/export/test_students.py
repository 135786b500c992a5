"""Exports run in their own languages, and answer as the student does."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from functools import cache

import duckdb
import numpy as np
import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.export.students import SUFFIXES, export_student, source_of
from limbeck.students.additive.additive import Additive
from limbeck.students.formula import columns_of
from limbeck.students.junta.junta import Junta
from limbeck.students.linear.linear import Linear
from limbeck.students.m_of_n.m_of_n_tree import MOfNTree
from limbeck.students.oblique_tree.tree import ObliqueTree
from limbeck.students.rule_list.rule_list import RuleList
from limbeck.students.rules.rule_set import RuleSet
from limbeck.students.scorecard.scorecard import Scorecard
from limbeck.students.sparse_sum.sparse_sum import SparseSum
from limbeck.students.tree.tree import Tree

N = 200  # rows of a quick test
TASKS = ("binary", "multiclass", "regression")
NAME = 'odd "name" */ \\ \n \'; DROP TABLE rows; """'


def table(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({
        "age [years]": rng.integers(18, 90, n).astype(float),
        NAME: rng.lognormal(0, 1, n),
        "member": pd.array(rng.random(n) < 0.4, dtype="boolean"),
        "colour": pd.Categorical(rng.choice(["red", "it's", 'blue"\\'], n)),
    })  # fmt: skip
    for name in X:
        X.loc[rng.random(n) < 0.08, name] = None
    return X


@cache
def student(kind: str, task: str):
    X = table(200, 0)
    total = (
        X["age [years]"].fillna(40) / 30 + X[NAME].fillna(3) + X["member"].fillna(False) * 1.5
        - (X["colour"] == "it's")
    ).to_numpy(float)  # fmt: skip
    y = {
        "binary": np.where(total > np.median(total), "yes \"'\\", "né"),
        "multiclass": np.array([10, 20, 30])[np.digitize(total, [2, 4])],
        "regression": total,
    }[task]
    made = {
        "tree": lambda: Tree(12),
        "junta": lambda: Junta(["age [years]", "member", "colour"], bins=4),
        "sparse_sum": lambda: SparseSum(12, exactly=True),  # hinges too
        "additive": lambda: Additive(pairs=1, bins=8),
        "rule_list": lambda: RuleList(6),
        "rules": lambda: RuleSet(6),
        "m_of_n": lambda: MOfNTree(6),
        "linear": lambda: Linear(),
        "scorecard": lambda: Scorecard(12),
        "oblique_tree": lambda: ObliqueTree(hidden=(2,)),
    }[kind]()
    return made.fit(X.drop(columns="colour") if kind == "oblique_tree" else X, y)


KINDS = ("tree", "junta", "sparse_sum", "additive", "rule_list", "rules", "m_of_n", "linear",
         "scorecard", "oblique_tree")  # fmt: skip
SUMS = ("sparse_sum", "additive", "linear", "scorecard", "oblique_tree")
BOTH = [(kind, task) for kind in KINDS for task in TASKS]
WRITTEN = [(k, t) for k, t in BOTH if k in KINDS[:7] or (k, t) == ("oblique_tree", "binary")]
"""Linear students and scorecards are the formula of a sum."""


def near_edges(kind: str, task: str, n: int) -> pd.DataFrame:
    """Fresh rows, with values at thresholds and one step beside, and levels never seen."""
    return _near_edges(kind, task, n).copy()


@cache
def _near_edges(kind: str, task: str, n: int) -> pd.DataFrame:
    X, rng = table(n, 7), np.random.default_rng(3)
    edges = {0: [], 1: []}

    def walk(part):
        if type(part).__name__ == "AtMost" and hasattr(part.part, "column"):
            edges.setdefault(part.part.column, []).append(part.value)
        for value in vars(part).values():
            for inner in value if isinstance(value, tuple) else (value,):
                if hasattr(inner, "__dataclass_fields__"):
                    walk(inner)

    for score in student(kind, task).formula().scores:
        walk(score)
    for j, name in enumerate(["age [years]", NAME]):
        if edges[j]:
            at = rng.choice(edges[j], n)
            beside = np.nextafter(at, rng.choice([-np.inf, np.inf], n))
            exact = rng.random(n)
            column = np.where(exact < 0.2, at, np.where(exact < 0.4, beside, X[name]))
            X[name] = np.where(X[name].isna(), np.nan, column)
    X["colour"] = X["colour"].astype(object)
    X.loc[rng.random(n) < 0.05, "colour"] = "mauve"
    return X[list(student(kind, task).features_.names)]


def plain_rows(X: pd.DataFrame) -> list[dict]:
    """Rows as JSON has them: numbers, true and false, texts, and null where a value is missing."""

    def plain(name, value):
        if value is None or value is pd.NA or value != value:
            return None
        return bool(value) if name == "member" else value

    rows = X.astype(object).to_dict(orient="records")
    return [{name: plain(name, value) for name, value in row.items()} for row in rows]


def in_python(source, X, made, tmp_path):
    scope: dict = {}
    exec(source, scope)
    rows = plain_rows(X)
    labels = [scope["predict"](row) for row in rows]
    if not made.task_.classifies:
        return labels, None
    shares = [scope["predict_proba"](row) for row in rows]
    return labels, np.array([[p[c] for c in made.task_.classes] for p in shares])


def in_c(source, X, made, tmp_path):
    k = len(made.task_.classes)
    proba = "double p[LIMBECK_OUTPUTS]; limbeck_probabilities(x, p);" if k else ""
    write = "fwrite(p, sizeof p, 1, stdout);" if k else ""
    (tmp_path / "student.h").write_text(source)
    (tmp_path / "main.c").write_text(
        f'#include <stdio.h>\n#include "student.h"\nint main(void) {{ double x[{X.shape[1]}];'
        " while (fread(x, sizeof x, 1, stdin) == 1) { double a = limbeck_predict(x);"
        f" fwrite(&a, sizeof a, 1, stdout); {proba} {write} }} return 0; }}"
    )
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Werror", "-Wno-unused", "-O0", "main.c", "-lm",
                    "-o", "main"], cwd=tmp_path, check=True)  # fmt: skip
    values = made.features_.encode(X)
    told = subprocess.run([tmp_path / "main"], input=values.tobytes(), capture_output=True,
                          check=True).stdout  # fmt: skip
    found = np.frombuffer(told).reshape(len(X), 1 + k)
    if not k:
        return found[:, 0].tolist(), None
    return [made.task_.classes[int(i)] for i in found[:, 0]], found[:, 1:]


RUN_ALL = """
import fs from "fs";
for (const name of process.argv.slice(2)) {
  const s = await import(`./${name}/student.mjs`);
  const rows = JSON.parse(fs.readFileSync(`${name}/rows.json`));
  const told = [rows.map(s.predict), s.predictProba ? rows.map(s.predictProba) : null];
  fs.writeFileSync(`${name}/told.json`, JSON.stringify(told));
}
"""


@cache
def run_javascript(n, folder):
    """Node starts once for all students, and takes longer to start than to answer."""
    for kind, task in WRITTEN:
        own = folder / f"{kind}-{task}"
        own.mkdir()
        (own / "student.mjs").write_text(source_of(student(kind, task), ".mjs"))
        (own / "rows.json").write_text(json.dumps(plain_rows(near_edges(kind, task, n))))
    (folder / "main.mjs").write_text(RUN_ALL)
    names = [f"{kind}-{task}" for kind, task in WRITTEN]
    subprocess.run(["node", "main.mjs", *names], cwd=folder, capture_output=True, check=True)


def check_javascript(kind, task, n, folder):
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    folder.mkdir(exist_ok=True)
    run_javascript(n, folder)
    labels, shares = json.loads((folder / f"{kind}-{task}" / "told.json").read_text())
    made, X = student(kind, task), near_edges(kind, task, n)
    equal(made, kind, X, labels, None if shares is None else np.array(shares))


def with_null(X):
    """Texts with None where they are missing."""
    texts = [name for name in ("colour",) if name in X]
    return X.assign(**{name: X[name].where(X[name].notna(), None) for name in texts})


def sql_frame(X):
    return with_null(X).assign(member=X["member"].astype("Int64"))


def in_sqlite(source, X, made, tmp_path):
    with sqlite3.connect(":memory:") as connection:
        sql_frame(X).to_sql("rows", connection, index=False)
        told = pd.read_sql(source, connection)
    return answers_of(told, made)


def in_duckdb(source, X, made, tmp_path):
    told = duckdb.query_df(with_null(X), "rows", source).df()
    return answers_of(told, made)


def answers_of(told, made):
    if not made.task_.classifies:
        return told["predicted"].tolist(), None
    shares = told[[f"p_{c}" for c in made.task_.classes]].to_numpy()
    return told["predicted"].tolist(), shares


def in_onnx(made, X, dtype, inputs):
    """Labels, or values, and probabilities of an ONNX file; rows are fed as its inputs ask."""
    onnxruntime = pytest.importorskip("onnxruntime")
    model = made.to_onnx(dtype=dtype, inputs=inputs)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    if inputs == "rows":
        fed = {"rows": made.features_.encode(X).astype(dtype)}
    else:
        fed = {
            c.name: X[c.name].astype(object).where(X[c.name].notna(), "").to_numpy(str)[:, None]
            if c.kind == "categorical"
            else X[c.name].astype("float64").to_numpy(dtype, na_value=np.nan)[:, None]
            for c in made.features_.columns
        }
    found = session.run(None, fed)
    return found[0].tolist(), found[1] if made.task_.classifies else None


LANGUAGES = {".py": in_python, ".c": in_c, "sqlite": in_sqlite, "duckdb": in_duckdb}
TOOL = {".c": "gcc"}


def check(kind, task, language, n, tmp_path):
    if language in TOOL and shutil.which(TOOL[language]) is None:
        pytest.skip(f"{TOOL[language]} is not installed")
    made, X = student(kind, task), near_edges(kind, task, n)
    suffix = language if language.startswith(".") else ".sql"
    found = LANGUAGES[language](source_of(made, suffix), X, made, tmp_path)
    equal(made, kind, X, *found)


def equal(made, kind, X, labels, shares):
    expected = made.predict(X)
    if shares is None:
        assert np.allclose(labels, expected, rtol=1e-12, atol=1e-12)
        return
    sure = np.ones(len(X), bool)
    if kind in SUMS:  # a sum that is 0 up to rounding has no label of its own
        top = np.sort(made.predict_proba(X), axis=1)
        sure = top[:, -1] - top[:, -2] > 1e-12
    assert (np.array(labels)[sure] == expected[sure]).all()
    assert np.abs(shares - made.predict_proba(X)).max() < 1e-9


def check_onnx(kind, task, n):
    made, X = student(kind, task), near_edges(kind, task, n)
    for inputs in ("rows", "columns"):
        equal(made, kind, X, *in_onnx(made, X, "float64", inputs))
    for name in ("age [years]", NAME):
        X[name] = X[name].astype("float32")  # rows that are float32, thresholds as they are
    for inputs in ("rows", "columns"):
        equal(made, kind, X, *in_onnx(made, X, "float32", inputs))


@pytest.mark.parametrize(("kind", "task"), BOTH)
def test_an_onnx_file_answers_as_the_student_does(kind, task):
    check_onnx(kind, task, N)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "task"), BOTH)
def test_an_onnx_file_answers_alike_on_100_000_rows(kind, task):
    check_onnx(kind, task, 100_000)


@pytest.mark.parametrize("kind", KINDS)
def test_an_onnx_file_takes_infinities_as_its_formula_does(kind):
    made, X = student(kind, "binary"), table(60, 5)
    values = made.features_.encode(X[list(made.features_.names)])
    values[:20, 0], values[20:40, 1] = np.inf, -np.inf
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(made.to_onnx().SerializeToString())
    label, shares = session.run(None, {"rows": values})
    with np.errstate(invalid="ignore"):
        expected = made.formula().outputs(values)
        positions = made.formula().positions(values)
    known = np.isfinite(expected).all(axis=1)
    assert known.any()
    assert np.allclose(shares[known], expected[known], atol=1e-9)
    assert (label[known] == made.classes_[positions[known]]).all()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "task"), WRITTEN)
def test_an_export_answers_as_the_student_does(kind, task, language, tmp_path):
    check(kind, task, language, N, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "task"), WRITTEN)
def test_an_export_answers_alike_on_100_000_rows(kind, task, language, tmp_path):
    check(kind, task, language, 100_000, tmp_path)


@pytest.mark.parametrize(
    ("kind", "task", "n"),
    [pytest.param(*made, n, marks=pytest.mark.slow if n > N else ())
     for made in WRITTEN for n in (N, 100_000)],
)  # fmt: skip
def test_an_export_to_javascript_answers_as_the_student_does(kind, task, n, tmp_path_factory):
    check_javascript(kind, task, n, tmp_path_factory.getbasetemp() / f"node-{n}")


@pytest.mark.parametrize(("kind", "task"), BOTH)
def test_a_formula_computes_what_the_student_does(kind, task):
    made, X = student(kind, task), near_edges(kind, task, N)
    values = made.features_.encode(X)
    formula = made.formula()
    if task == "regression":
        assert np.allclose(formula.outputs(values)[:, 0], made.predict(X), rtol=1e-12)
    else:
        assert np.allclose(formula.outputs(values), made.predict_proba(X), atol=1e-12)
        assert (made.classes_[formula.positions(values)] == made.predict(X)).mean() > 0.999
    assert set(columns_of(formula.scores[0])) <= set(range(4))


def test_the_end_of_the_name_says_which(tmp_path):
    made = student("tree", "binary")
    for suffix in (*SUFFIXES, ".json", ".onnx"):
        path = export_student(made, tmp_path / f"student{suffix}")
        assert path.stat().st_size > 100
    with pytest.raises(InvalidInput, match=r"no export to '.pmml'"):
        export_student(made, tmp_path / "student.pmml")
    with pytest.raises(InvalidInput, match=r"dtype was given for '.sql'"):
        export_student(made, tmp_path / "student.sql", dtype="float32")
    with pytest.raises(InvalidInput, match=r"dialect='sqlite' was given for '.py'"):
        export_student(made, tmp_path / "student.py", dialect="sqlite")


def test_a_dialect_that_lacks_a_function_is_refused(tmp_path):
    export_student(student("tree", "binary"), tmp_path / "a.sql", dialect="sqlite_without_math")
    with pytest.raises(InvalidInput, match="in sqlite_without_math, which lacks the function EXP"):
        export_student(
            student("linear", "binary"), tmp_path / "b.sql", dialect="sqlite_without_math"
        )
    with pytest.raises(InvalidInput, match="tsql, which lacks truth values"):
        export_student(student("tree", "binary"), tmp_path / "b.sql", dialect="tsql")
    with pytest.raises(InvalidInput, match="Did you mean 'duckdb'"):
        export_student(student("tree", "binary"), tmp_path / "b.sql", dialect="duckdbb")
    assert not (tmp_path / "b.sql").exists()


def test_a_column_that_is_called_like_an_output_is_no_input():
    made = Tree(2).fit(pd.DataFrame({"label": [1.0, 2.0, 5.0, 6.0]}), ["no", "no", "yes", "yes"])
    with pytest.raises(InvalidInput, match=r"called 'label'.*inputs='rows'"):
        made.to_onnx(inputs="columns")
    with pytest.raises(InvalidInput, match="Give 'rows' or 'columns'"):
        made.to_onnx(inputs="row")


def test_names_of_columns_run_nothing(tmp_path):
    X = pd.DataFrame({'a"""\nimport os\nos.abort()\n"""': [1.0, 2.0, 5.0, 6.0]})
    made = Tree(2).fit(X, ["no", "no", "yes", "yes"])
    scope: dict = {}
    exec(source_of(made, ".py"), scope)
    assert scope["predict"]({X.columns[0]: 1.5}) == "no"
    assert "os.abort()\n" not in source_of(made, ".c").replace("\\n", "")
    assert Features.of(X).names[0] in json.loads(json.dumps(list(X.columns)))
