"""Which layer says what: how linear the answers and the tree's clauses are in each layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.probes import Probes
from limbeck.methods.search_and_stitch.sample import Index, Sample

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
    answers : ndarray of shape (n, t)
        The teacher's answers on those rows: indicators of classes, or values.
    targets : ndarray of shape (n, t)
        What the ridge penalty was chosen on.
    blocks : mapping from str to ndarray of shape (n, m)
        The raw ``inputs``, standardised, and the activations of each layer.
    layers : list of dict
        After :meth:`about`: a row per layer with its width, rank, and R^2 of the answers and of
        the tree's clauses.
    lrh : dict
        After :meth:`about`: mean leave-one-out R^2 of the tree's clauses from all layers and
        from the raw inputs, and the largest probe norm tau.
    """

    probes: Probes
    at: Index
    answers: NDArray[np.float64]
    targets: NDArray[np.float64]
    blocks: Mapping[str, NDArray[np.float32]]
    layers: list[dict[str, Any]] = field(default_factory=list)
    lrh: dict[str, float] = field(default_factory=dict)

    def about(self, plan: PlannedTree, sample: Sample) -> LayerReport:
        """The report on a finished tree; each layer is probed alone, on the first 400 rows.

        Parameters
        ----------
        plan : PlannedTree
            The finished tree.
        sample : Sample
            The rows it was found on.
        """
        clauses = _clauses(plan, sample, self.at)
        layers: list[dict[str, Any]] = []
        inputs: Probes | None = None
        n = min(_REPORT_ROWS, len(self.at))
        for name, block in self.blocks.items():
            probes = Probes([block[:n]], self.targets[:n])
            if name == "inputs" and n == len(self.at):
                inputs = probes
            layers.append(
                {
                    "layer": name,
                    "width": block.shape[1],
                    "rank": probes.rank,
                    "answers_r2": _mean(probes.r_squared(self.answers[:n])),
                    "clauses_r2": _mean(probes.r_squared(clauses[:n])),
                }
            )
        if inputs is None:
            inputs = Probes([self.blocks["inputs"]], self.targets)
        lrh = {
            "r_squared": _mean(self.probes.r_squared(clauses)),
            "r_squared_inputs": _mean(inputs.r_squared(clauses)),
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
    """Set up probes on all layers, and keep what the report needs.

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
    counted = sample.stats[:, at].astype(np.float64)
    weight = counted.sum(axis=0) if classifies else counted[0]
    answers = (counted if classifies else counted[1:2]) / weight  # the answers themselves
    answers = answers[answers.std(axis=1) > 0].T
    targets = np.hstack([answers, _panel(sample, at, rng)])
    inputs = np.nan_to_num(sample.values[at], nan=0.0)
    spread = inputs.std(axis=0)
    inputs = ((inputs - inputs.mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)
    named = {"layer inputs" if k == "inputs" else k: block for k, block in phi.items()}
    probes = Probes(list(phi.values()), targets)
    return LayerReport(probes, at, answers, targets, {"inputs": inputs, **named})


def _panel(
    sample: Sample, at: Index, rng: np.random.Generator, most: int = 48
) -> NDArray[np.float64]:
    """Targets for choosing lambda beside the answers: literals, and pairs of them."""
    truth = sample.truth[:, at].astype(np.float64)
    chosen = rng.choice(len(truth), min(most, len(truth)), replace=False)
    other = rng.permutation(chosen)
    return np.vstack([truth[chosen], truth[chosen] * truth[other]]).T


def _clauses(plan: PlannedTree, sample: Sample, at: Index) -> NDArray[np.float64]:
    """Indicators (n, c) of the clauses at every node of a tree but the root."""
    out: list[NDArray[np.float64]] = []

    def visit(plan: PlannedTree, inside: NDArray[np.bool_]) -> None:
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
