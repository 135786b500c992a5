"""Rules and m-of-n trees against their peers of imodels, at equal numbers.

    python benchmarks/rules.py [--seeds 3] [--data breast bike ...] [--peers FOLDER]

A teacher is trained on 35% of the rows; students are distilled from other 35%, and the agreement
(R2 for values) is measured on the remaining 30%. At each budget of numbers the largest student that
fits is taken, of the path that each makes; nothing is chosen by the test rows. All get the same
teacher's answers on the rows and on MUNGE queries, half of the weight each; peers that take no
weights get as many queries as there are rows. FOLDER is where imodels was installed with
`pip install --target FOLDER`, outside of the environment.
"""

from __future__ import annotations

import argparse
import sys
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.trepan.method import GainPerNumber, Trepan, TrepanTree
from limbeck.methods.weights import weights
from limbeck.samplers.munge import Munge
from limbeck.students.rule_list.rule_list import RuleList
from limbeck.students.rules.rule_set import RuleSet
from limbeck.teachers import as_teacher

DATA = Path(__file__).parents[2] / "shared" / "data" / "tabular"
BUDGETS = (8, 16, 32, 64)
QUERIES = 4000


def load(name: str) -> tuple[pd.DataFrame, np.ndarray, bool]:
    """Rows, labels or values, and whether they are classes."""
    if name in ("breast_cancer", "wine", "digits"):
        found = getattr(datasets, f"load_{name}")(as_frame=True)
        return found.data, found.target.to_numpy(), True
    if name == "compas":
        frame = pd.read_parquet(DATA / "compas_two_years.parquet")
        frame = frame[frame["in_propublica_sample"].astype(bool)].reset_index(drop=True)
        X = frame[["age", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count"]]
        X = X.astype(float).assign(
            male=(frame["sex"] == "Male").astype(float),
            felony=(frame["c_charge_degree"] == "F").astype(float),
        )
        return X, frame["two_year_recid"].to_numpy().astype(int), True
    if name == "adult":
        frame = pd.read_parquet(DATA / "adult.parquet").sample(6000, random_state=0)
        y = frame["income_gt_50k"].to_numpy().astype(int)
        drop = ["income_gt_50k", "split", "fnlwgt", "native_country", "education"]
        frame = frame.drop(columns=drop).reset_index(drop=True)
        numbers = frame.select_dtypes("number").astype(float)
        levels = pd.get_dummies(frame.select_dtypes(exclude="number").astype(str)).astype(float)
        return pd.concat([numbers, levels], axis=1), y, True
    frame = pd.read_parquet(DATA / "bike_sharing_hour.parquet").sample(6000, random_state=0)
    columns = ["season", "yr", "mnth", "hr", "holiday", "weekday", "workingday", "weathersit",
               "temp", "hum", "windspeed"]  # fmt: skip
    return frame[columns].astype(float).reset_index(drop=True), frame["cnt"].to_numpy(float), False


def teacher_of(kind: str, classifies: bool, seed: int, rows: int) -> Any:
    """A forest or a network, not fitted."""
    if kind == "forest":
        made = RandomForestClassifier if classifies else RandomForestRegressor
        return made(100, random_state=seed, min_samples_leaf=1 if classifies else 3)
    made = MLPClassifier if classifies else MLPRegressor
    network = made(hidden_layer_sizes=(64, 64), max_iter=300, early_stopping=rows > 1000,
                   random_state=seed)  # fmt: skip
    return make_pipeline(StandardScaler(), network)


class Cell:
    """One teacher on one data set: what students are made of, and how they are judged."""

    def __init__(self, name: str, kind: str, seed: int) -> None:
        X, y, self.classifies = load(name)
        order = np.random.default_rng(seed).permutation(len(X))
        a, b, c = np.split(order, [int(0.35 * len(X)), int(0.7 * len(X))])
        self.teacher = teacher_of(kind, self.classifies, seed, len(a)).fit(X.iloc[a], y[a])
        self.X, self.test = (X.iloc[i].reset_index(drop=True) for i in (b, c))
        self.features = Features.of(self.X)
        self.rows = self.features.rows(self.X)
        drawn = Munge().draw(self.rows, QUERIES, np.random.default_rng(seed))
        self.values = np.vstack([self.rows.values, drawn.values])
        told = self.teacher.predict(self.features.decode(self.values))
        self.task = Task(tuple(np.unique(told).tolist())) if self.classifies else Task()
        self.told = np.searchsorted(np.unique(told), told) if self.classifies else told
        self.weight = weights(len(self.X), QUERIES, 0.5)
        said = self.teacher.predict(self.test)
        self.said = np.searchsorted(np.unique(told), said) if self.classifies else said
        few = np.random.default_rng(seed).permutation(QUERIES)[: len(self.X)] + len(self.X)
        self.part = np.concatenate([np.arange(len(self.X)), few])

    def score(self, predicted: np.ndarray) -> float:
        """Agreement, or R2."""
        if self.classifies:
            return float(np.mean(predicted == self.said))
        left = ((predicted - self.said) ** 2).sum()
        return float(1 - left / ((self.said - self.said.mean()) ** 2).sum())


Path_ = list[tuple[int, Callable[[np.ndarray], np.ndarray]]]
"""Numbers, and a function from test rows to predictions, of students of growing size."""


def ours(student: Any) -> Callable[[Cell, int], Path_]:
    """Rule lists or sets, without the choice of a size."""

    def made(cell: Cell, seed: int) -> Path_:
        rng = np.random.default_rng(seed)
        path = student(max_rules=24).path(cell.features, cell.task, cell.values, cell.told,
                                          cell.weight, rng)  # fmt: skip
        return [(s.numbers, lambda Z, s=s: _coded(s, cell, Z)) for s in path]

    return made


def trepan(method: Any, **settings: Any) -> Callable[[Cell, int], Path_]:
    """TREPAN, with its own queries."""

    def made(cell: Cell, seed: int) -> Path_:
        teacher = as_teacher(cell.teacher, cell.X)
        found = method(max_leaves=33, leaves=33, **settings).distill(
            teacher, cell.rows, np.random.default_rng(seed), lambda *_: None
        )
        return [(s.numbers, lambda Z, s=s: _coded(s, cell, Z)) for s in found.frontier]

    return made


def cart(cell: Cell, seed: int) -> Path_:
    """scikit-learn's tree."""
    kind = DecisionTreeClassifier if cell.classifies else DecisionTreeRegressor
    out: Path_ = []
    for budget in BUDGETS:
        tree = kind(max_leaf_nodes=(budget + 1) // 2, random_state=seed)
        tree.fit(cell.values, cell.told, sample_weight=cell.weight)
        out.append((2 * tree.get_n_leaves() - 1, tree.predict))
    return out


def greedy_rule_list(cell: Cell, seed: int) -> Path_:
    """imodels: a condition and a value a rule, and the rest."""
    from imodels import GreedyRuleListClassifier

    out: Path_ = []
    for rules in (1, 2, 3, 4, 5, 7, 10, 15, 20, 31):
        model = GreedyRuleListClassifier(max_depth=rules)
        model.fit(cell.values[cell.part], cell.told[cell.part])
        out.append((2 * (len(model.rules_) - 1) + 1, model.predict))
    return out


def rulefit(cell: Cell, seed: int) -> Path_:
    """imodels: a weight a column, conditions and a weight a rule, and the intercept."""
    from imodels import RuleFitClassifier, RuleFitRegressor

    out: Path_ = []
    for rules in (3, 6, 13):
        kind = RuleFitClassifier if cell.classifies else RuleFitRegressor
        model = kind(max_rules=rules, random_state=seed, include_linear=False)
        model.fit(cell.values[cell.part], cell.told[cell.part])
        table = model._get_rules()
        held = table[(table["coef"] != 0) & (table["type"] == "rule")]["rule"]
        out.append((1 + sum(str(r).count(" and ") + 2 for r in held), model.predict))
    return out


def skope(cell: Cell, seed: int) -> Path_:
    """imodels: conditions and a value a rule, and the rest; its best rules by out-of-bag score."""
    from imodels import SkopeRulesClassifier

    out: Path_ = []
    for depth in (1, 2, 3):
        model = SkopeRulesClassifier(max_depth=depth, random_state=seed)
        model.fit(cell.values, cell.told, sample_weight=cell.weight)
        everything, names = list(model.rules_), [f"X{j}" for j in range(cell.values.shape[1])]
        for most in range(1, min(len(everything), 20) + 1):
            some = [str(r) for r in everything[:most]]
            numbers = 1 + sum(r.count(" and ") + 2 for r in some)
            out.append((numbers, lambda Z, some=some, names=names: _any(some, names, Z)))
    return sorted(out, key=lambda pair: pair[0])


def _any(rules: list[str], names: Any, Z: np.ndarray) -> np.ndarray:
    frame = pd.DataFrame(Z, columns=list(names))
    found = np.zeros(len(Z), dtype=bool)
    for rule in rules:
        found |= frame.eval(rule).to_numpy() if rule else True
    return found.astype(int)


def _coded(student: Any, cell: Cell, Z: np.ndarray) -> np.ndarray:
    from limbeck.core.columns import Rows

    said = student.predict(Rows(cell.features, np.asarray(Z, dtype=float)))
    return np.searchsorted(cell.task.labels, said) if cell.classifies else said


STUDENTS: dict[str, tuple[Callable[[Cell, int], Path_], str]] = {
    "tree (scikit-learn)": (cart, "all"),
    "rule list": (ours(RuleList), "all"),
    "rule set": (ours(RuleSet), "all"),
    "TREPAN, tree": (trepan(TrepanTree), "all"),
    "TREPAN, m-of-n": (trepan(Trepan), "all"),
    "m-of-n, gain per number": (trepan(GainPerNumber), "all"),
}
PEERS: dict[str, tuple[Callable[[Cell, int], Path_], str]] = {
    "imodels greedy rule list": (greedy_rule_list, "two"),
    "imodels RuleFit": (rulefit, "two or values"),
    "imodels SkopeRules": (skope, "two"),
}


def main() -> None:
    """Run and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", nargs="*", default=[
        "breast_cancer", "wine", "digits", "compas", "adult", "bike"])  # fmt: skip
    parser.add_argument("--peers", default=None)
    parser.add_argument("--students", nargs="*", default=None)
    given = parser.parse_args()
    students = dict(STUDENTS)
    if given.peers:
        sys.path.append(given.peers)
        sys.modules.setdefault("requests", types.ModuleType("requests"))  # imodels asks for it
        students |= PEERS
    if given.students:
        students = {n: s for n, s in students.items() if n in given.students}
    warnings.simplefilter("ignore")
    everything: dict[str, list[list[float]]] = {}
    for data in given.data:
        for kind in ("network", "forest"):
            cells = [Cell(data, kind, seed) for seed in range(given.seeds)]
            for name, (made, tasks) in students.items():
                two = cells[0].classifies and len(cells[0].task.classes) == 2
                if not (tasks == "all" or two or (tasks != "two" and not cells[0].classifies)):
                    continue
                scores, started = [], time.process_time()
                for seed, cell in enumerate(cells):
                    path = made(cell, seed)
                    row = []
                    for budget in BUDGETS:
                        fits = [(n, f) for n, f in path if n <= budget]
                        values = cell.test.to_numpy(float)
                        row.append(cell.score(fits[-1][1](values)) if fits else np.nan)
                    scores.append(row)
                mean = np.nanmean(scores, axis=0)
                everything.setdefault(name, []).append([*mean, two, cells[0].classifies])
                seconds = (time.process_time() - started) / given.seeds
                print(f"{data:14s}{kind:9s}{name:26s}", *(f"{x:.3f}" for x in mean),
                      f"{seconds:.2f} s", flush=True)  # fmt: skip
    for group, kept in (("two classes", lambda r: r[4]), ("classes", lambda r: r[5]),
                        ("values", lambda r: not r[5])):  # fmt: skip
        for name, rows in everything.items():
            some = [r[:4] for r in rows if kept(r)]
            if some:
                mean = np.nanmean(some, axis=0)
                print(f"mean, {group:12s}{name:26s}", *(f"{x:.3f}" for x in mean), len(some))


if __name__ == "__main__":
    main()
