"""Models that are no networks as teachers of networks: they are asked for outputs only.

Functions, estimators of scikit-learn, ONNX files and stored scores answer with numbers, labels,
logits or probabilities, which become what losses read; see
`limbeck.networks.teachers.outside_answers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, TeacherFailed
from limbeck.data.scores import OutputReading
from limbeck.modules.fingerprint import digest
from limbeck.networks.datasets.collate import label_names
from limbeck.networks.datasets.data import Samples
from limbeck.networks.teachers.outside_answers import Reader, per_label, reading_of_answers, said_of
from limbeck.networks.teachers.several_outputs import several_outputs
from limbeck.teachers import as_teacher, teacher_class
from limbeck.teachers.onnx.file import read_onnx
from limbeck.teachers.onnx.outputs import chosen
from limbeck.teachers.onnx.teacher import OnnxTeacher
from limbeck.teachers.sklearn import SklearnTeacher
from limbeck.teachers.stored import StoredScores

__all__ = [
    "OutsideTeacher",
    "is_outside",
    "lines_of",
    "name_of",
    "outside_teacher",
    "without",
]

_PROBES = 256
Ask = Callable[[Any], NDArray[Any]]


class OutsideTeacher(nn.Module):
    """A model that is no network, called as one; made by `outside_teacher`.

    Parameters
    ----------
    ask : callable
        From inputs, as networks get them, to answers (n,), or (n, k), or (n, ...).
    name : str
        For tables and messages.
    read : callable
        From answers to outputs: logits or numbers.
    kind : ScoreKind
        What the answers are.
    mark : str
        A digest of some answers, which tells one model from another.
    """

    def __init__(
        self, ask: Ask, name: str, read: Callable[[NDArray[Any]], NDArray[Any]], kind: ScoreKind,
        mark: str,
    ) -> None:  # fmt: skip
        super().__init__()
        self.ask, self.name, self.read, self.kind, self.mark = ask, name, read, kind, mark

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """Outputs of shape (n, k), or as the model has them."""
        batch: Any = named if named else inputs[0] if len(inputs) == 1 else inputs
        first = next(iter(batch.values())) if isinstance(batch, Mapping) else batch
        first = first[0] if isinstance(first, tuple) else first
        outputs = self.read(_finite(self.ask(batch), self.name))
        return torch.from_numpy(np.ascontiguousarray(outputs, dtype=np.float32)).to(first.device)

    def extra_repr(self) -> str:
        """What `repr` shows, and so what a fingerprint sees."""
        return f"{self.name}, {self.kind}, {self.mark[:16]}"


def name_of(teacher: nn.Module) -> str:
    """What a teacher is called in tables: its class, or the model's own name."""
    return teacher.name if isinstance(teacher, OutsideTeacher) else type(teacher).__name__


def is_outside(teacher: Any) -> bool:
    """Whether a teacher is a model that is no network, or what one once answered."""
    if teacher is None or isinstance(teacher, nn.Module | list):
        return False
    if isinstance(getattr(teacher, "module", None), nn.Module):
        return False
    if isinstance(teacher, tuple):
        return len(teacher) == 2 and not any(map(callable, teacher))
    known = isinstance(teacher, str | PathLike | Teacher)
    return known or _is_scores(teacher) or callable(teacher) or hasattr(teacher, "predict")


def outside_teacher(
    teacher: Any,
    data: Any,
    rows: Samples,
    outputs: int,
    *,
    classes: Sequence[Any] | None = None,
    regression: bool = False,
    output: Any = None,
) -> tuple[OutsideTeacher, list[str]]:
    """A teacher of networks from a model that is none.

    Parameters
    ----------
    teacher : callable, estimator, path, array or pair
        A function of the inputs that networks get; an estimator of scikit-learn, which gets rows
        (n, d); an ONNX file; scores, one line for each row of the data; or a pair (rows, scores).
    data : Any
        As it was given; its rows are those of scores without rows.
    rows : Samples
        Some are asked about, to find out what the answers are.
    outputs : int
        Of the student, k.
    classes : sequence, optional
        Names of the classes, in the order of the student's outputs.
    regression : bool
        Whether numbers are predicted.
    output : str or int, optional
        Which output of an ONNX file is meant.

    Returns
    -------
    teacher : OutsideTeacher
    notes : list of str
        What its answers were taken for.

    Raises
    ------
    InvalidInput
        If its answers do not fit the student's outputs.
    """
    name = _name(teacher)
    if rows.random and (_is_scores(teacher) or isinstance(teacher, tuple)):
        raise InvalidInput(
            "The teacher is stored scores, and the rows are augmented at random.",
            "Give rows as they are, or the model itself.",
        )
    batch = rows.fetch(torch.linspace(0, len(rows) - 1, min(len(rows), _PROBES)).round().long())
    ask, known = _asker(teacher, data, batch.inputs, output)
    try:
        some = ask(batch.inputs)
    except Exception as error:
        if isinstance(error, InvalidInput | TeacherFailed):
            raise
        raise InvalidInput(
            f"The teacher {name} raised {type(error).__name__} on some rows: {error}",
            "Call it on these rows by hand: functions get the tensors that networks get, estimators"
            " arrays (n, d).",
        ) from error
    labels: Any = None if batch.labels is None else batch.labels.numpy()
    if labels is not None and (labels.ndim > 1 and labels.shape[1:] != (1,)):
        labels = None
    reading = known or reading_of_answers(some, name, labels, classes, regression, outputs)
    read = Reader(reading, outputs, tuple(classes or range(max(outputs, 2))), per_label(
        some, reading, outputs))  # fmt: skip
    made = OutsideTeacher(ask, name, read, reading.kind, digest((str(some.tolist()),)))
    if some.ndim == 2 or some.ndim == 1:
        read(some)  # refuses what does not fit
    return made, [said_of(name, reading, read.per_label), *([reading.note] if reading.note else [])]


def _asker(teacher: Any, data: Any, inputs: Any, output: Any) -> tuple[Ask, OutputReading | None]:
    """What is called with inputs, and what is known of its answers."""
    if isinstance(teacher, str | PathLike):
        if teacher_class(teacher) is OnnxTeacher:
            return _of_file(Path(teacher), output), None
        teacher = as_teacher(teacher)
    if _is_scores(teacher):
        teacher = (lines_of(data[0] if isinstance(data, tuple) else data), teacher)
    if isinstance(teacher, tuple):
        stored = StoredScores(_rows(teacher[0]), teacher[1])
        kind = OutputReading(stored.task, stored.score_kind, stored.note)
        return lambda inputs: _thin(stored.scores(_line(inputs)), kind), kind
    if hasattr(teacher, "fit") and hasattr(teacher, "predict"):
        several = several_outputs(teacher, inputs)
        if several is not None:
            return lambda inputs: several[0](_table(inputs)), several[1]
        estimator = SklearnTeacher(teacher)
        kind = OutputReading(estimator.task, estimator.score_kind)
        return lambda inputs: _thin(estimator.scores(_table(inputs)), kind), kind
    if hasattr(teacher, "scores") and hasattr(teacher, "task"):
        kind = OutputReading(teacher.task, teacher.score_kind)
        return lambda inputs: _thin(teacher.scores(_table(inputs)), kind), kind
    if isinstance(teacher, type) or not callable(teacher):
        raise InvalidInput(
            f"A {getattr(teacher, '__name__', type(teacher).__name__)} cannot teach a network.",
            "Give a module, a function, a fitted estimator, an .onnx file, or scores.",
        )
    return lambda inputs: _plain(teacher(inputs)), None


def _thin(scores: NDArray[Any], kind: OutputReading) -> NDArray[Any]:
    """One column where numbers are predicted."""
    return scores[:, 0] if kind.kind is ScoreKind.VALUE and scores.shape[1] == 1 else scores


def _of_file(path: Path, output: Any) -> Ask:
    """An ONNX file as a function of inputs."""
    file = read_onnx(path)
    fetched = chosen(file.outputs, output, path.name).fetch
    names = [i.name for i in file.inputs]

    def ask(inputs: Any) -> NDArray[Any]:
        if isinstance(inputs, Mapping):
            fed = {n: inputs[n].cpu().numpy() for n in names if n in inputs}
        else:
            tensors = inputs if isinstance(inputs, tuple) else (inputs,)
            fed = {n: t.cpu().numpy() for n, t in zip(names, tensors, strict=False)}
        return _plain(file.run(fed, fetched))

    return ask


def _is_scores(teacher: Any) -> bool:
    return isinstance(teacher, np.ndarray | Tensor) or (
        hasattr(teacher, "to_numpy") and not callable(getattr(teacher, "predict", None))
    )


def _name(teacher: Any) -> str:
    if _is_scores(teacher) or isinstance(teacher, tuple):
        return "stored scores"
    if isinstance(teacher, str | PathLike):
        return Path(teacher).name
    return str(getattr(teacher, "name", None) or getattr(teacher, "__name__", None)
               or type(teacher).__name__)  # fmt: skip


def _rows(given: Any) -> NDArray[Any]:
    return _table(given) if isinstance(given, Tensor) else np.asarray(given).reshape(len(given), -1)


def lines_of(data: Any) -> NDArray[Any]:
    """All rows of data, without labels, as those of stored scores are found again: (n, d).

    Raises
    ------
    InvalidInput
        If rows are sequences of different length.
    """
    names = data.column_names if hasattr(data, "column_names") else data
    if isinstance(names, Mapping | list) and (own := label_names(names)):
        data = without(data, own[0])
    every = data if isinstance(data, Samples) else Samples.of(data)
    found = [
        _line(every.fetch(some).inputs) for some in torch.split(torch.arange(len(every)), 1024)
    ]
    if len({part.shape[1] for part in found}) > 1:
        raise InvalidInput(
            "The teacher is stored scores, and the rows are sequences of different length.",
            "Give a function of the inputs, or pad the rows to one length.",
        )
    return np.concatenate(found)


def without(data: Any, name: str) -> Any:
    """The same columns but one.

    Parameters
    ----------
    data : data set or mapping
        The samples, by columns.
    name : str
        The column that is left out.
    """
    if hasattr(data, "remove_columns"):
        return data.remove_columns(name)
    return {n: values for n, values in data.items() if n != name}


def _line(inputs: Any) -> NDArray[Any]:
    """All numbers of a row one after another, (n, d), which tell rows apart."""
    parts = inputs.values() if isinstance(inputs, Mapping) else inputs
    held = list(parts) if isinstance(inputs, Mapping | tuple) else [inputs]
    return np.concatenate([np.asarray(x.detach().cpu().flatten(1).numpy()) for x in held], axis=1)


def _table(inputs: Any) -> NDArray[Any]:
    """Inputs as rows (n, d) of numbers."""
    if isinstance(inputs, Mapping) and len(inputs) == 1:
        inputs = next(iter(inputs.values()))
    if isinstance(inputs, Mapping | tuple):
        raise InvalidInput(
            "Rows have several inputs, and the teacher takes rows of numbers (n, d).",
            "Give a function of the inputs, or rows as one array.",
        )
    return np.asarray(inputs.detach().cpu().flatten(1).numpy())


def _plain(answers: Any) -> NDArray[Any]:
    found = np.asarray(answers.detach().cpu() if hasattr(answers, "detach") else answers)
    return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found


def _finite(answers: NDArray[Any], name: str) -> NDArray[Any]:
    if answers.dtype.kind == "f" and np.isnan(answers).any():
        bad = int(np.isnan(answers).reshape(len(answers), -1).any(1).argmax())
        raise TeacherFailed(
            f"The teacher {name} answers row {bad} of a batch with NaN.",
            "Drop such rows, or fill in missing values.",
        )
    return answers
