"""A torch module as a teacher: its scores, activations and gradients, and nothing of it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed, did_you_mean
from limbeck.core.task import Label, Task
from limbeck.data.scores import KnownOutputs, read_scores
from limbeck.modules.capture import evaluated
from limbeck.modules.gradients import differentiable, slope_of
from limbeck.modules.layers import finishing_order, leaves, recorded
from limbeck.modules.rows import as_table, row_batches, some_of, starts_with_embedding
from limbeck.modules.scores import (
    as_array,
    chosen_output,
    class_scores,
    kind_said,
    row_scores,
    task_said,
)
from limbeck.teachers.last_operation import ends_in_sigmoid
from limbeck.teachers.reading import FirstOutputs

__all__ = ["TorchTeacher"]

_ASKED = ("preprocess", "batch_size", "device", "output")


class TorchTeacher:
    """A torch module that answers rows in batches.

    While it is asked, the module is in eval mode and hooks may hang on this instance; afterwards,
    also after an exception, every submodule is back in its own mode, no hook is left, and neither
    parameters nor their ``grad`` have changed. The module is never moved to another device.

    Parameters
    ----------
    module : torch.nn.Module
        Called with one tensor of rows. It may return a tensor, or several in a tuple, list,
        mapping or object; see ``output``. Shapes (n,), (n, 1) and (n, k).
    classes : sequence of labels or int, optional
        The classes in the order of the outputs, or their number. Two classes go with two outputs,
        or with one output, which then belongs to the second class.
    unit : str
        The unit of a predicted number.
    score_kind : {"logit", "probability"}, optional
        What the outputs are. Otherwise found at the first query (``logit`` until then), as
        `limbeck.data.scores.read_scores` does: rows that are non-negative and sum to 1, and one
        output of a sigmoid, are probabilities, all others logits.
    preprocess : callable, optional
        From the user's rows to an array or tensor that the module takes, for example
        ``ColumnTransformer.transform``; applied to one batch at a time.
    batch_size : int
        Rows in one call of the module; nothing larger is kept beside the answers.
    device : str or torch.device, optional
        Where batches are sent; by default where the module's first parameter is.
    name : str, optional
        By default the name of the module's class.
    regression : bool
        Whether the one output is a number to predict.
    output : str or int, optional
        The name or position of the scores where the module returns several tensors. Otherwise
        the one named ``logits``, or the only one that fits the classes.
    example : rows, optional
        Rows asked at once, so that the number of outputs and their kind are known from the start.

    Raises
    ------
    InvalidInput
        If it is neither said nor seen from ``example`` what the outputs are.

    Notes
    -----
    Floating rows take the dtype of the module's parameters. So do integers and booleans, unless
    the first layer with parameters is an embedding, which needs integers.
    """

    note: str = ""
    """What was guessed about its outputs, in words."""
    order_guessed: bool = False
    """Whether which output is which class was guessed."""

    def __init__(
        self,
        module: nn.Module,
        *,
        classes: Sequence[Label] | int | None = None,
        unit: str = "",
        score_kind: ScoreKind | str | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        batch_size: int = 4096,
        device: str | torch.device | None = None,
        name: str | None = None,
        regression: bool = False,
        output: str | int | None = None,
        example: Any = None,
    ) -> None:
        if batch_size < 1:
            raise InvalidInput(f"batch_size is {batch_size}.", "Give at least 1.")
        self.module = module
        self.preprocess = preprocess
        self.batch_size = batch_size
        self.name = name or type(module).__name__
        self.device = device
        self.output = output
        self._embeds = starts_with_embedding(module)
        self._first: Tensor | None = None  # the first rows ever asked, to trace the layers
        self._task = task_said(classes, unit, regression)
        self._kind = kind_said(score_kind, self._task)
        if example is not None:
            self._settle(example)
        elif self._task is None:
            raise InvalidInput(
                f"Nothing says what the outputs of {self.name} are.",
                "Give classes=[...], or regression=True, or rows as example=X.",
            )

    @classmethod
    def first_outputs(
        cls, module: nn.Module, example: Any, options: dict[str, Any], k: int
    ) -> FirstOutputs | None:
        """Its outputs for some rows; see `limbeck.teachers.reading.read_outputs`.

        Parameters
        ----------
        module : torch.nn.Module
            The model.
        example : rows or None
            The rows.
        options : dict
            Those of the constructor; the output that is chosen is added.
        k : int
            The number of classes, or 0.
        """
        if example is None:
            return None
        asked = {n: v for n, v in options.items() if n in _ASKED}
        looked = cls(module, regression=True, **asked)
        looked.output, note = looked.find_output(example, k)
        if looked.output is not None:
            options["output"] = looked.output
        values, sigmoid = looked.look(example)
        name = str(options.get("name") or looked.name)
        return FirstOutputs(values, name, network=True, sigmoid=sigmoid, note=note)

    @classmethod
    def of_outputs(cls, module: nn.Module, X: Any, batch_size: int = 4096) -> Self:
        """A teacher whose outputs are taken as they are: one number, or one score per class.

        Parameters
        ----------
        module : torch.nn.Module
            Asked about the first row, for the number of its outputs.
        X : array-like or Tensor of shape (n, ...)
            Rows as the module takes them.
        batch_size : int
            Rows in one call of the module.
        """
        number = cls(module, regression=True, batch_size=batch_size)
        with evaluated(module), torch.no_grad():
            rows, x = next(number._batches(some_of(as_table(X), 0, 1)))
            k = number._raw(number._call(x, rows), rows).shape[1]
        if k == 1:
            return number
        return cls(module, classes=k, score_kind=ScoreKind.LOGIT, batch_size=batch_size)

    @property
    def access(self) -> Access:
        """Everything; gradients only where rows reach the module unchanged, as numbers."""
        granted = Access.SCORES | Access.QUERIES | Access.ACTIVATIONS | Access.WEIGHTS
        return granted if self.preprocess or self._embeds else granted | Access.GRADIENTS

    @property
    def task(self) -> Task:
        """The classes, or regression with its unit."""
        assert self._task is not None  # noqa: S101  (the constructor settles it or raises)
        return self._task

    @property
    def score_kind(self) -> ScoreKind:
        """Logit, probability or value; logit until the first query where none was given."""
        return self._kind or ScoreKind.LOGIT

    @property
    def size(self) -> str:
        """The number of parameters, for tables."""
        return f"{sum(p.numel() for p in self.module.parameters()):,} parameters"

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Scores of shape (n, k); one logit z becomes (0, z), one probability p (1 - p, p).

        Raises
        ------
        InvalidInput
            If the rows are no table of numbers, or the outputs do not match the classes.
        TeacherFailed
            If the module raises, or returns something else than finite scores.
        """
        X = as_table(X)
        if self._kind is None:
            self._settle(X)
        out = np.empty((len(X), self.task.outputs))
        with evaluated(self.module), torch.no_grad():
            for rows, x in self._batches(X):
                columns = self._columns(self._call(x, rows), rows)
                out[rows] = columns.to("cpu", torch.float64).numpy()
        return out

    def layers(self, X: Any = None) -> tuple[str, ...]:
        """Names of layers in the order in which they finish when rows are run.

        These are the leaf modules, so both sides of a nonlinearity, and the composite modules that
        return a tensor of their own, such as residual blocks; not those without an output by row.

        Parameters
        ----------
        X : rows, optional
            The first two are run. Otherwise the first of an earlier query are; before any query,
            leaf modules come in the order in which they were registered.
        """
        if X is not None:
            self._first = next(self._batches(some_of(as_table(X), 0, 2)))[1]
        first = self._first
        if first is None:
            return leaves(self.module)
        with evaluated(self.module), torch.no_grad():
            whole = slice(0, len(first))
            return finishing_order(self.module, lambda: self._call(first, whole), len(first))

    def activations(self, X: Any, layers: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Outputs of layers, each of shape (n, m), flattened over all but rows.

        Of a layer that returns a tuple, the first tensor is taken. The outputs of a layer that
        runs several times in one pass stand side by side, in the order of the runs.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows in the form the module takes.
        layers : sequence of str
            Names of the layers, as in ``named_modules``.

        Raises
        ------
        InvalidInput
            If there is no such layer, it does not run, or its output does not have rows first.
        TeacherFailed
            If the module raises.
        """
        known = [n for n, _ in self.module.named_modules(remove_duplicate=False) if n]
        for name in layers:
            if name not in known:
                raise InvalidInput(f"{self.name} has no layer {name!r}.", did_you_mean(name, known))
        X = as_table(X)
        out: dict[str, NDArray[np.float32]] = {}
        with evaluated(self.module), torch.no_grad(), recorded(self.module, layers) as take:
            for rows, x in self._batches(X):
                self._call(x, rows)
                for name, a in take(len(x)).items():
                    if name not in out:
                        out[name] = np.empty((len(X), a.shape[1]), np.float32)
                    out[name][rows] = a
        return out

    def gradient(self, X: Any, output: int) -> NDArray[np.float64]:
        """Gradient of score ``output`` with respect to the inputs, of shape (n, d).

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows in the form the module takes.
        output : int
            Position of the score.

        Raises
        ------
        AccessDenied
            If rows are preprocessed or embedded, so that there is no gradient by input column.
        InvalidInput
            If there is no such output.
        TeacherFailed
            If the module raises.
        """
        if Access.GRADIENTS not in self.access:
            raise AccessDenied(
                f"{self.name} has no gradient by input column: its rows are preprocessed or"
                " embedded.",
                "Use a method that asks for scores only, or give rows as the module takes them.",
            )
        X = as_table(X)
        if self._kind is None:
            self._settle(X)
        k = self.task.outputs
        if not 0 <= output < k:
            raise InvalidInput(f"There is no output {output}.", f"Give one from 0 to {k - 1}.")
        out = np.empty((len(X), int(np.prod(X.shape[1:]))))
        with differentiable(self.module):
            for rows, x in self._batches(X):
                x = x.requires_grad_()
                score = self._columns(self._call(x, rows), rows)[:, output].sum()
                slope = slope_of(score, x, rows, self.name)
                out[rows] = slope.to("cpu", torch.float64).reshape(len(x), -1).numpy()
        return out

    def _batches(self, X: Any) -> Iterator[tuple[slice, Tensor]]:
        found = row_batches(self.module, X, self.batch_size, self.preprocess, self.device)
        for rows, x in found:
            if self._first is None:
                self._first = x[:2].clone()
            yield rows, x

    def _call(self, x: Tensor, rows: slice) -> Any:
        try:
            return self.module(x)
        except Exception as error:
            raise TeacherFailed(
                f"{self.name} raised {type(error).__name__} on rows {rows.start} to"
                f" {rows.stop - 1}: {error}",
                f"Call the module on these rows in eval mode, as {tuple(x.shape)} of {x.dtype} on"
                f" {x.device}; if memory is short, give a smaller batch_size.",
            ) from error

    def _raw(self, output: Any, rows: slice) -> Tensor:
        """The output as (n, k)."""
        k = len(self._task.classes) if self._task is not None else 0
        return row_scores(output, rows, k, self.name, self.output)

    def find_output(self, X: Any, k: int = 0) -> tuple[str | int | None, str]:
        """Which of several tensors are the scores, and a sentence where there was a choice.

        Parameters
        ----------
        X : rows
            The first batch of them is run.
        k : int
            The number of classes, or 0 where it is not known.

        Raises
        ------
        InvalidInput
            If two tensors fit.
        """
        with evaluated(self.module), torch.no_grad():
            rows, x = next(self._batches(as_table(X)))
            output = self._call(x, rows)
        if isinstance(output, Tensor) or self.output is not None:
            return self.output, ""
        return chosen_output(output, rows.stop - rows.start, k, self.name)

    def _columns(self, output: Any, rows: slice) -> Tensor:
        """Scores (n, k), checked against the task."""
        raw = self._raw(output, rows)
        return class_scores(raw, self.task, self._kind, rows, self.name)

    def look(self, X: Any) -> tuple[NDArray[Any], bool]:
        """Outputs (n, k) of one batch as they are, and whether a sigmoid or softmax made them.

        Parameters
        ----------
        X : rows
            The first batch of them is run.
        """
        with evaluated(self.module), torch.no_grad():
            rows, x = next(self._batches(as_table(X)))
            raw = self._raw(self._call(x, rows), rows)
        with differentiable(self.module):
            few = x[:2].requires_grad_(x.is_floating_point())
            two = slice(0, len(few))
            ends = ends_in_sigmoid(self._raw(self._call(few, two), two))
        return as_array(raw), ends

    def _settle(self, X: Any) -> None:
        """Find out from one batch how many outputs there are and of what kind."""
        raw, sigmoid = self.look(X)
        classes = None if self._task is None else self._task.classes
        read = read_scores(
            raw,
            KnownOutputs(self.name, classes, kind=self._kind, network=True, sigmoid=sigmoid),
        )
        self._task, self._kind = read.task, read.kind
        self.note, self.order_guessed = read.note, read.order_guessed
