"""Level 4: the teacher's hidden states and embeddings, through learned maps between widths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from limbeck.core.registry import LOSSES
from limbeck.modules.batch import Over, Step
from limbeck.networks.losses.layers import OnLayers, Pair, check_option, mismatch, pooled_alike
from limbeck.networks.losses.logits import cosine_distance, squared_error

__all__ = ["Embeddings", "HiddenStates"]


@LOSSES.register("HiddenStates")
@dataclass(frozen=True)
class HiddenStates(OnLayers):
    """Level 4: what layers of the student return shall be what layers of the teacher return.

    Squared error through a learned map from the student's width to the teacher's (FitNets: Romero
    et al. 2015, equation 3; TinyBERT: Jiao et al. 2020, equation 8), or the cosine between hidden
    states (DistilBERT: Sanh et al. 2019, section 2). The mean over pairs. FitNets trains in two
    stages, up to the guided layer first; here all terms of an objective are trained jointly.

    Parameters
    ----------
    pairs : mapping
        Layers of the teacher, and to each the layer of the student that learns from it. They
        return (n, d), (n, t, d) or (n, c, h, w).
    distance : {"mse", "cosine"}
        Squared error, the mean over all numbers; or one minus the cosine, of each token, or of
        each row for (n, d) and (n, c, h, w).
    learned : bool
        Whether there is a linear map where widths differ and a 1 x 1 convolution where numbers of
        channels differ, trained with the student; maps of different height and width are averaged
        to the smaller first. Where shapes are equal there is none. If False, they must be equal.

    Raises
    ------
    InvalidInput
        If an option is unknown. Later: if shapes cannot be matched.

    Notes
    -----
    Of tokens, only those count that the attention mask says are there.

    Examples
    --------
    >>> from limbeck.networks import HiddenStates
    >>> HiddenStates({"layer4": "layer2"}, distance="cosine").level
    4
    """

    distance: Literal["mse", "cosine"] = "mse"
    learned: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_option("distance", self.distance, ("mse", "cosine"))

    def maps(self, step: Step) -> nn.Module | None:
        """A map for each pair, in their order; None where no pair needs one.

        Raises
        ------
        InvalidInput
            If the shapes of two layers cannot be matched; names both.
        """
        made = nn.ModuleList(self._map(pair) for pair in self.of(step))
        return None if all(isinstance(m, nn.Identity) for m in made) else made

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over pairs of their (weighted) means over rows or tokens."""
        parts = []
        for i, pair in enumerate(self.of(step)):
            over = Over.TOKEN_WEIGHTS if pair.student.ndim == 3 else Over.ROW_WEIGHTS
            learned = maps[i] if isinstance(maps, nn.ModuleList) else None
            parts.append((self._distance(pair, learned), over))
        return self.mean(step, parts)

    def _map(self, pair: Pair) -> nn.Module:
        student, teacher = pair.student, pair.teacher
        if student.shape == teacher.shape:
            return nn.Identity()
        if not self.learned:
            raise mismatch(pair, "Let maps be learned (learned=True), or name layers alike.")
        image = student.ndim == 4 and teacher.ndim == 4
        if student.ndim != teacher.ndim or student.ndim > 4:
            raise mismatch(pair, "Name layers of the same kind: a map joins widths only.")
        if student.ndim == 3 and student.shape[1] != teacher.shape[1]:
            raise mismatch(pair, "Name layers with the same number of tokens: a map joins widths.")
        width = 1 if image else -1
        ins, outs = student.shape[width], teacher.shape[width]
        if ins == outs:  # only height and width differ
            return nn.Identity()
        # drawn on the CPU, so that the same seed starts from the same map on every device
        made = nn.Conv2d(ins, outs, 1) if image else nn.Linear(ins, outs)
        return made.to(student.device, student.dtype)

    def _distance(self, pair: Pair, learned: nn.Module | None) -> Tensor:
        student, teacher, weight = pair.student, pair.teacher, pair.row_weight
        if student.ndim == 3:
            student, teacher, weight = pair.tokens()  # (p, d)
        elif student.ndim == 4:
            student, teacher = pooled_alike(student, teacher)  # (n, c, h, w)
        if learned is not None:
            student = learned(student)
        if self.distance == "mse":
            return squared_error(student, teacher, weight)
        return cosine_distance(student.flatten(1), teacher.flatten(1), weight)


@LOSSES.register("Embeddings")
@dataclass(frozen=True)
class Embeddings(HiddenStates):
    """Level 4: the same for embedding layers, {teacher's: student's} (Jiao et al. 2020, eq. 9).

    A term of its own, so that it has its own weight, its own line in the logs and its own place
    in `limbeck.ablate`.

    Examples
    --------
    >>> from limbeck.networks import Embeddings
    >>> Embeddings({"embeddings": "embeddings"}).distance
    'mse'
    """
