"""One network of a training, as the objectives see it: its outputs and the layers they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.modules.batch import View
from limbeck.modules.capture import Capture, logits_of, run, statistics_kept, wide
from limbeck.modules.linear_head import head_weights, left_out
from limbeck.modules.outputs import OutputReader, reading_of

__all__ = ["Network", "watched"]


class Network:
    """A network whose layers are being read; made by `watched`.

    Parameters
    ----------
    module : nn.Module
        The network.
    capture : Capture or None
        Reads the outputs of its layers; None where none is read.
    name : str
        What the network is called in messages.
    context : callable or None
        Makes the context in which it runs, such as mixed precision.
    reading : OutputReader, optional
        How its outputs are read; by default as the module is marked.
    head : nn.Linear, optional
        Its last layer, which is left out; see `limbeck.modules.linear_head`.
    """

    def __init__(
        self,
        module: nn.Module,
        capture: Capture | None,
        name: str,
        context: Callable[[], AbstractContextManager[Any]] | None,
        reading: OutputReader | None = None,
        head: nn.Linear | None = None,
    ) -> None:
        self.module = module
        self._reading = reading or reading_of(module)
        self._capture = capture
        self._name = name
        self._context = context
        self._head = head

    def __call__(self, inputs: Any) -> View:
        """What it computes on a batch."""
        if self._head is not None:
            return self._without_head(inputs, self._head)
        if self._context is None:
            output = run(self.module, inputs)
        else:
            with self._context():
                output = run(self.module, inputs)
        logits = self._reading.outputs(output, self._name)
        if self._capture is None:
            return View(logits if logits.dtype is torch.float32 else wide(logits))
        return View(wide(logits), {n: wide(t) for n, t in self._capture.take().items()})

    def _without_head(self, inputs: Any, head: nn.Linear) -> View:
        """What the last layer would be given, with its weights."""
        with nullcontext() if self._context is None else self._context(), left_out(head):
            output = run(self.module, inputs)
        layers = {} if self._capture is None else self._capture.take()
        weights = head_weights(head, self._reading.first)  # after the call: shards are whole then
        states = logits_of(output, self._name)
        return View(states, {n: wide(t) for n, t in layers.items()}, weights)

    def run(self, inputs: Any, edits: Mapping[str, Callable[[Tensor], Tensor]]) -> View:
        """The same, with some layers' outputs changed on the way.

        Running statistics, as of batch normalisation, do not see what was changed.

        Parameters
        ----------
        inputs : Tensor, tuple or mapping
            A batch.
        edits : mapping of str to callable
            For each layer, what its output becomes.
        """
        with statistics_kept(self.module):
            if self._capture is None:
                return self(inputs)
            with self._capture.editing(edits):
                return self(inputs)


@contextmanager
def watched(
    module: nn.Module,
    layers: Sequence[str],
    name: str,
    *,
    called: nn.Module | None = None,
    context: Callable[[], AbstractContextManager[Any]] | None = None,
    head: nn.Linear | None = None,
) -> Iterator[Network]:
    """Read a network's layers while the context is open.

    Parameters
    ----------
    module : nn.Module
        The network, whose layers are named.
    layers : sequence of str
        The layers to read.
    name : str
        What it is called in errors.
    called : nn.Module, optional
        What is called in its place: a replica around it.
    context : callable, optional
        Makes the context of each call, such as mixed precision.
    head : nn.Linear, optional
        Its last layer, where that is to be left out.
    """
    with ExitStack() as stack:
        capture = stack.enter_context(Capture(module, layers)) if layers else None
        inner = module if called is None else called
        yield Network(inner, capture, name, context, reading_of(module), head)
