"""A torch module as a teacher: its scores, activations and gradients, and nothing of it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.contract import Access, Label, ScoreKind, Task
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed, did_you_mean
from limbeck.data.labels import as_classes
from limbeck.data.scores import KnownOutputs, read_scores, sums_to_one, within_one
from limbeck.modules.outputs import entries, entry
from limbeck.teachers.last_operation import ends_in_sigmoid

__all__ = ["TorchTeacher"]


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
        self._embeds = _starts_with_embedding(module)
        self._first: Tensor | None = None  # the first rows ever asked, to trace the layers
        self._task = _task(classes, unit, regression)
        self._kind = _kind(score_kind, self._task)
        if example is not None:
            self._settle(example)
        elif self._task is None:
            raise InvalidInput(
                f"Nothing says what the outputs of {self.name} are.",
                "Give classes=[...], or regression=True, or rows as example=X.",
            )

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
        with number._asking(), torch.no_grad():
            rows, x = next(number._batches(_slice(_table(X), 0, 1)))
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
        X = _table(X)
        if self._kind is None:
            self._settle(X)
        out = np.empty((len(X), self.task.outputs))
        with self._asking(), torch.no_grad():
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
        leaves = [n for n, m in self.module.named_modules() if n and not any(m.children())]
        if X is not None:
            self._first = next(self._batches(_slice(_table(X), 0, 2)))[1]
        first = self._first
        if first is None:
            return tuple(leaves)
        order: list[str] = []
        seen: list[Any] = []

        def note(name: str, output: Any) -> None:
            found = _tensor(output)
            by_row = found is not None and found.ndim > 0 and len(found) == len(first)
            own = found is output and not any(output is s for s in seen)
            if by_row and name not in order and (name in leaves or own):
                order.append(name)
            seen.append(output)

        names = [n for n, _ in self.module.named_modules() if n]
        with self._asking(), torch.no_grad(), self._hooks(names, note):
            self._call(first, slice(0, len(first)))
        return tuple(order)

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
        X = _table(X)
        out: dict[str, NDArray[np.float32]] = {}
        runs: dict[str, list[Tensor]] = {}

        def keep(name: str, output: Any) -> None:
            found = _tensor(output)
            if found is not None:  # copied at once: a later layer may work in place
                runs[name].append(found.detach().to("cpu", torch.float32, copy=True))

        with self._asking(), torch.no_grad(), self._hooks(layers, keep):
            for rows, x in self._batches(X):
                runs.update((name, []) for name in layers)
                self._call(x, rows)
                for name in layers:
                    a = _side_by_side(runs.pop(name), name, len(x))
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
        X = _table(X)
        if self._kind is None:
            self._settle(X)
        k = self.task.outputs
        if not 0 <= output < k:
            raise InvalidInput(f"There is no output {output}.", f"Give one from 0 to {k - 1}.")
        out = np.empty((len(X), int(np.prod(X.shape[1:]))))
        with self._asking(), torch.enable_grad(), _differentiable(self.module):
            for rows, x in self._batches(X):
                x = x.requires_grad_()
                score = self._columns(self._call(x, rows), rows)[:, output].sum()
                slope = self._slope(score, x, rows) if score.requires_grad else None
                slope = torch.zeros_like(x) if slope is None else slope
                out[rows] = slope.to("cpu", torch.float64).reshape(len(x), -1).numpy()
        return out

    def _slope(self, score: Tensor, x: Tensor, rows: slice) -> Tensor | None:
        try:
            (slope,) = torch.autograd.grad(score, x, allow_unused=True)
        except RuntimeError as error:
            raise TeacherFailed(
                f"{self.name} cannot be differentiated on rows {rows.start} to {rows.stop - 1}:"
                f" {error}",
                "Use a method that asks for scores only, or differentiable operations.",
            ) from error
        found: Tensor | None = slope
        return found

    @contextmanager
    def _asking(self) -> Iterator[None]:
        modes = [(m, m.training) for m in self.module.modules()]
        try:
            self.module.eval()
            yield
        finally:
            for m, training in modes:
                m.training = training

    @contextmanager
    def _hooks(self, names: Sequence[str], see: Callable[[str, Any], None]) -> Iterator[None]:
        handles = []
        try:
            for name in dict.fromkeys(names):
                layer = self.module.get_submodule(name)
                handles.append(
                    layer.register_forward_hook(lambda m, i, output, name=name: see(name, output))
                )
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _batches(self, X: Any) -> Iterator[tuple[slice, Tensor]]:
        for start in range(0, len(X), self.batch_size):
            rows = slice(start, min(start + self.batch_size, len(X)))
            batch = _slice(X, rows.start, rows.stop)
            x = self._on_device(self.preprocess(batch) if self.preprocess else batch)
            if len(x) != rows.stop - rows.start:
                raise InvalidInput(
                    f"preprocess made {len(x)} rows of {rows.stop - rows.start}.",
                    "Let it return one row for each row.",
                )
            if self._first is None:
                self._first = x[:2].clone()
            yield rows, x

    def _on_device(self, batch: Any) -> Tensor:
        """The batch as a new tensor that the module takes; the user's own is never touched."""
        x = batch.detach() if isinstance(batch, Tensor) else torch.from_numpy(_numbers(batch))
        first = next(self.module.parameters(), None)  # asked now: the owner may move the module
        device = self.device or ("cpu" if first is None else first.device)
        floating = (p.dtype for p in self.module.parameters() if p.is_floating_point())
        dtype = next(floating, torch.get_default_dtype())
        if self._embeds and not x.is_floating_point():
            dtype = torch.int64
        return x.to(device, dtype, copy=isinstance(batch, Tensor))

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
        n = rows.stop - rows.start
        scores = self._found(output, n)
        if scores is None:
            keys = f" with {list(output)[:8]}" if isinstance(output, Mapping) else ""
            raise TeacherFailed(
                f"{self.name} returned a {type(output).__name__}{keys}, in which no scores are"
                " found.",
                "Let it return a tensor, a tuple that starts with one, or a mapping with 'logits'.",
            )
        if n == 1 and (scores.ndim == 0 or (scores.ndim == 1 and len(scores) > 1)):
            scores = scores.reshape(1, -1)  # a module that ends in squeeze()
        if scores.ndim == 1:
            scores = scores[:, None]
        if scores.ndim != 2 or len(scores) != n or not scores.is_floating_point():
            raise TeacherFailed(
                f"{self.name} returned shape {tuple(scores.shape)} of {scores.dtype} for {n} rows.",
                "Let it return floating scores of shape (n, k).",
            )
        if not torch.isfinite(scores).all():
            bad = int((~torch.isfinite(scores)).any(1).nonzero()[0]) + rows.start
            raise TeacherFailed(
                f"{self.name} gave a score that is not a finite number for row {bad}.",
                "Fill in missing values with preprocess=..., or drop such rows.",
            )
        return scores

    def _found(self, output: Any, n: int) -> Tensor | None:
        """The tensor of scores in what the module returned, if there is one."""
        if isinstance(output, Tensor):
            return output
        if self.output is not None:
            return entry(output, self.output, self.name)
        k = len(self._task.classes) if self._task is not None else 0
        held = self._held(output, n, k)
        return next(iter(held.values())) if held else _tensor(output)

    def _held(self, output: Any, n: int, k: int) -> dict[str | int, Tensor]:
        """The one tensor that may be scores of n rows and k classes (0: not known), or none.

        Raises
        ------
        InvalidInput
            If there are several: names them.
        """
        there = {
            key: v
            for key, v in entries(output).items()
            if isinstance(v, Tensor)
            and v.is_floating_point()
            and v.ndim in (1, 2)
            and len(v) == n
            and key != "loss"
        }
        if "logits" in there:
            return {"logits": there["logits"]}
        widths = {key: v.shape[1] if v.ndim == 2 else 1 for key, v in there.items()}
        fits = {key: v for key, v in there.items() if widths[key] == k or
                (k == 2 and widths[key] == 1) or not k}  # fmt: skip
        if len(fits) > 1:
            listed = ", ".join(f"{key!r} {tuple(v.shape)}" for key, v in fits.items())
            raise InvalidInput(
                f"{self.name} returns {listed}, and each may be its scores.",
                f"Say which: output={next(iter(fits))!r}.",
            )
        return fits

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
        with self._asking(), torch.no_grad():
            rows, x = next(self._batches(_table(X)))
            output = self._call(x, rows)
        if isinstance(output, Tensor) or self.output is not None:
            return self.output, ""
        held = self._held(output, rows.stop - rows.start, k)
        several = [v for v in entries(output).values() if isinstance(v, Tensor) and v.ndim]
        if not held or len(several) < 2:
            return None, ""
        place = next(iter(held))
        return place, (
            f"Of {len(several)} tensors that {self.name} returns, {place!r} of shape"
            f" {tuple(held[place].shape)} is taken for its scores; output=... says which."
        )

    def _columns(self, output: Any, rows: slice) -> Tensor:
        """Scores (n, k), checked against the task."""
        raw = self._raw(output, rows)
        k = len(self.task.classes)
        if raw.shape[1] != (k or 1) and not (raw.shape[1] == 1 and k == 2):
            raise InvalidInput(
                f"{self.name} has {raw.shape[1]} output(s) for "
                + (f"{k} classes {list(self.task.classes)[:8]}." if k else "one number."),
                "Give classes=[...] in the order of the outputs, or regression=True.",
            )
        fits = within_one if raw.shape[1] == 1 else sums_to_one
        if self._kind is ScoreKind.PROBABILITY and not fits(_numpy(raw)):
            raise TeacherFailed(
                f"The outputs of {self.name} were taken for probabilities, and rows {rows.start} to"
                f" {rows.stop - 1} hold others.",
                "Give score_kind='logit'.",
            )
        if k == 2 and raw.shape[1] == 1:
            other = 1 - raw if self._kind is ScoreKind.PROBABILITY else torch.zeros_like(raw)
            return torch.cat([other, raw], dim=1)
        return raw

    def look(self, X: Any) -> tuple[NDArray[Any], bool]:
        """Outputs (n, k) of one batch as they are, and whether a sigmoid or softmax made them.

        Parameters
        ----------
        X : rows
            The first batch of them is run.
        """
        with self._asking(), torch.no_grad():
            rows, x = next(self._batches(_table(X)))
            raw = self._raw(self._call(x, rows), rows)
        with self._asking(), torch.enable_grad(), _differentiable(self.module):
            few = x[:2].requires_grad_(x.is_floating_point())
            ends = ends_in_sigmoid(
                self._raw(self._call(few, slice(0, len(few))), slice(0, len(few)))
            )
        return _numpy(raw), ends

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


def _differentiable(module: nn.Module) -> AbstractContextManager[None]:
    """In eval mode, cuDNN differentiates no recurrent layer; torch's other kernels do."""
    if any(isinstance(m, nn.RNNBase) for m in module.modules()):
        return torch.backends.cudnn.flags(enabled=False)
    return nullcontext()


def _task(classes: Sequence[Label] | int | None, unit: str, regression: bool) -> Task | None:
    if classes is None:
        return Task(unit=unit) if regression or unit else None
    labels = as_classes(classes)
    if regression:
        raise InvalidInput(
            f"classes is {list(labels)[:8]} with regression=True.",
            "Give at least two different classes, or regression=True alone.",
        )
    return Task(labels)


def _kind(kind: ScoreKind | str | None, task: Task | None) -> ScoreKind | None:
    if task is not None and not task.classifies:
        return ScoreKind.VALUE
    if kind not in (None, ScoreKind.LOGIT, ScoreKind.PROBABILITY):
        raise InvalidInput(
            f"score_kind is {str(kind)!r} for a classifier.", "Give 'logit' or 'probability'."
        )
    return None if kind is None else ScoreKind(kind)


def _numpy(raw: Tensor) -> NDArray[Any]:
    raw = raw.detach()
    half = raw.dtype is torch.bfloat16  # unknown to numpy
    return np.asarray(raw.to("cpu", torch.float16 if half else raw.dtype).numpy())


def _starts_with_embedding(module: nn.Module) -> bool:
    own = (m for m in module.modules() if any(True for _ in m.parameters(recurse=False)))
    return isinstance(next(own, None), nn.Embedding | nn.EmbeddingBag)


def _tensor(output: Any) -> Tensor | None:
    """The tensor in what a module returns, if there is one."""
    if isinstance(output, Mapping):
        output = output.get("logits")
    elif hasattr(output, "logits"):
        output = output.logits
    elif isinstance(output, tuple | list) and output:
        return _tensor(output[0])
    return output if isinstance(output, Tensor) else None


def _side_by_side(runs: list[Tensor], name: str, n: int) -> NDArray[np.float32]:
    if not runs:
        raise InvalidInput(
            f"Layer {name!r} returned no tensor when the rows were run.",
            "Choose one of teacher.layers(X).",
        )
    for a in runs:
        if a.ndim == 0 or len(a) != n:
            raise InvalidInput(
                f"Layer {name!r} returned shape {tuple(a.shape)} for {n} rows.",
                "Choose a layer whose output has one entry per row along its first axis.",
            )
    flat: NDArray[np.float32] = torch.cat([a.reshape(n, -1) for a in runs], dim=1).numpy()
    return flat


def _table(X: Any) -> Any:
    """X as something with a length and a shape; nothing is copied but lists."""
    X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) < 2 or X.shape[0] == 0:
        raise InvalidInput(
            f"The rows have shape {tuple(X.shape)}.", "Give shape (n, d) with at least one row."
        )
    return X


def _slice(X: Any, start: int, stop: int) -> Any:
    return X.iloc[start:stop] if hasattr(X, "iloc") else X[start:stop]


def _numbers(batch: Any) -> NDArray[Any]:
    """A fresh contiguous array of a dtype that torch knows."""
    if hasattr(batch, "toarray"):  # sparse
        batch = batch.toarray()
    A = np.asarray(batch)
    if A.dtype.kind in "iub":
        return A.astype(np.int64, order="C")
    try:
        wanted = A.dtype if A.dtype in (np.float16, np.float32) else np.float64
        return A.astype(wanted, order="C")
    except (TypeError, ValueError):
        raise InvalidInput(
            f"The rows hold {A.dtype} that are not numbers.",
            "Give preprocess=..., a callable that turns your rows into numbers.",
        ) from None
