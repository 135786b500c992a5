"""Level 4: where the teacher looks: attention maps, and attention transfer."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from limbeck.core.registry import LOSSES
from limbeck.modules.batch import Over, Step, weighted_mean
from limbeck.networks.losses.layers import (
    OnLayers,
    Pair,
    entry_weights,
    mismatch,
    pooled_alike,
)

__all__ = ["AttentionMaps", "AttentionTransfer", "attention_error", "energy"]

_MASKED = -1e4
"""Scores below this are those that additive masks make, and count as 0."""


def attention_error(student: Tensor, teacher: Tensor, weight: Tensor | None = None) -> Tensor:
    """The mean of (A_s - A_t)^2 over heads, queries and keys (Jiao et al. 2020, equation 7).

    Parameters
    ----------
    student, teacher : Tensor of shape (n, h, t, t)
        Attention weights, or scores before the softmax, which the paper compares. Where the
        numbers of heads differ, the mean over heads is compared.
    weight : Tensor of shape (n, t, t), optional
        How much each pair of query and key counts.

    Returns
    -------
    Tensor
        The (weighted) mean, a scalar; 0 where student equals teacher.
    """
    student = student.masked_fill(student < _MASKED, 0.0)
    teacher = teacher.masked_fill(teacher < _MASKED, 0.0)
    if student.shape[1] != teacher.shape[1]:
        student, teacher = student.mean(1, keepdim=True), teacher.mean(1, keepdim=True)
    if weight is None and student.numel():
        return F.mse_loss(student, teacher)
    return weighted_mean(F.mse_loss(student, teacher, reduction="none").mean(1), weight)


def energy(places: Tensor) -> Tensor:
    """How strongly a layer answers at each place, as a vector of length 1, of shape (n, places).

    The sum of squares over channels, divided by its norm (Zagoruyko and Komodakis 2017, section
    3.1, with p = 2).

    Parameters
    ----------
    places : Tensor of shape (n, places, channels)
        Activations.
    """
    return F.normalize(places.square().sum(-1), dim=-1)


@LOSSES.register("AttentionMaps")
@dataclass(frozen=True)
class AttentionMaps(OnLayers):
    """Level 4: squared error between attention maps. The mean over pairs.

    Parameters
    ----------
    pairs : mapping
        Layers of the teacher, and to each the layer of the student that learns from it. They
        return (n, h, t, t), or (n, t, t) averaged over heads; ``name[1]`` takes the second entry
        of a tuple, where attention weights usually are. Those are taken after the softmax;
        TinyBERT (Jiao et al. 2020) compares the scores before it.

    Raises
    ------
    InvalidInput
        If there is no pair. Later: if the numbers of tokens differ.

    Notes
    -----
    Where the numbers of heads differ, their mean is compared. A pair of query and key counts
    where both tokens are there. Weights of tokens are those of queries.

    Examples
    --------
    >>> from limbeck.networks import AttentionMaps
    >>> AttentionMaps({"layers.3.attention[1]": "layers.1.attention[1]"}).level
    4
    """

    def maps(self, step: Step) -> nn.Module | None:
        """None: nothing is learned; the shapes are checked.

        Raises
        ------
        InvalidInput
            If a layer returns no attention maps, or for another number of tokens.
        """
        for pair in self.of(step):
            student, teacher = pair.student, pair.teacher
            attention = all(x.ndim in (3, 4) for x in (student, teacher))
            masked = pair.mask is None or 2 * pair.mask.shape[1:] == student.shape[-2:]
            if not (attention and masked and student.shape[-2:] == teacher.shape[-2:]):
                raise mismatch(
                    pair,
                    "Name layers that return attention maps (n, heads, tokens, tokens) of the"
                    " same tokens, such as 'layer.attention[1]'.",
                )
        return None

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over pairs of layers."""
        return self.mean(step, ((_maps(pair), Over.ENTRY_WEIGHTS) for pair in self.of(step)))


@LOSSES.register("AttentionTransfer")
@dataclass(frozen=True)
class AttentionTransfer(OnLayers):
    """Level 4: the student answers strongly where the teacher does. The mean over pairs.

    The squared distance between the two vectors of `energy`, between 0 and 2, the mean over rows.
    (Equation 2 of the paper has the distance itself; the authors' code squares it, as here, divides
    by the number of places as well, and multiplies by 1,000.)

    Parameters
    ----------
    pairs : mapping
        Layers of the teacher, and to each the layer of the student that learns from it. They
        return (n, c, h, w) or (n, t, d), of any width: no maps are learned. Maps of different
        height and width are averaged to the smaller first.

    Raises
    ------
    InvalidInput
        If there is no pair. Later: if the places of two layers cannot be matched.

    Examples
    --------
    >>> from limbeck.networks import AttentionTransfer
    >>> AttentionTransfer({"layer4": "layer2"}).level
    4
    """

    def maps(self, step: Step) -> nn.Module | None:
        """None: nothing is learned; the shapes are checked.

        Raises
        ------
        InvalidInput
            If the layers have no places, or different numbers of tokens.
        """
        for pair in self.of(step):
            student, teacher = pair.student, pair.teacher
            tokens = student.ndim == 3 and teacher.ndim == 3
            images = student.ndim == 4 and teacher.ndim == 4
            if not images and not (tokens and student.shape[1] == teacher.shape[1]):
                raise mismatch(pair, "Name two layers (n, c, h, w), or two (n, t, d) of equal t.")
        return None

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean over pairs of layers."""
        return self.mean(step, ((_transfer(pair), Over.ROW_WEIGHTS) for pair in self.of(step)))


def _transfer(pair: Pair) -> Tensor:
    student, teacher = pair.student, pair.teacher
    if student.ndim == 4:
        student, teacher = pooled_alike(student, teacher)
        student, teacher = (x.flatten(2).transpose(1, 2) for x in (student, teacher))
    elif pair.mask is not None:
        student, teacher = (x.masked_fill(~pair.mask[..., None], 0.0) for x in (student, teacher))
    rows = (energy(student) - energy(teacher)).square().sum(-1)  # (n,)
    return weighted_mean(rows, pair.row_weight)


def _heads(attention: Tensor) -> Tensor:
    return attention if attention.ndim == 4 else attention[:, None]


def _maps(pair: Pair) -> Tensor:
    return attention_error(_heads(pair.student), _heads(pair.teacher), entry_weights(pair))
