"""Audits of four black boxes from files of their scores: Tan, Caruana, Hooker and Lou (2018).

Distill-and-Compare fits a student to stored scores and a model of the same class to what happened,
and correlates their errors: where a feature is missing from the audited ones, the errors go
together. This runs the four audits on the files at hand, and prints the published measure beside
ours, with the tests whose false alarms are controlled.

    python reproductions/distill_and_compare.py --quick              # 2,000 rows each, 20 bags
    python reproductions/distill_and_compare.py --out pages          # one page a data set
    python reproductions/distill_and_compare.py ../data --only compas
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import kendalltau, rankdata

import limbeck
from limbeck.audits.results import Estimate
from limbeck.reports.numbers import count, duration
from limbeck.results.audit_sections.facts import between, p_value

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@dataclass(frozen=True)
class Case:
    """One audit: columns, what was published, and how the data at hand differ.

    ``drop`` names the leaks: other forms of the score or the outcome, and what was only known
    afterwards.
    """

    name: str
    file: str
    score: str
    outcome: str | None
    drop: tuple[str, ...]
    published: dict[str, str]
    differs: str
    group: str | None = None
    weight: str | None = None
    keep: tuple[str, ...] = ()
    where: str | None = None


_PUBLISHED = {"Pearson": "[0.10, 0.15]", "Spearman": "[0.10, 0.14]", "Kendall": "[0.08, 0.10]"}
_EIGHT = ("sex", "age", "race", "juv_fel_count", "juv_misd_count", "juv_other_count",
          "priors_count", "c_charge_degree")  # fmt: skip
_NEAR_ZERO = dict.fromkeys(("Pearson", "Spearman", "Kendall"), "near 0")
CASES = {
    "compas": Case(
        "COMPAS",
        "compas_two_years.parquet",
        "decile_score",
        "two_year_recid",
        (),
        _PUBLISHED,
        "The 6,172 rows of ProPublica's filter, eleven features.",
        group="race",
        keep=(*_EIGHT, "length_of_stay_days", "days_b_screening_arrest", "c_charge_desc"),
        where="in_propublica_sample",
    ),
    "compas9": Case(
        "COMPAS, 9 features",
        "compas_two_years.parquet",
        "decile_score",
        "two_year_recid",
        (),
        _PUBLISHED,
        "The same rows without the charge in words and the days to screening.",
        group="race",
        keep=(*_EIGHT, "length_of_stay_days"),
        where="in_propublica_sample",
    ),
    "compas8": Case(
        "COMPAS, 8 features",
        "compas_two_years.parquet",
        "decile_score",
        "two_year_recid",
        (),
        _PUBLISHED,
        "The same without the length of stay too: more identical cases.",
        group="race",
        keep=_EIGHT,
        where="in_propublica_sample",
    ),
    "lending": Case(
        "Lending Club",
        "lending_club_2016q1.parquet",
        "sub_grade_num",
        "bad",
        ("int_rate", "sub_grade", "grade", "Class"),
        _NEAR_ZERO,
        "Not the published file: 9,857 loans of the first quarter of 2016, a subset of rows and"
        " columns, 517 of them bad; the score is the lender's sub-grade, 1 to 35.",
    ),
    "frisk": Case(
        "Stop-and-Frisk",
        "nyc_sqf_cpw_2014_2015.parquet",
        "heuristic_score",
        "found_weapon",
        ("post_frisked", "post_searched", "post_arstmade", "post_sumissue", "post_contrabn",
         "found_gun", "perstop_min"),
        _NEAR_ZERO,
        "The same filter (suspicion of a weapon) on later years, 2014 and 2015; the score is"
        " 3 cs_objcs + cs_bulge + ac_stsnd, so that nothing is missing.",
        group="race",
    ),
    "chicago": Case(
        "Chicago",
        "chicago_ssl_counts.parquet",
        "ssl_score",
        None,
        (),
        _NEAR_ZERO,
        "Counts of 398,531 people by score, race, sex and age bracket; no outcome and no other"
        " feature, so the score only.",
        weight="count",
    ),
}  # fmt: skip


def rows_of(case: Case, folder: Path, quick: bool, seed: int) -> pd.DataFrame:
    frame = pd.read_parquet(folder / case.file)
    if case.where:
        frame = frame[frame[case.where]]
    kept = [c for c in (case.score, case.outcome, case.weight, *case.keep) if c]
    frame = frame[kept] if case.keep else frame
    if quick and len(frame) > 2000:
        frame = frame.sample(2000, random_state=seed)
    return frame.reset_index(drop=True)


def run(case: Case, frame: pd.DataFrame, bags: int, seed: int) -> tuple[Any, float]:
    began = time.perf_counter()
    audit = limbeck.audit(
        frame,
        score=case.score,
        outcome=case.outcome,
        drop=case.drop,
        groups=case.group,
        frequency_weight=case.weight,
        bags=bags,
        seed=seed,
    )
    audit.missing_features()
    audit.model_multiplicity()
    return audit, time.perf_counter() - began


def absolute(audit: Any, seed: int) -> dict[str, str]:
    """Correlations of the absolute errors, rows resampled 500 times (ranks kept)."""
    table, models = audit.work.table, audit.work.models
    if table.outcome is None or models.outcome_out is None:
        return {}
    a = np.abs(table.score - models.score_out)
    b = np.abs(table.outcome - expit(models.outcome_out))
    n, rng = len(a), np.random.default_rng(seed)
    drawn = [rng.integers(0, n, n) for _ in range(500)]
    out = {}
    for name, x, y in (("Pearson", a, b), ("Spearman", rankdata(a), rankdata(b))):
        low, high = np.quantile([np.corrcoef(x[i], y[i])[0, 1] for i in drawn], [0.025, 0.975])
        out[name] = between(Estimate(np.corrcoef(x, y)[0, 1], low, high))
    tau = float(kendalltau(a, b).statistic)
    ends = np.tanh(np.arctanh(tau) + np.array([-1.96, 1.96]) * np.sqrt(0.437 / (n - 4)))
    return {**out, "Kendall": between(Estimate(tau, *map(float, ends)))}


def published_table(audits: dict[str, Any], seed: int) -> list[str]:
    lines = [
        "| data | measure | published | ours, errors with sign | ours, absolute errors |",
        "|---|---|---|---|---|",
    ]
    for key, audit in audits.items():
        case, found, none = CASES[key], audit.missing_features(), "no outcome"
        ours = {c.name: between(c.value) for c in found.correlations} if found else {}
        sizes = absolute(audit, seed)
        for name, known in case.published.items():
            cells = [case.name, name, known, ours.get(name, none), sizes.get(name, none)]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def tests_table(audits: dict[str, Any], seconds: dict[str, float]) -> list[str]:
    lines = [
        "| data | rows | RMSE of the student | R² | AUC of the outcome model | identical cases |"
        " spread of the score | matched pairs | model-based test | verdict | time |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for key, audit in audits.items():
        f, m = audit.fidelity, audit.missing_features()
        tested = ["—"] * 4 + ["cannot tell: no outcome"]
        if m:
            t = m.matched_pairs
            groups = f"{t.kind}: {count(t.rows)} rows in {count(t.groups)} groups"
            tested = [
                groups if t.kind != "none" else "none",
                f"{t.spread:.2f} of {t.spread_all:.2f}" if t.kind != "none" else "—",
                p_value(t.p_value), p_value(m.model.p_value), m.verdict,
            ]  # fmt: skip
        cells = [
            CASES[key].name, count(audit.rows), between(f.score_rmse), between(f.score_r2),
            between(f.outcome_auc),
            *tested, duration(seconds[key]),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="holds tabular/")
    parser.add_argument("--only", nargs="+", choices=sorted(CASES), default=list(CASES))
    parser.add_argument("--bags", type=int, default=None, help="100; with --quick 20")
    parser.add_argument("--quick", action="store_true", help="2,000 rows a data set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="a folder for one page a data set")
    given = parser.parse_args()
    bags = given.bags or (20 if given.quick else 100)
    folder = given.data / "tabular" if (given.data / "tabular").is_dir() else given.data
    audits: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for key in given.only:
        case = CASES[key]
        if not (folder / case.file).is_file():
            print(f"{case.name}: skipped, there is no {case.file} in the data folder.")
            continue
        frame = rows_of(case, folder, given.quick, given.seed)
        audits[key], seconds[key] = run(case, frame, bags, given.seed)
        print(f"{case.name}: {duration(seconds[key])}", file=sys.stderr)
        if given.out:
            given.out.mkdir(parents=True, exist_ok=True)
            print(f"  {audits[key].report(given.out / f'{key}.html')}", file=sys.stderr)
    if not audits:
        return
    print(f"\n{bags} bags" + (", at most 2,000 rows a data set" if given.quick else "") + "\n")
    print("\n".join(published_table(audits, given.seed)), "\n", sep="\n")
    print("\n".join(tests_table(audits, seconds)), "\n", sep="\n")
    for key in audits:
        print(f"* {CASES[key].name}: {CASES[key].differs}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nPeak memory {peak:.2f} GiB; limbeck {limbeck.__version__}")


if __name__ == "__main__":
    main()
