"""TRIM: which coefficients of a transform a model uses (Singh, Ha, Lanusse, Böhm, Liu, Yu 2020).

For a transform s = T(x), the model is read as f'(s) = f(T^-1(s) + r), with the constant
r = x - T^-1(T(x)). So f'(T(x)) = f(x) whatever the inverse loses, and an attribution of f' at T(x)
is one of f at x. With g the gradient of f with respect to its inputs, that of f' is J^T g, where J
is the Jacobian of T^-1: the teacher is asked for g alone, and any teacher with gradients serves.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.results.attribution import Attribution, Way
from limbeck.signal.transforms.base import Band, Transform, numbers
from limbeck.signal.transforms.components import Components
from limbeck.signal.transforms.fourier import Fourier
from limbeck.signal.transforms.reading import BY_SCORES, TransformedTeacher, batches
from limbeck.signal.transforms.wavelet import Wavelet
from limbeck.teachers import as_teacher

__all__ = ["trim"]

Vector = NDArray[np.float64]
_TIMES_COEFFICIENT = ("input_x_gradient", "integrated_gradients")


def trim(
    model: Any,
    X: Any,
    *,
    transform: Transform | str,
    attribution: Way | None = None,
    output: int | None = None,
    steps: int = 50,
    step: float = 0.01,
    batch_size: int = 1024,
) -> Attribution:
    """Attribute a model's answers to the coefficients of a transform of its inputs.

    Parameters
    ----------
    model : torch.nn.Module, scikit-learn estimator, callable or Teacher
        A module is asked in eval mode, and left as it was.
    X : array-like, Tensor or DataFrame of shape (n, *shape)
        Rows as the model takes them, finite.
    transform : Transform or str
        One of ``limbeck.transforms``; or the name of an orthogonal wavelet, such as ``"db5"``,
        ``"fourier"`` or ``"components"``. If it has not been fitted, a copy is, on X.
    attribution : str, optional
        ``saliency``: the gradient of f', with its sign; ``input_x_gradient``: times the
        coefficient; ``integrated_gradients``: along the line from 0 to the coefficients
        (Sundararajan, Taly, Yan 2017), so that they sum to f'(s) - f'(0); ``differences``: the
        slope by central differences in the coefficients, 2 m queries per row. By default saliency
        where the model gives gradients, else differences.
    output : int, optional
        Which score. By default the number, or the score of the class that wins for the row; where
        one logit z stands for two classes, z.
    steps : int
        Points of Gauss-Legendre quadrature for integrated gradients.
    step : float
        For differences, in units of the root mean square of the band's coefficients in X. Models
        with steps, such as forests, need a large one.
    batch_size : int
        Rows in one question.

    Returns
    -------
    Attribution
        Prints as a table.

    Raises
    ------
    InvalidInput
        If the rows, the output or the transform cannot be used, or all gradients are zero.
    AccessDenied
        If gradients are asked of a model without.
    TeacherFailed
        If the model raises.

    Examples
    --------
    >>> import numpy as np
    >>> from limbeck.signal.transforms import Wavelet
    >>> rows = np.random.default_rng(0).normal(size=(20, 16))
    >>> found = trim(lambda x: x[:, :8].sum(axis=1), rows, transform=Wavelet("haar", levels=3))
    >>> {name: round(value, 3) for name, value in found.by_band().items()}
    {'approximation 3': 2.828, 'detail 3': 0.0, 'detail 2': 0.0, 'detail 1': 0.0}
    """
    rows = numbers(X)
    _check(attribution, steps, step, batch_size)
    transform = _transform(transform)
    if not transform.fitted:
        transform = copy.copy(transform).fit(rows)
    transform.forward(torch.from_numpy(rows[:1]))  # refuses rows of another shape
    teacher = _teacher(model, X, batch_size)
    way = _way(attribution, teacher)
    native = _native(X)
    outputs = _outputs(teacher, native, rows, output, batch_size)
    scores, coefficients = (np.empty((len(rows), transform.bands[-1].stop)) for _ in range(2))
    lost, flat = 0.0, True
    for part, _, s, residual in batches(transform, rows, batch_size):
        coefficients[part] = s.numpy()
        lost += float(residual.square().sum())
    widths = step * _sizes(coefficients, transform.bands)
    for part, x, s, residual in batches(transform, rows, batch_size):
        reading = TransformedTeacher(teacher, transform, native, outputs[part], residual)
        if way == "differences":
            slope = reading.differences(s, widths, batch_size)
        elif way == "integrated_gradients":
            slope = reading.mean_slope(s, steps)
        else:
            slope = reading.slope(s, x)
        flat = flat and not slope.any()
        scores[part] = slope * s.numpy() if way in _TIMES_COEFFICIENT else slope
    if flat and way == "differences":
        raise InvalidInput(
            f"{teacher.name} gave the same answer for all {len(rows)} rows when any coefficient"
            f" moved by {step:g} times the size of its band: the step is too small for a model"
            " with steps, such as a forest, or the model does not read its input.",
            f"Give a larger step, such as step={max(1.0, 10 * step):g}.",
        )
    if flat:
        raise InvalidInput(
            f"The gradient of {teacher.name} is zero for all {len(rows)} rows: a step in it cannot"
            " be differentiated, or it does not depend on its input there.",
            BY_SCORES,
        )
    error = (lost / max(float((rows**2).sum()), np.finfo(float).tiny)) ** 0.5
    still = _still(scores) if way == "differences" else 0.0
    return Attribution(
        scores, coefficients, outputs, way, transform, teacher.name, error, step, still
    )


def _transform(given: Any) -> Transform:
    """A transform, or the one that a name stands for."""
    if isinstance(given, Transform):
        return given
    if isinstance(given, str):
        own = {"fourier": Fourier, "components": Components}
        return own[given]() if given in own else Wavelet(given)
    made = f"Give {given.__name__}(...)" if isinstance(given, type) else "Give a name such as 'db5'"
    raise InvalidInput(
        f"transform is {given!r}.", f"{made}, or one of limbeck.transforms, such as Fourier()."
    )


def _still(scores: Vector) -> float:
    """Of the coefficients that moved some row's answer, the mean share of rows not moved."""
    moved = np.abs(scores) > 1e-9 * np.abs(scores).max()  # less is rounding
    return float((~moved[:, moved.any(axis=0)]).mean())


def _sizes(coefficients: Vector, bands: tuple[Band, ...]) -> Vector:
    """The root mean square of each band, shape (m,); that of all where it is zero."""
    usual = float(np.sqrt((coefficients**2).mean())) or 1.0
    out = np.empty(coefficients.shape[1])
    for band in bands:
        size = np.sqrt((coefficients[:, band.start : band.stop] ** 2).mean())
        out[band.start : band.stop] = size if size > 1e-9 * usual else usual
    return out


def _outputs(
    teacher: Teacher,
    native: Callable[[Vector], Any],
    rows: Vector,
    output: int | None,
    batch_size: int,
) -> NDArray[np.int64]:
    k = teacher.task.outputs
    if output is None and k > 1:
        starts = range(0, len(rows), batch_size)
        scores = np.concatenate([teacher.scores(native(rows[i : i + batch_size])) for i in starts])
        if k == 2 and not scores[:, 0].any():  # one logit z, written (0, z)
            return np.ones(len(rows), np.int64)
        return np.asarray(scores.argmax(axis=1), np.int64)
    wanted = output or 0
    if isinstance(wanted, bool) or not 0 <= wanted < k:
        raise InvalidInput(f"There is no output {output}.", f"Give one from 0 to {k - 1}.")
    return np.full(len(rows), wanted, np.int64)


def _check(attribution: str | None, steps: int, step: float, batch_size: int) -> None:
    if attribution is not None and attribution not in get_args(Way):
        raise InvalidInput(f"attribution is {attribution!r}.", f"Give one of {get_args(Way)}.")
    if steps < 1 or batch_size < 1:
        raise InvalidInput(
            f"steps is {steps} and batch_size is {batch_size}.", "Give at least 1 of each."
        )
    if not (np.isfinite(step) and step > 0):
        raise InvalidInput(f"step is {step}.", "Give a positive number.")


def _way(attribution: Way | None, teacher: Teacher) -> Way:
    open_ = Access.GRADIENTS in teacher.access
    if attribution is None:
        return "saliency" if open_ else "differences"
    if attribution != "differences" and not open_:
        raise AccessDenied(f"{teacher.name} gives no gradients.", BY_SCORES)
    return attribution


def _teacher(model: Any, X: Any, batch_size: int) -> Teacher:
    if isinstance(model, torch.nn.Module) and not isinstance(model, Teacher):
        from limbeck.teachers.torch import TorchTeacher

        return TorchTeacher.of_outputs(model, X, batch_size)
    teacher = as_teacher(model)
    if Access.QUERIES not in teacher.access:
        raise AccessDenied(
            f"{teacher.name} knows the scores of stored rows only.", "Give a model that answers."
        )
    return teacher


def _native(X: Any) -> Callable[[Vector], Any]:
    """From a matrix to rows in the user's own form."""
    if not hasattr(X, "columns"):
        return lambda rows: rows
    import pandas as pd

    return lambda rows: pd.DataFrame(rows, columns=X.columns)
