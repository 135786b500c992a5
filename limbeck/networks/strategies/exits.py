"""Exits: heads at earlier layers of a network, taught by its own deeper ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import mask_of
from limbeck.modules.capture import Capture, asking, placed, run
from limbeck.modules.outputs import answer
from limbeck.networks.losses.exits import ExitHints, ExitLabels, ExitTargets
from limbeck.networks.losses.labels import GoldLabels
from limbeck.networks.losses.layers import vectors
from limbeck.networks.losses.loss import Objective, Schedule

__all__ = ["Early", "Exits", "Head"]

Maker = Callable[[torch.Size, int], nn.Module]
"""Makes a head from the shape of the layer's output and the number of outputs."""


@dataclass(frozen=True, eq=False)
class Early:
    """Answers of rows that left at different exits.

    Parameters
    ----------
    logits : Tensor of shape (n, k)
        Those of the exit at which each row left.
    exits : Tensor of shape (n,)
        Its place among the exits, from 0; the network's own end is the last.
    ran : int
        How many exits the batch went through before all of its rows had left.
    """

    logits: Tensor
    exits: Tensor
    ran: int


class Exits(nn.Module):
    """A network with heads at earlier layers.

    Called as the network itself is, it returns what the network returns; the heads run beside it
    and are read by the terms of :meth:`objective`. Zhang et al. (2019), Be your own teacher.

    Parameters
    ----------
    module : nn.Module
        The network; it becomes a part of this one.
    heads : mapping of str to "auto", module or callable
        At the outputs of which layers, by name. ``"auto"``: the mean over places or tokens, a
        layer of the width of ``hint`` with ReLU where one is named, and a linear layer; for
        answers per token there is no mean. A callable gets the shape of the layer's output and the
        number of outputs of the network.
    inputs : Any
        A batch, from which shapes are read.
    hint : str, optional
        The layer whose output the features of the exits shall resemble: the last before the
        network's own head.

    Raises
    ------
    InvalidInput
        If a layer does not exist or did not run, there is none, or a head is none of these.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> exits = Exits(net, {"1": "auto"}, torch.zeros(2, 4))
    >>> {name: tuple(v.shape) for name, v in exits.outputs(torch.zeros(5, 4)).items()}
    {'1': (5, 3), 'end': (5, 3)}
    """

    def __init__(
        self,
        module: nn.Module,
        heads: Mapping[str, str | nn.Module | Maker],
        inputs: Any,
        *,
        hint: str | None = None,
    ) -> None:
        super().__init__()
        if not heads:
            raise InvalidInput("There is no exit.", 'Give {layer: "auto"}.')
        order: list[str] = []
        inputs = placed(inputs, module)
        layers = [*heads] if hint is None else [*heads, hint]
        with asking(module), Capture(module, layers) as capture:
            edits = {n: _noting(n, order) for n in layers}
            with capture.editing(edits):
                logits = answer(module, inputs)
            shapes = {n: v.shape for n, v in capture.take().items()}
        self.module = module
        self.layers = tuple(n for n in dict.fromkeys(order) if n in heads)
        self.hint = hint
        outs, tokens = logits.shape[-1], logits.ndim == 3
        width = None if hint is None else _width(shapes[hint])
        self._keys = _keys(self.layers)
        self.heads = nn.ModuleDict(
            {key: _made(heads[n], shapes[n], outs, width, tokens) for n, key in self._keys.items()}
        ).to(logits.device)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the network returns; the heads run beside it."""
        with Capture(self.module, self.layers) as capture:
            out = run(self.module, kwargs) if kwargs else self.module(*args)
            taken = capture.take()
        for name in self.layers:
            self._head(name, taken[name], mask_of(kwargs))
        return out

    def outputs(self, inputs: Any) -> dict[str, Tensor]:
        """The logits of every exit, shallowest first, the network's own as ``"end"``.

        In eval mode and without gradients; modes are kept.
        """
        heads = {n: f"heads.{key}" for n, key in self._keys.items()}
        inputs = placed(inputs, self)
        with asking(self), Capture(self, list(heads.values())) as capture:
            end = answer(self, inputs, type(self.module).__name__)
            taken = capture.take()
        return {**{n: taken[head] for n, head in heads.items()}, "end": end}

    def early(self, inputs: Any, threshold: float) -> Early:
        """Let each row leave at the first exit whose largest probability reaches a threshold.

        As in BranchyNet (Teerapittayanon et al. 2016), by confidence rather than entropy. Layers
        beyond the last exit that a batch needs do not run: single rows save the most.

        Parameters
        ----------
        inputs : Any
            A batch of n rows, of a network with one answer per row.
        threshold : float
            In (0, 1]; 1 sends all rows to the end, unless a probability rounds to 1.

        Raises
        ------
        InvalidInput
            If the threshold is outside (0, 1].
        """
        if not 0 < threshold <= 1:
            raise InvalidInput(f"The threshold is {threshold}.", "Give more than 0, at most 1.")
        inputs = placed(inputs, self)
        mask = mask_of(inputs)
        said: list[Tensor] = []

        def at(name: str) -> Callable[[Tensor], Tensor]:
            def leave(value: Tensor) -> Tensor:
                said.append(self._head(name, value, mask))
                sure = torch.stack([s.softmax(-1).amax(-1) >= threshold for s in said]).any(0)
                if bool(sure.all()):
                    raise _AllLeft
                return value

            return leave

        with asking(self), Capture(self.module, self.layers) as capture:
            try:
                with capture.editing({n: at(n) for n in self.layers}):
                    said.append(answer(self.module, inputs))
            except _AllLeft:
                pass
        logits = torch.stack(said)  # (exits, n, k)
        sure = logits.softmax(-1).amax(-1) >= threshold  # (exits, n)
        sure[-1] = True
        which = sure.int().argmax(0)  # the first
        return Early(logits[which, torch.arange(len(which), device=which.device)], which, len(said))

    def objective(
        self, *, teaching: float = 0.3, temperature: float | Schedule = 3.0, hints: float = 0.03
    ) -> Objective:
        """Self-distillation: labels, the end's probabilities, and its features, at every exit.

        ``GoldLabels + (1 - a) ExitLabels + a ExitTargets(T) + b ExitHints``: the three losses of
        Zhang et al. (2019). The deepest exit, which is the network's own end, learns from labels
        alone. The numbers a, T and b are those of the authors' code; there the losses of exits
        are summed and T^2 is left out, here they are means and T^2 keeps the size of gradients.

        Parameters
        ----------
        teaching : float
            a, in [0, 1].
        temperature : float or Schedule
            T.
        hints : float
            b; read only where a hint was named.
        """
        if not 0 <= teaching <= 1:
            raise InvalidInput(f"teaching is {teaching}.", "Give 0 to 1.")
        names = tuple(f"heads.{key}" for key in self._keys.values())
        total = GoldLabels() + (1 - teaching) * ExitLabels(names)
        total = total + teaching * ExitTargets(names, temperature)
        features = tuple(f"{n}.features" for n in names if isinstance(self.get_submodule(n), Head))
        if self.hint is None or not features:
            return total
        return total + hints * ExitHints(features, f"module.{self.hint}")

    def _head(self, name: str, value: Tensor, mask: Tensor | None) -> Tensor:
        head = self.heads[self._keys[name]]
        out = head(value, mask) if isinstance(head, Head) else head(value)
        assert isinstance(out, Tensor)  # noqa: S101  (what a head is)
        return out


class Head(nn.Module):
    """The head that ``"auto"`` stands for: features, then logits.

    Parameters
    ----------
    ins, outs : int
        Numbers of inputs and outputs.
    width : int or None
        Width of a hidden layer; None for none.
    tokens : bool
        Whether there is an output per token.
    """

    def __init__(self, ins: int, outs: int, width: int | None, tokens: bool) -> None:
        super().__init__()
        wide = nn.Sequential(nn.Linear(ins, width or ins), nn.ReLU())
        self.features = nn.Identity() if width is None else wide
        self.answer = nn.Linear(width or ins, outs)
        self.tokens = tokens

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits (n, k), or (n, t, k) for answers per token.

        Parameters
        ----------
        x : Tensor
            Output of the layer at which the exit stands.
        mask : Tensor of shape (n, t), optional
            1 for tokens, 0 for padding.
        """
        if not self.tokens:
            fits = mask is not None and x.ndim == 3 and mask.shape == x.shape[:2]
            x = vectors(x, mask.bool() if mask is not None and fits else None)
        out: Tensor = self.answer(self.features(x))
        return out


class _AllLeft(Exception):
    """No error: all rows of a batch have left."""


def _noting(name: str, order: list[str]) -> Callable[[Tensor], Tensor]:
    def note(value: Tensor) -> Tensor:
        order.append(name)
        return value

    return note


def _made(
    head: str | nn.Module | Maker, shape: torch.Size, outs: int, width: int | None, tokens: bool
) -> nn.Module:
    if head == "auto":
        return Head(_width(shape), outs, width, tokens)
    if not isinstance(head, nn.Module) and not isinstance(head, str) and callable(head):
        head = head(shape, outs)
    if not isinstance(head, nn.Module):
        raise InvalidInput(
            f"A head is {head!r}.", 'Give "auto", a module, or a function that makes one.'
        )
    return head


def _width(shape: torch.Size) -> int:
    return shape[1] if len(shape) == 4 else shape[-1]


def _keys(layers: Sequence[str]) -> dict[str, str]:
    """A name for the head of each layer, without dots: ``a.b`` and ``a_b`` have one each."""
    out: dict[str, str] = {}
    for layer in layers:
        key = layer.replace(".", "_")
        while key in out.values():
            key += "_"
        out[layer] = key
    return out
