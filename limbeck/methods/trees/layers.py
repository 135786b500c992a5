"""Which layer says what: how linear the answers and the tree's clauses are in each layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.trees.plan import Plan
from limbeck.methods.trees.probes import Probes
from limbeck.methods.trees.sample import Index, Sample

__all__ = ["LayerReport", "probe_layers"]

_REPORT_ROWS = 400


@dataclass(frozen=True)
class LayerReport:
    """Probes of all layers together and of each alone.

    Parameters
    ----------
    probes : Probes
        On all layers; the search uses these.
    at : ndarray of int
        The sample rows of the probes.
    inputs : Probes
        On the raw features, for comparison with ``probes``.
    answers : ndarray of shape (n, t)
        The teacher's answers on those rows: indicators of classes, or values.
    single : mapping from str to Probes
        Probes of one layer, and of the raw ``inputs``, on the first 400 rows of ``at``.
    width : mapping from str to int
        Activations of each layer.
    layers : list of dict
        After :meth:`about`: a row a layer with its width, rank, and R^2 of the answers and of
        the tree's clauses.
    lrh : dict
        After :meth:`about`: mean leave-one-out R^2 of the tree's clauses from all layers and
        from the raw inputs, and the largest probe norm tau.
    """

    probes: Probes
    inputs: Probes
    at: Index
    answers: NDArray[np.float64]
    single: Mapping[str, Probes]
    width: Mapping[str, int]
    layers: list[dict[str, Any]] = field(default_factory=list)
    lrh: dict[str, float] = field(default_factory=dict)

    def about(self, plan: Plan, sample: Sample) -> LayerReport:
        """The report on a finished tree."""
        clauses = _clauses(plan, sample, self.at)
        layers: list[dict[str, Any]] = []
        for name, probes in self.single.items():
            n = probes.n
            layers.append(
                {
                    "layer": name,
                    "width": self.width[name],
                    "rank": probes.rank,
                    "answers_r2": _mean(probes.r_squared(self.answers[:n])),
                    "clauses_r2": _mean(probes.r_squared(clauses[:n])),
                }
            )
        lrh = {
            "r_squared": _mean(self.probes.r_squared(clauses)),
            "r_squared_inputs": _mean(self.inputs.r_squared(clauses)),
            "tau": float(self.probes.norms(clauses).max()) if clauses.shape[1] else 0.0,
            "penalty": self.probes.penalty,
        }
        return replace(self, layers=layers, lrh=lrh)


def probe_layers(
    phi: Mapping[str, NDArray[np.float32]],
    sample: Sample,
    at: Index,
    classifies: bool,
    rng: np.random.Generator,
) -> LayerReport:
    """Set up probes on all layers, and on each alone for the report.

    Parameters
    ----------
    phi : mapping from str to ndarray of shape (n, m)
        Activations of the sample rows ``at``, by layer.
    sample : Sample
        The labelled rows.
    at : ndarray of shape (n,), int
        Positions in the sample.
    classifies : bool
        Whether the answers are classes (else values).
    rng : numpy.random.Generator
        Chooses the clauses on which the ridge penalty is chosen.
    """
    # Of the statistics of a regression only the value itself is an answer.
    answers = sample.stats[:, at] if classifies else sample.stats[1:2, at]
    answers = answers[answers.std(axis=1) > 0].T.astype(np.float64)
    targets = np.hstack([answers, _panel(sample, at, rng)])
    few = min(_REPORT_ROWS, len(at))
    inputs = np.nan_to_num(sample.values[at], nan=0.0)
    spread = inputs.std(axis=0)
    inputs = ((inputs - inputs.mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)
    named = {"layer inputs" if k == "inputs" else k: block for k, block in phi.items()}
    blocks = {"inputs": inputs, **named}
    single = {k: Probes([b[:few]], targets[:few]) for k, b in blocks.items()}
    width = {k: b.shape[1] for k, b in blocks.items()}
    both = Probes(list(phi.values()), targets), Probes([inputs], targets)
    return LayerReport(*both, at, answers, single, width)


def _panel(
    sample: Sample, at: Index, rng: np.random.Generator, most: int = 48
) -> NDArray[np.float64]:
    """Targets for choosing lambda beside the answers: literals, and pairs of them."""
    truth = sample.truth[:, at].astype(np.float64)
    chosen = rng.choice(len(truth), min(most, len(truth)), replace=False)
    other = rng.permutation(chosen)
    return np.vstack([truth[chosen], truth[chosen] * truth[other]]).T


def _clauses(plan: Plan, sample: Sample, at: Index) -> NDArray[np.float64]:
    """Indicators (n, c) of the clauses at every node of a tree but the root."""
    out: list[NDArray[np.float64]] = []

    def visit(plan: Plan, inside: NDArray[np.bool_]) -> None:
        if plan.left is None or plan.right is None:
            return
        told = sample.truth[plan.literal, at]
        for child, clause in ((plan.left, inside & told), (plan.right, inside & ~told)):
            if 0 < clause.sum() < len(at):
                out.append(clause.astype(np.float64))
            visit(child, clause)

    visit(plan, np.ones(len(at), dtype=np.bool_))
    return np.stack(out, axis=1) if out else np.zeros((len(at), 0))


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 1.0
