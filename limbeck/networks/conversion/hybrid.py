"""What is asked for: which layers keep attention, and what stands in the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.networks.conversion.mixers.base import Start
from limbeck.networks.conversion.mixers.kinds import MIXERS, STARTS, check_settings

__all__ = ["Hybrid", "evenly_spread", "kept_layers"]


@dataclass(frozen=True)
class Hybrid:
    """A language model whose attention is replaced by recurrent mixers in some layers.

    Parameters
    ----------
    keep : float, sequence of int, or ConversionPlan
        The share of layers that keep attention, evenly spread; or which (from 0); or what
        :func:`limbeck.networks.convert_plan` chose. 0 replaces all.
    mixer : {"gated_recurrence", "linear_attention", "gated_delta"}
        What stands in the others.
    start : {"neutral", "published", "random"}
        Start as near to attention as the mixer can (neutral), as in Mamba in the Llama
        (arXiv 2408.15237), or with random projections.
    options : mapping
        Settings of the mixer: ``window`` of linear_attention; ``convolution`` and
        ``rotary`` of the others; ``chunk``, tokens that are computed at once in training.
    calibrate : bool
        Before any training set decay and norm of each head in closed form, from what the head of
        attention returns on 32 blocks of training tokens; the neutral start only.
    stepwise : sequence of float
        Shares of attention on the way, largest first, such as ``(0.5, 0.25)`` before ``keep``:
        layers are replaced a few at a time, and all stages run at each step.

    Raises
    ------
    InvalidInput
        If a name or a setting is unknown, or a share is not between 0 and 1.

    Examples
    --------
    >>> Hybrid(keep=0.5).mixer
    'gated_recurrence'
    """

    keep: Any = 0.5
    mixer: str = "gated_recurrence"
    start: Start = "neutral"
    options: Mapping[str, Any] = field(default_factory=dict)
    calibrate: bool = True
    stepwise: Sequence[float] = ()

    def __post_init__(self) -> None:
        if self.mixer not in MIXERS:
            remedy = did_you_mean(str(self.mixer), MIXERS)
            raise InvalidInput(f"There is no mixer {self.mixer!r}.", remedy)
        if self.start not in STARTS:
            remedy = did_you_mean(str(self.start), STARTS)
            raise InvalidInput(f"There is no start {self.start!r}.", remedy)
        check_settings(self.mixer, self.options)
        for share in self.stepwise:
            _check_share("stepwise", share)
        if list(self.stepwise) != sorted(self.stepwise, reverse=True):
            raise InvalidInput(
                f"stepwise is {list(self.stepwise)}.", "Give shares from the largest down."
            )
        if isinstance(self.keep, Real) and not isinstance(self.keep, bool):
            _check_share("keep", float(self.keep))

    def steps(self, layers: int) -> list[tuple[int, ...]]:
        """The layers that keep attention at each step, the last one as asked for.

        Parameters
        ----------
        layers : int
            Layers of the model.
        """
        last = kept_layers(self.keep, layers)
        order = [i for i in _spread_order(layers) if i not in last]
        found = []
        for share in self.stepwise:
            more = max(_layers_of(share, layers) - len(last), 0)
            found.append(tuple(sorted([*last, *order[:more]])))
        return [*dict.fromkeys([*found, last])]


def kept_layers(keep: Any, layers: int) -> tuple[int, ...]:
    """Which layers keep attention, from 0.

    Parameters
    ----------
    keep : float, sequence of int, or ConversionPlan
        As in `Hybrid`.
    layers : int
        Layers of the model.

    Raises
    ------
    InvalidInput
        If a layer does not exist, none is left to convert, or the share is below one layer.
    """
    keep = getattr(keep, "keep", keep)
    if isinstance(keep, Real) and not isinstance(keep, bool) and not isinstance(keep, Integral):
        _check_share("keep", float(keep))
        return _converting(evenly_spread(_layers_of(float(keep), layers), layers), layers)
    if isinstance(keep, Integral) and not isinstance(keep, bool) and keep == 0:
        return ()
    if not isinstance(keep, Sequence) or isinstance(keep, str):
        raise InvalidInput(
            f"keep is {keep!r}.", "Give a share such as 0.5, or a list of layers such as [1, 3]."
        )
    for layer in keep:
        if (
            not isinstance(layer, Integral)
            or isinstance(layer, bool)
            or not 0 <= int(layer) < layers
        ):
            raise InvalidInput(
                f"keep names layer {layer!r}, and the model has layers 0 to {layers - 1}.",
                "Name layers that it has.",
            )
    return _converting(tuple(sorted({int(layer) for layer in keep})), layers)


def evenly_spread(count: int, layers: int) -> tuple[int, ...]:
    """So many layers, evenly spread: the middles of equal parts.

    Parameters
    ----------
    count : int
        How many.
    layers : int
        Of how many.

    Examples
    --------
    >>> evenly_spread(2, 8), evenly_spread(1, 2)
    ((2, 6), (1,))
    """
    return tuple(int((i + 0.5) * layers / count) for i in range(count))


def _converting(kept: tuple[int, ...], layers: int) -> tuple[int, ...]:
    if len(kept) >= layers:
        raise InvalidInput(
            f"All {layers} layers keep attention: there is nothing to convert.",
            "Keep fewer of them.",
        )
    return kept


def _layers_of(share: float, layers: int) -> int:
    count = round(share * layers)
    if share > 0 and count == 0:
        raise InvalidInput(
            f"{share} of {layers} layers is less than one layer.",
            f"Keep {1 / layers:.3g} or more of them, or 0 for none.",
        )
    return count


def _spread_order(layers: int) -> list[int]:
    """All layers, so that the first few are spread over the depth."""
    order: list[int] = []
    parts = 1
    while len(order) < layers:
        order += [i for i in evenly_spread(parts, layers) if i not in order]
        parts *= 2
        if parts > 2 * layers:
            order += [i for i in range(layers) if i not in order]
    return order


def _check_share(name: str, share: Any) -> None:
    if not isinstance(share, Real) or isinstance(share, bool) or not 0 <= float(share) < 1:
        raise InvalidInput(f"{name} is {share!r}.", "Give shares from 0 up to, but not, 1.")
