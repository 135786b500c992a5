"""Causal agreement: how often two networks answer alike after the same intervention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.certificates.binomial import interval
from limbeck.core.errors import InvalidInput
from limbeck.core.measured import Measured
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import mask_of
from limbeck.modules.capture import asking, picked, placed
from limbeck.modules.runner import Network, watched
from limbeck.networks.losses.interchange import Part, exchange, halves, windows
from limbeck.reports.plots import axes_of, intervals
from limbeck.reports.printed import Tabular
from limbeck.reports.table import Column, Table

__all__ = ["Agreement", "CausalAgreement", "causal_agreement"]


@dataclass(frozen=True)
class Agreement:
    """A share of rows with the same answer, and its exact interval (Clopper and Pearson 1934)."""

    same: int
    n: int
    delta: float

    @property
    def share(self) -> float:
        """Point estimate; NaN where there is no row."""
        return self.same / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Two-sided, of level 1 - delta."""
        return interval(self.same, self.n, self.delta) if self.n else (0.0, 1.0)

    @property
    def measured(self) -> Measured | None:
        """The share with its interval; None where there is no row."""
        return Measured(self.share, *self.interval) if self.n else None

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.share:.3f} [{low:.3f}, {high:.3f}]" if self.n else "—"


@dataclass(frozen=True, repr=False)
class CausalAgreement(Tabular):
    """How often teacher and student answer alike after the same interchange.

    Parameters
    ----------
    ordinary : Agreement
        On the base rows, without an intervention.
    after : mapping of (str, str) to Agreement
        For each pair of layers: after the interchange.
    moved : mapping of (str, str) to Agreement
        The same, of those interventions alone that changed the teacher's answer. A student in
        which interventions do nothing agrees on none of them.
    """

    ordinary: Agreement
    after: Mapping[tuple[str, str], Agreement]
    moved: Mapping[tuple[str, str], Agreement]

    def sheet(self) -> Table[Any]:
        """A line for each pair of layers."""
        columns: list[Column[tuple[str, str]]] = [
            Column("teacher", lambda pair: pair[0], wrap=True),
            Column("student", lambda pair: pair[1], wrap=True),
            Column("same_answer", lambda pair: self.after[pair].measured, "same answer"),
            Column("same_where_moved", lambda pair: self.moved[pair].measured,
                   "where the teacher's moved"),
            Column("moved", lambda pair: self.moved[pair].n, align="right"),
        ]  # fmt: skip
        return Table(
            f"Causal agreement on {self.ordinary.n:,} interventions",
            columns,
            list(self.after),
            (
                f"Without intervention: {self.ordinary}. Intervals of"
                f" {100 * (1 - self.ordinary.delta):g}%, one at a time.",
            ),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the shares with their intervals, a line for each pair of layers.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        ax = axes_of(ax, (6.4, 1.6 + 0.5 * len(self.after)))
        shares = {
            "all": [self.ordinary.measured, *(a.measured for a in self.after.values())],
            "where the teacher's answer moved":
                [None, *(self.moved[pair].measured for pair in self.after)],
        }  # fmt: skip
        names = ["no intervention", *(f"{teacher}\n{student}" for teacher, student in self.after)]
        intervals(ax, names, {what: found for what, found in shares.items() if any(found)})
        level = 100 * (1 - self.ordinary.delta)
        ax.set_xlabel(f"share of the same answers, {level:g}% intervals")
        return ax


def causal_agreement(
    teacher: nn.Module,
    student: nn.Module,
    inputs: Any,
    pairs: Mapping[str, str],
    *,
    task: Task | None = None,
    part: Part | None = None,
    share: float = 0.3,
    delta: float = 0.05,
    seed: int = 0,
    batch_size: int = 64,
) -> CausalAgreement:
    """Share of interchange interventions after which both networks give the same answer.

    The interventions are those of `limbeck.networks.Interchange` (Geiger et al. 2021; Wu et al.
    2022). Each row takes part once, as base or as source, so that n rows that are independent
    give n // 2 independent interventions, and the binomial interval is exact.

    Parameters
    ----------
    teacher, student : nn.Module
        Run in eval mode without gradients, and left in their modes.
    inputs : tensor, tuple or mapping of tensors
        n rows; best those that neither network was trained on.
    pairs : mapping of str to str
        Layers of the teacher and of the student.
    task : Task, optional
        What outputs mean; by default one of k classes. For multi-label and tokens an answer is
        the same when all of its parts are.
    part : slice, pair of slices, or None
        Units that are exchanged; see `limbeck.networks.Interchange`.
    share : float
        Share of tokens that are exchanged, in sequences.
    delta : float
        Probability that an interval misses, each for itself.
    seed : int
        Of the draw of bases, sources and tokens.
    batch_size : int
        Rows at a time.

    Returns
    -------
    CausalAgreement
        Prints as a table.

    Raises
    ------
    InvalidInput
        If there are fewer than 2 rows, answers are numbers, or a layer does not exist.

    Examples
    --------
    >>> import torch
    >>> from limbeck.networks import causal_agreement
    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> found = causal_agreement(net, net, torch.randn(20, 4), {"0": "0"})
    >>> found.after["0", "0"].share
    1.0
    """
    if task is not None and task.kind is TaskKind.REGRESSION:
        raise InvalidInput(
            "Causal agreement counts equal answers, and regression answers with numbers.",
            'Use the loss of Interchange(pairs, distance="mse") on held-out rows.',
        )
    n = len(_tensors(inputs)[0])
    if n < 2:
        raise InvalidInput(f"There is {n} row.", "Give two or more: a base and a source.")
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(n, generator=draw)
    bases, sources = order[: n // 2], order[n // 2 : 2 * (n // 2)]
    at = torch.rand(n // 2, generator=draw)  # where the run of tokens is, in each intervention
    ordinary, after = 0, dict.fromkeys(pairs.items(), 0)
    moved, followed = dict(after), dict(after)
    with (
        asking(teacher, student),
        watched(teacher, list(pairs), "the teacher") as of_teacher,
        watched(student, list(pairs.values()), "the student") as of_student,
    ):
        for chunk in torch.split(torch.arange(n // 2), batch_size):
            base, source = (picked(inputs, which[chunk]) for which in (bases, sources))
            rule = _Exchanges(base, source, of_teacher, of_student, part, share, at[chunk])
            plain_t, plain_s = (_answers(v, task) for v in rule.plain)
            here = rule.here
            ordinary += int(_same(plain_t, plain_s, here).sum())
            for names in after:
                t, s = (_answers(v, task) for v in rule.outcomes(*names))
                same, stayed = _same(t, s, here), _same(t, plain_t, here)
                after[names] += int(same.sum())
                moved[names] += int((~stayed).sum())
                followed[names] += int((same & ~stayed).sum())
    return CausalAgreement(
        Agreement(ordinary, n // 2, delta),
        {k: Agreement(v, n // 2, delta) for k, v in after.items()},
        {k: Agreement(v, moved[k], delta) for k, v in followed.items()},
    )


class _Exchanges:
    """Both networks on one batch of bases, with parts of the sources' activations."""

    def __init__(
        self,
        base: Any,
        source: Any,
        teacher: Network,
        student: Network,
        part: Part | None,
        share: float,
        at: Tensor,
    ) -> None:
        self.base, self.part, self.share, self.at = base, part, share, at
        self.nets = teacher, student
        self.plain = [net(placed(base, net.module)).logits.cpu() for net in self.nets]
        self.views = [net(placed(source, net.module)).layers for net in self.nets]
        masks = [_mask(x) for x in (base, source)]
        self.here, other = masks
        self.shared = None if self.here is None or other is None else self.here & other

    def outcomes(self, *names: str) -> list[Tensor]:
        """Logits of teacher and student after the interchange at a pair of layers."""
        values = [view[name] for view, name in zip(self.views, names, strict=True)]
        tokens = None
        if any(v.ndim == 3 for v in values):
            if values[0].shape[:2] != values[1].shape[:2]:
                raise InvalidInput(
                    f"The teacher's layer {names[0]!r} returns {tuple(values[0].shape)} and the"
                    f" student's layer {names[1]!r} {tuple(values[1].shape)}.",
                    "Pair layers with the same tokens.",
                )
            here = self.shared
            if here is None:
                here = torch.ones(values[0].shape[:2], dtype=torch.bool)
            tokens = windows(here, self.share, self.at)
        swaps = [
            exchange(v, units, None if tokens is None else tokens.to(v.device), name)
            for name, v, units in zip(names, values, halves(self.part), strict=True)
        ]
        return [
            net.run(placed(self.base, net.module), {name: swap}).logits.cpu()
            for net, name, swap in zip(self.nets, names, swaps, strict=True)
        ]


def _mask(inputs: Any) -> Tensor | None:
    """Tokens that are there, (n, t) on the CPU."""
    mask = mask_of(inputs)
    return None if mask is None else mask.bool().cpu()


def _answers(logits: Tensor, task: Task | None) -> Tensor:
    if task is not None and task.kind is TaskKind.MULTILABEL:
        return logits > 0
    return logits.argmax(-1)


def _same(a: Tensor, b: Tensor, here: Tensor | None) -> Tensor:
    """Rows (n,) in which all parts of the answer that are there are equal."""
    same = a == b
    if here is not None and same.shape == here.shape:
        same = same | ~here
    return same.flatten(1).all(1) if same.ndim > 1 else same


def _tensors(inputs: Any) -> list[Tensor]:
    if isinstance(inputs, Mapping):
        return list(inputs.values())
    return list(inputs) if isinstance(inputs, tuple | list) else [inputs]
