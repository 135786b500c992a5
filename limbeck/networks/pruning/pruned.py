"""What is asked of a cut: shares that stay, or a size, and by what they are chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, Literal, get_args

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = ["KINDS", "ChannelImportance", "Kind", "LayerImportance", "Pruned"]

Kind = Literal["layers", "heads", "mlp", "width", "channels"]
ChannelImportance = Literal["activation", "norm", "gradient", "fisher", "random"]
LayerImportance = Literal["cosine", "loss", "angular", "last", "random"]
KINDS: tuple[str, ...] = get_args(Kind)
_TARGETS = ("size", "flops", "latency_ms")
_MOST_TOKENS = 16_384  # on which importance is measured


@dataclass(frozen=True)
class Pruned:
    """A student that is cut out of its teacher: ``distill(teacher, data, into=Pruned(size=0.5))``.

    Either shares that stay are given, or one target (``size``, ``flops`` or ``latency_ms``), for
    which the shares are searched. What is cut is healed by distillation from the whole network.

    Parameters
    ----------
    layers, heads, mlp, width, channels : float or int, optional
        What stays: a share in (0, 1], or a number. ``layers`` are the repeated blocks of a
        stack, ``heads`` those of attention (with grouped keys whole groups), ``mlp`` the neurons
        inside a block, or between two dense layers where there are no blocks, ``width`` the
        channels that all blocks share, and ``channels`` those of convolutions (a share only).
        What is not named stays whole.
    size : float or int, optional
        Target: a share of the teacher's parameters in (0, 1), or their number.
    flops : float or int, optional
        Target: a share of the operations of one call in (0, 1), or their number per row.
    latency_ms : float, optional
        Target: milliseconds of one call on the rows of importance, as measured here.
    cut : sequence of str, optional
        With a target: the kinds that may be cut, such as ``("heads", "mlp")``. By default several
        ways are tried, and the one closest to the teacher before healing is taken.
    importance : {"activation", "norm", "gradient", "fisher", "random"}
        Which channels stay: those by which what layers sum varies most over the rows (An et al.
        2024, FLAP), those with the largest weights (Fang et al. 2023, DepGraph), those whose
        removal changes the loss most by its gradient (Molchanov et al. 2019), or by the mean
        squared gradient (Theis et al. 2018).
    layer_importance : {"cosine", "loss", "angular", "last", "random"}
        Which blocks stay: those whose output is least like their input (Men et al. 2024,
        ShortGPT), those without which the teacher's answers change most, all but the contiguous
        run with the least angle between its ends (Gromov et al. 2024), or the first ones.
    iterative_steps : int
        In how many steps the size is reached, by equal factors; each cut is healed with its part of
        the updates before the next. Muralidharan et al. (2024) take two for less than half of the
        size. Only with ``size`` as a share.
    rows : int
        Training rows, at most, on which importance is measured.
    seed : int
        Draws what is random.

    Raises
    ------
    InvalidInput
        If shares and targets do not go together, or one is out of range.

    Examples
    --------
    >>> Pruned(layers=0.75, heads=0.75, mlp=0.6).target
    >>> Pruned(size=0.5).target
    ('size', 0.5)
    """

    layers: float | int | None = None
    heads: float | int | None = None
    mlp: float | int | None = None
    width: float | int | None = None
    channels: float | None = None
    size: float | int | None = None
    flops: float | int | None = None
    latency_ms: float | None = None
    cut: tuple[str, ...] | None = None
    importance: ChannelImportance = "activation"
    layer_importance: LayerImportance = "cosine"
    iterative_steps: int = 1
    rows: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        _check_shares(self.shares)
        _check_target(self)
        for name, value, known in (
            ("importance", self.importance, get_args(ChannelImportance)),
            ("layer_importance", self.layer_importance, get_args(LayerImportance)),
        ):
            if value not in known:
                raise InvalidInput(f"{name} is {value!r}.", did_you_mean(str(value), known))
        for name, least in (("rows", 2), ("seed", 0), ("iterative_steps", 1)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
                raise InvalidInput(f"{name} is {value!r}.", f"Give a whole number from {least} on.")
        shared = isinstance(self.size, Real) and not isinstance(self.size, Integral)
        if self.iterative_steps > 1 and not shared:
            raise InvalidInput(
                f"iterative_steps is {self.iterative_steps}, which needs a share of the size.",
                f"Give it, such as Pruned(size=0.25, iterative_steps={self.iterative_steps}).",
            )
        if self.cut is not None:
            object.__setattr__(self, "cut", _kinds(self.cut, self.target))

    def at_steps(self, whole: int) -> tuple[Pruned, ...]:
        """What is cut in each step.

        Parameters
        ----------
        whole : int
            Parameters of the teacher.
        """
        if self.iterative_steps == 1 or self.size is None:
            return (self,)
        n, size = self.iterative_steps, float(self.size)
        sizes = [max(int(whole * size ** ((i + 1) / n)), 1) for i in range(n)]
        return tuple(replace(self, size=s, iterative_steps=1) for s in sizes)

    def pieces(self, tokens: int) -> int:
        """How many rows of so many tokens importance is measured on, at most.

        Parameters
        ----------
        tokens : int
            Of the longest one.
        """
        return min(self.rows, max(_MOST_TOKENS // tokens, 2))

    @property
    def shares(self) -> dict[str, float | int]:
        """What stays of each kind that was named."""
        return {k: v for k in KINDS if (v := getattr(self, k)) is not None}

    @property
    def target(self) -> tuple[str, float] | None:
        """The measure that is to be reached, and its value; None where shares were given."""
        return next(((n, v) for n in _TARGETS if (v := getattr(self, n)) is not None), None)


def _check_shares(shares: dict[str, float | int]) -> None:
    for name, value in shares.items():
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if whole and name == "channels":
            raise InvalidInput(
                f"channels is {value}, and convolutions have different numbers of them.",
                "Give a share, such as channels=0.5.",
            )
        if whole and value >= 1:
            continue
        if whole or not isinstance(value, Real) or isinstance(value, bool) or not 0 < value <= 1:
            raise InvalidInput(
                f"{name} is {value!r}.",
                f"Give the share that stays, such as {name}=0.75, or a number of at least 1.",
            )


def _check_target(asked: Pruned) -> None:
    given = {n: v for n in _TARGETS if (v := getattr(asked, n)) is not None}
    if len(given) > 1:
        raise InvalidInput(
            f"{' and '.join(given)} were given, which are targets of one search.", "Give one."
        )
    if given and asked.shares:
        raise InvalidInput(
            f"{next(iter(given))} is searched for, and {next(iter(asked.shares))} was given, too.",
            "Give shares or a target; cut=('heads', 'mlp') says what a search may cut.",
        )
    if not given and not asked.shares:
        raise InvalidInput(
            "Pruned() says nothing of what is cut.",
            "Give a target, such as Pruned(size=0.5), or shares, such as Pruned(mlp=0.6).",
        )
    for name, value in given.items():
        whole = isinstance(value, Integral) and name != "latency_ms"
        real = isinstance(value, Real) and not isinstance(value, bool)
        known = real and 0 < float(value) < float("inf")
        if not known or not (whole or name == "latency_ms" or value < 1):
            raise InvalidInput(
                f"{name} is {value!r}.",
                "Give milliseconds above 0."
                if name == "latency_ms"
                else f"Give a share of the teacher's below 1, such as {name}=0.5, or a number.",
            )
    if asked.shares and all(v == 1 and not isinstance(v, Integral) for v in asked.shares.values()):
        raise InvalidInput("All shares are 1: nothing is cut.", "Give a share below 1.")


def _kinds(cut: Any, target: tuple[str, float] | None) -> tuple[str, ...]:
    if target is None:
        raise InvalidInput("cut was given without a target.", "Name shares, or give size=0.5.")
    named = (cut,) if isinstance(cut, str) else tuple(cut)
    for kind in named:
        if kind not in KINDS:
            raise InvalidInput(f"cut names {kind!r}.", did_you_mean(str(kind), KINDS))
    if not named:
        raise InvalidInput("cut is empty.", f"Name some of {', '.join(KINDS)}.")
    return named
