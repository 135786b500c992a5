"""An audit: from a table of scores and outcomes to an :class:`Audit`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.calibration import Curve, calibrate
from limbeck.audits.certified import certified_student
from limbeck.audits.differences import differences, scaled
from limbeck.audits.fidelity import fidelity
from limbeck.audits.fitting import fit_models, make_folds
from limbeck.audits.group_metrics import Favourable, GroupMetrics, group_metrics
from limbeck.audits.groups import by_groups
from limbeck.audits.results import Calibration, Caveat
from limbeck.audits.table import read_table
from limbeck.certificates.binomial import check_share
from limbeck.certificates.wording import versions
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.pieces import keeping
from limbeck.core.progress import shown
from limbeck.data.row_batches import is_batched
from limbeck.results.audit import Audit, Work

__all__ = ["Audit", "audit"]


def audit(
    df: Any,
    *,
    score: str,
    outcome: str | None = None,
    features: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    frequency_weight: str | None = None,
    sampling_weight: str | None = None,
    cases: str | None = None,
    groups: str | Sequence[str | Sequence[str]] | None = None,
    positive: Any = None,
    score_levels: Sequence[Any] | None = None,
    missing: Sequence[Any] = (),
    threshold: float | None = None,
    favourable: Favourable | None = None,
    pairs: int = 0,
    bags: int = 100,
    folds: int = 5,
    delta: float = 0.05,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool | None = None,
) -> Audit:
    """Audit a black box from a table of its scores, and of what really happened.

    An additive student imitates the score, a model of the same kind predicts the outcome from
    the same features, and both are compared (Distill-and-Compare: Tan, Caruana, Hooker and
    Lou 2018). The black box itself is never asked.

    Parameters
    ----------
    df : DataFrame
        A row per case: its score, its outcome, its features.
    score : str
        The column with the scores: numbers, also as text, or ordered categories.
    outcome : str, optional
        The column with what happened, 0 or 1. Without it only the student is made.
    features : sequence of str, optional
        The columns to audit; all others by default.
    drop : sequence of str
        Columns to leave out: names of rows, and what was recorded after the outcome.
    frequency_weight : str, optional
        A column of whole numbers: a row stands for so many different people who agree in every
        column. The audit is that of the rows written out, a row per person. Where so many people
        could not agree by chance (a column is continuous, their outcomes never differ, or all
        weights share a divisor) they are no people: this is said, and each row counts as a case.
    sampling_weight : str, optional
        A column of weights of rows that were drawn with unequal chances, such as those of a
        survey. They count in every average; certainty is that of the effective number of rows,
        which is never more than the rows that are there.
    cases : str, optional
        A column that names the case (the person) of each row. Rows of a case stay together in
        folds and resamples, and tests take one of them. Without it a row is a case, and exact
        copies of a row are left out.
    groups : str, or sequence of str or of sequences of str, optional
        Columns by which results are also given; ``"race x sex"`` or ``("race", "sex")`` within
        the sequence crosses two. Numbers with more than 12 values are cut at their quartiles.
    positive : optional
        The value of the outcome that means that it happened, where it is not coded 1 and 0.
    score_levels : sequence, optional
        The levels of a score in words, the lowest first; they count 1, 2, 3, ...
    missing : sequence
        Values that stand for missing in any column, such as ``(999, "unknown")``.
    threshold : float, optional
        Scores of at least this are selected: selection rates, errors and predictive values are
        given, for all rows and by group.
    favourable : {"high", "low"}, optional
        Whether being selected is the favourable decision, or not being selected is. With it
        impact ratios (the four-fifths rule) are given by group.
    pairs : int
        The most pairs of features with a table of their own in either model.
    bags : int
        Bootstrap bags for the bands; at least (1 - delta) / delta.
    folds : int
        Folds of the cross-fitted predictions.
    delta : float
        One less the level of all intervals and bands; in (0, 0.5).
    seed : int
        The same seed gives the same audit.
    out : str or Path, optional
        A folder where the audit is saved. Folds and bags that are done are kept there on the way,
        in ``unfinished``: an audit that was cut off goes on with them when it is asked for again.
    progress : bool, optional
        Show a progress bar; by default only on a terminal. An interruption after 40 bags ends
        the audit with these; an earlier one stops it.

    Returns
    -------
    Audit
        Prints as a table; ``report`` writes a page.

    Raises
    ------
    InvalidInput
        If an argument or the data cannot be used; see `limbeck.audits.table.read_table`.
    MissingExtra
        If interpret-core is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import limbeck
    >>> rng = np.random.default_rng(0)
    >>> df = pd.DataFrame({"age": rng.integers(18, 80, 300), "debt": rng.normal(size=300)})
    >>> df["score"] = 2 * df["debt"]
    >>> found = limbeck.audit(df, score="score", bags=20, progress=False)
    >>> found.rows
    300
    """
    started = time.perf_counter()
    if is_batched(df):
        raise InvalidInput(
            f"An audit goes over its whole table again and again, and df is a {type(df).__name__}.",
            "Give a data frame: pandas.read_parquet, or a random sample that fits into memory.",
        )
    _check(pairs, bags, folds, delta)
    level = 1 - delta
    seed = whole_number("seed", seed)
    table = read_table(
        df, score=score, outcome=outcome, features=features, drop=drop,
        frequency_weight=frequency_weight, sampling_weight=sampling_weight, cases=cases,
        groups=groups, positive=positive, score_levels=score_levels, missing=missing, seed=seed,
    )  # fmt: skip
    _check_decision(table, threshold, favourable)
    settings = {
        "pairs": pairs, "bags": bags, "folds": folds, "delta": delta, "seed": seed,
        "drop": list(drop), "positive": None if positive is None else str(positive),
        "score_levels": None if score_levels is None else [str(v) for v in score_levels],
        "missing": [str(v) for v in missing] or None, "threshold": threshold,
        "favourable": favourable,
    }  # fmt: skip
    streams = np.random.default_rng(seed).spawn(5)
    caveats = list(table.caveats)
    with keeping(out) as pieces, shown(progress) as tell, ThreadPoolExecutor(1) as pool:
        tell("calibration", 0, 1)
        calibration, curve = _calibrated(table, level, streams[0])
        split = make_folds(len(table), folds, streams[1], table.cases)
        models = fit_models(table, curve, split, pairs=pairs, bags=bags, rng=streams[2], tell=tell)
        caveats += _interrupted(len(models.bags), bags)
        tell("differences and certificate", 0, 1)
        aside = split.of == 0
        # its student needs nothing of what follows, and draws from a stream of its own
        certified = pool.submit(certified_student, table, aside, pairs, level, seed)
        fit = fidelity(table, models.score_out, models.outcome_out, level, streams[3])
        on = scaled(models)
        found = differences(table, models, on, level)
        groups_found = by_groups(table, models, on, curve, level, streams[4])
        metrics = _metrics(table, curve, threshold, favourable, level)
        student, certificate, note = certified.result()
    result = Audit(
        score=score, outcome=outcome, frequency_weight=frequency_weight,
        sampling_weight=sampling_weight, cases=cases, rows=len(table),
        counting=table.counting,
        columns=table.columns,
        features=table.features.names,
        caveats=(*caveats, *note), dropped=table.dropped,
        calibration=calibration, fidelity=fit, differences=found, groups=groups_found,
        group=", ".join(table.groups) or None, group_metrics=metrics,
        student=student, certificate=certificate,
        settings=settings | {
            "seconds": round(time.perf_counter() - started, 3),
            "versions": versions("interpret-core", "scikit-learn", "pandas"),
        },
        work=Work(table, models, on, aside, level, seed, progress),
    )  # fmt: skip
    if out is not None and pieces is not None:
        result.save(out)
        pieces.remove()
    return result


def _calibrated(
    table: AuditTable, level: float, rng: np.random.Generator
) -> tuple[Calibration, Curve]:
    """How often the outcome came at each score, its counts those of the rows that were given."""
    evidence = table.evidence
    found, curve = calibrate(table.score, table.outcome, evidence, level, rng)
    given = table.mass.sum() if table.frequency is not None else len(table)
    return replace(found, count=found.count * (given / evidence.sum())), curve


def _interrupted(done: int, bags: int) -> list[Caveat]:
    """A caveat where the audit was cut off before all bags were fitted."""
    if done >= bags:
        return []
    said = f"The audit was interrupted after {done} of {bags} bags."
    remedy = "Its bands hold, and are less steady; run it again for all bags."
    return [Caveat("bags", said, remedy)]


def _metrics(
    table: AuditTable,
    curve: Curve,
    threshold: float | None,
    favourable: Favourable | None,
    level: float,
) -> tuple[GroupMetrics, ...]:
    """Rates of all rows, then of every group; a grouping's intervals hold at once."""
    out: list[GroupMetrics] = []
    for column, labels in ({"": np.full(len(table), "all rows")} | table.groups).items():
        found = group_metrics(
            table.score, table.outcome, labels, threshold=threshold, favourable=favourable,
            weight=table.evidence, curve=None if table.outcome is None else curve, level=level,
        )  # fmt: skip
        out += [replace(g, name=f"{column} {g.name}".strip()) for g in found]
    return tuple(out)


def _check_decision(
    table: AuditTable, threshold: float | None, favourable: Favourable | None
) -> None:
    """Refuse a threshold that decides nothing, before any work."""
    if favourable not in (None, "high", "low"):
        raise InvalidInput(
            f"favourable is {favourable!r}.", "Give 'high' or 'low', or leave it out."
        )
    if favourable is not None and threshold is None:
        raise InvalidInput(
            f"favourable is {favourable!r}, and there is no threshold.",
            "Give threshold=..., the least score that is selected.",
        )
    low, high = float(table.score.min()), float(table.score.max())
    if threshold is not None and not low < threshold <= high:
        raise InvalidInput(
            f"threshold is {threshold:g}, and the scores reach from {low:g} to {high:g}.",
            "Give a threshold that selects some rows and not all.",
        )


def _check(pairs: int, bags: int, folds: int, delta: float) -> None:
    check_share("delta", delta)
    if delta >= 0.5:
        raise InvalidInput(f"delta is {delta}.", "Give one below 0.5, such as 0.05.")
    least = int(np.ceil((1 - delta) / delta - 1e-9))
    for name, given, fewest in (("pairs", pairs, 0), ("bags", bags, least), ("folds", folds, 2)):
        if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < fewest:
            raise InvalidInput(f"{name} is {given!r}.", f"Give a whole number from {fewest}.")
