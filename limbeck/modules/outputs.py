"""Which of the tensors that a network returns are its outputs, and how their axes are read.

A network whose outputs are not plain carries an `OutputReader`, as an attribute that its copies
keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.modules.capture import logits_of, run

__all__ = [
    "OutputReader",
    "Place",
    "answer",
    "entries",
    "entry",
    "read_by",
    "reading_of",
    "readings",
    "tensor_in",
]

Place = str | int | None
"""The name or the position of a tensor among what a network returns; None: by convention."""

_MARK = "_limbeck_reading"


@dataclass(frozen=True)
class OutputReader:
    """How the outputs of a network are found in what it returns.

    Parameters
    ----------
    place : str, int or None
        Name or position; None takes ``logits``, or the first tensor.
    form : {"", "flat", "places"}
        Axes: ``""`` as they are; ``"flat"``: numbers (n, ...) side by side, (n, k);
        ``"places"``: classes on the second axis, as of segmentation, (n, k, h, w) to (n, h w, k).
    scale : {"", "softmax", "sigmoid"}
        What the network returns: logits, or probabilities of classes or of labels that may hold
        together. Their logarithms, or log-odds, are then its outputs.
    first : int, optional
        How many outputs there are; what is beyond was only filled up, as of vocabularies.

    Examples
    --------
    >>> import torch
    >>> returned = {"a": torch.zeros(2, 1), "b": torch.zeros(2, 3, 4, 5)}
    >>> OutputReader("b", "places").outputs(returned).shape
    torch.Size([2, 20, 3])
    """

    place: Place = None
    form: str = ""
    scale: str = ""
    first: int | None = None

    def raw(self, output: Any, name: str = "The network") -> Tensor:
        """The tensor itself, in the axes in which it is returned; what was filled up is cut off.

        Parameters
        ----------
        output : Tensor, mapping, tuple or object
            What the network returned.
        name : str
            What the network is called in messages.

        Raises
        ------
        InvalidInput
            If it is not there; names what is.
        """
        if self.place is None or isinstance(output, Tensor):
            found = logits_of(output, name)
        else:
            found = entry(output, self.place, name)
        if self.first is None:
            return found
        return found[:, : self.first] if self.form == "places" else found[..., : self.first]

    def outputs(self, output: Any, name: str = "The network") -> Tensor:
        """The outputs: (n, k), or (n, t, k) where there is an answer at every place.

        Parameters
        ----------
        output : Tensor, mapping, tuple or object
            What the network returned.
        name : str
            What the network is called in messages.
        """
        found = self.raw(output, name)
        if self.form == "flat":
            found = found.flatten(1)
        elif self.form == "places":
            found = found.flatten(2).transpose(1, 2)
        return _logits(found, self.scale) if self.scale else found


def _logits(p: Tensor, scale: str) -> Tensor:
    """Logits of probabilities; those of 0 and 1 are finite."""
    p = p if p.dtype is torch.float64 else p.float()
    if scale == "softmax":
        return p.clamp_min(torch.finfo(p.dtype).tiny).log()
    return torch.logit(p, eps=torch.finfo(p.dtype).eps)


_PLAIN = OutputReader()


def reading_of(module: Any) -> OutputReader:
    """How the outputs of a module are read; plainly unless `readings` or `read_by` said more."""
    found = getattr(module, _MARK, None)
    return _PLAIN if found is None else OutputReader(*found)


def read_by(module: nn.Module, reading: OutputReader) -> nn.Module:
    """The module, whose outputs are read so from now on, in its copies, too.

    Parameters
    ----------
    module : nn.Module
        The network; it is marked.
    reading : OutputReader
        How its outputs are read.
    """
    if reading != _PLAIN:
        setattr(module, _MARK, (reading.place, reading.form, reading.scale, reading.first))
    return module


@contextmanager
def readings(modules: Sequence[nn.Module], each: Sequence[OutputReader]) -> Iterator[None]:
    """Read the outputs of modules so inside; afterwards they are as before.

    Parameters
    ----------
    modules : sequence of nn.Module
        The networks.
    each : sequence of OutputReader
        How the outputs of each are read.
    """
    with ExitStack() as stack:
        for module, reading in zip(modules, each, strict=True):
            before = getattr(module, _MARK, None)
            stack.callback(_put_back, module, before)
            read_by(module, reading)
        yield


def _put_back(module: nn.Module, before: Any) -> None:
    if before is not None:
        setattr(module, _MARK, before)
    elif getattr(module, _MARK, None) is not None:
        delattr(module, _MARK)


def answer(module: nn.Module, inputs: Any, name: str | None = None) -> Tensor:
    """Call a network, and take its outputs from what it returns.

    Parameters
    ----------
    module : nn.Module
        The network.
    inputs : Any
        As in `limbeck.modules.capture.run`.
    name : str, optional
        What it is called in errors; by default its class.
    """
    return reading_of(module).outputs(run(module, inputs), name or type(module).__name__)


def tensor_in(output: Any) -> Tensor | None:
    """The tensor in what one module returned: itself, ``logits``, or what a tuple starts with."""
    if isinstance(output, Mapping):
        output = output.get("logits")
    elif hasattr(output, "logits"):
        output = output.logits
    elif isinstance(output, tuple | list) and output:
        return tensor_in(output[0])
    return output if isinstance(output, Tensor) else None


def entries(output: Any) -> dict[str | int, Any]:
    """What a module returned, by name where there are names, else by position.

    Of a mapping and of a named tuple the names, of an object its attributes.
    """
    if isinstance(output, Mapping):
        return dict(output)
    if isinstance(output, tuple | list):
        names = getattr(output, "_fields", None) or range(len(output))
        return dict(zip(names, output, strict=True))
    return {} if isinstance(output, Tensor) else dict(getattr(output, "__dict__", {}))


def entry(output: Any, place: str | int, name: str = "The network") -> Tensor:
    """A tensor in what a module returned, by name or position.

    Parameters
    ----------
    output : Any
        A tuple, list, mapping or object.
    place : str or int
        Where the tensor is.
    name : str
        What the module is called in errors.

    Raises
    ------
    InvalidInput
        If there is none; names those that there are.
    """
    found = entries(output)
    keys = list(found)
    if isinstance(place, int) and place not in found and -len(keys) <= place < len(keys):
        place = keys[place]
    value = found.get(place)
    if not isinstance(value, Tensor):
        there = [str(k) for k, v in found.items() if isinstance(v, Tensor)]
        raise InvalidInput(
            f"{name} returns no tensor as output={place!r}.",
            did_you_mean(str(place), there) if there else "Leave output out.",
        )
    return value
