"""The steps of a distillation into a network that is cut out of its teacher."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from limbeck.api.network_steps import NetworkSteps, Trainings, under
from limbeck.api.prepare.checks import one_teacher
from limbeck.api.prepare.network import Prepared
from limbeck.api.prepare.request import NetworkData, NetworkRequest, NetworkSides, read
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.pruning.prune import Cut
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.pruning.ways import ways_to_size
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.teachers.ensemble import ModuleEnsemble
from limbeck.networks.teachers.outside import is_outside
from limbeck.networks.training.train import Trained

__all__ = ["PrunedSteps", "whole_teacher"]


@dataclass(frozen=True, eq=False)
class PreparedCut(Prepared):
    """What a distillation works with, and the cut that its student starts from.

    ``starts`` are those of the baselines, by their roles; ``later`` are the cuts of further steps.
    """

    cut: Cut | None = None
    starts: Mapping[str, Any] = field(default_factory=dict)
    later: Sequence[Callable[[nn.Module], nn.Module]] = ()


@dataclass(frozen=True, eq=False)
class PrunedSteps(NetworkSteps):
    """The steps where the student is cut out of its teacher, healed, and compared with other cuts.

    The control learns gold labels from the same cut: cross-entropy after the cut. Beside it stand
    a random cut, the same size from scratch, and the network without its last layers.
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "request", replace(self.request, logits_alone=True))

    def read(self) -> NetworkData:
        """What was given, with a copy of the teacher in the student's place."""
        whole = whole_teacher(self.request, "cut out of its teacher", "Pruned(...) cuts")
        return read(replace(self.request, into=copy.deepcopy(whole)))

    def understand(self, data: NetworkData, sides: NetworkSides) -> PreparedCut:
        """As for any network, once the student is cut by training rows.

        Parameters
        ----------
        data : NetworkData
            What was given.
        sides : NetworkSides
            Training rows and test rows.
        """
        asked: Pruned = self.request.into
        assert data.tutor is not None  # noqa: S101  (`read` refuses others)
        batch = _calibration(sides.rows, asked)
        ways = ways_to_size(data.tutor, asked, batch.inputs, batch.labels, "gold labels alone")
        known = super().understand(replace(data, makers=[ways.first]), sides)
        given = {f.name: getattr(known, f.name) for f in fields(Prepared)}
        given["notes"] = (*ways.told, *known.notes, *ways.notes)
        return PreparedCut(**given, cut=ways.cut, starts=ways.starts, later=ways.later)

    def method(self, known: Prepared, tell: Progress) -> TrainNetwork:
        """What trains the students, which are cut again between steps if that was asked for.

        Parameters
        ----------
        known : Prepared
            Networks, rows and settings.
        tell : Progress
            Told how far the storing of outputs is.
        """
        assert isinstance(known, PreparedCut)  # noqa: S101  (see `understand`)
        return replace(super().method(known, tell), cuts=known.later)

    def alternatives(
        self, known: Prepared, found: Trainings, tell: Progress
    ) -> Mapping[str, Sequence[Trained]]:
        """The cut before healing; a random cut, from scratch, the last layers cut: taught as it is.

        Parameters
        ----------
        known : Prepared
            Networks and rows.
        found : Trainings
            The students.
        tell : Progress
            Told how far their training is.
        """
        assert isinstance(known, PreparedCut)  # noqa: S101  (see `understand`)
        assert known.cut is not None  # noqa: S101  (see `understand`)
        plain = replace(found.method, cuts=(), makers=[known.cut.module])
        out = {"before healing": [plain.untrained(seed) for seed in self._seeds]}
        for role, start in known.starts.items():
            method = replace(plain, makers=[start])
            for seed in self._seeds:
                folder = under(self.request.folder, seed, role.replace(" ", "_"))
                out.setdefault(role, []).extend(method.distill(seed, folder, tell))
        return out


def whole_teacher(request: NetworkRequest, made: str, verb: str) -> nn.Module:
    """The one network that a student is made from.

    Parameters
    ----------
    request : NetworkRequest
        What was asked for.
    made, verb : str
        How the student is made, for messages.

    Raises
    ------
    InvalidInput
        If the teacher is no network, or several, or a start or mode was given.
    """
    for name in ("start", "mode"):
        if getattr(request, name) is not None:
            raise InvalidInput(
                f"{name} was given for a student that is {made}.", f"Leave {name} out."
            )
    whole = None if is_outside(request.teacher) else one_teacher(request.teacher)
    if whole is None or isinstance(whole, ModuleEnsemble):
        what = "several networks" if whole is not None else "no network"
        raise InvalidInput(
            f"The teacher is {what}, and {verb} a student out of one.",
            "Give one torch module as the teacher, or a student as into.",
        )
    return whole


def _calibration(rows: Samples, asked: Pruned) -> Batch:
    """Training rows, drawn once, on which importance is measured."""
    n = min(len(rows), asked.rows)
    drawn = rows.order(0, asked.seed)[:n]
    first = rows.fetch(drawn[:1]).inputs
    tokens = max(v.numel() for v in tree_leaves(first) if isinstance(v, Tensor))
    if not any(v.is_floating_point() for v in tree_leaves(first)):
        drawn = drawn[: asked.pieces(tokens)]
    return rows.fetch(drawn)
