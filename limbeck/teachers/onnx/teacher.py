"""A model in an ONNX file as a teacher, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.registry import TEACHERS
from limbeck.core.task import Label
from limbeck.data.labels import class_codes
from limbeck.teachers.batched import BatchedTeacher
from limbeck.teachers.entry import TeacherEntry
from limbeck.teachers.files import path_of
from limbeck.teachers.onnx.file import OnnxFile, read_onnx
from limbeck.teachers.onnx.inputs import feeds_of
from limbeck.teachers.onnx.outputs import chosen
from limbeck.teachers.reading import FirstOutputs

__all__ = ["OnnxTeacher"]


@TEACHERS.register("onnx")
class OnnxTeacher(BatchedTeacher):
    """A model in an ONNX file: one of torch, scikit-learn, LightGBM, XGBoost or others.

    Parameters
    ----------
    path : str or Path
        The .onnx file.
    classes : sequence of labels, optional
        The classes in the order of the scores. Files of skl2onnx and onnxmltools name them.
    unit : str
        The unit of a predicted number.
    score_kind : {"logit", "probability", "label"}, optional
        What the outputs are; otherwise found from some of them.
    preprocess : callable, optional
        From the user's rows to what the file takes: an array, or a dictionary of arrays for
        several inputs.
    batch_size : int
        Rows in one run. A file with a fixed batch gets just as many, the last ones repeated.
    name : str, optional
        By default that of the file.
    output : str or int, optional
        The name or position of the scores. Otherwise the only output of floating point numbers,
        the one named ``logits``, or the only output.
    inputs : mapping of str to sequence, optional
        For a file of several inputs, the columns of each: names, or positions in an array.
        Otherwise each input takes the column that has its name.
    external_data : bool
        Whether weights in other files of the model's own folder may be read.
    regression : bool
        Whether the one output is a number to predict.

    Raises
    ------
    FileRefused
        If the file is cut off, malformed, newer than the runtime, or names other files unasked.
    InvalidInput
        If nothing says what the outputs are.
    MissingExtra
        If onnx or onnxruntime is not installed.
    """

    entry = TeacherEntry(
        "an ONNX file, whoever exported it",
        'limbeck.distill("model.onnx", X)',
        extra="onnx",
        files=(".onnx",),
    )
    _by_hand = "Run the file on these rows with onnxruntime by itself."

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is the path of an .onnx file."""
        path = path_of(model)
        return path is not None and path.suffix.lower() == ".onnx"

    @classmethod
    def first_outputs(
        cls, path: Any, example: Any, options: dict[str, Any], k: int
    ) -> FirstOutputs | None:
        """Its outputs for some rows; see `limbeck.teachers.reading.read_outputs`.

        Parameters
        ----------
        path : str, Path or OnnxFile
            The file.
        example : rows or None
            The rows.
        options : dict
            Those of the constructor.
        k : int
            The number of classes, or 0.
        """
        own = ("preprocess", "batch_size", "output", "inputs", "external_data", "name")
        looked = cls(path, regression=True, **{n: v for n, v in options.items() if n in own})
        classes = looked.output.classes
        said = options.get("classes") or options.get("unit") or options.get("regression")
        if looked.output.regression and not (said or k):
            options["regression"] = True
        if example is None:
            if classes and not said:
                options["classes"] = classes  # the file knows their order, y does not
            return None
        values = looked.look(example)
        if classes and not said:
            looked.check_labels(example, values, classes)
        return FirstOutputs(
            values, looked.name, network=looked.output.numbers, sigmoid=looked.output.sigmoid,
            classes=classes, opened=looked.file,
        )  # fmt: skip

    def __init__(
        self,
        path: str | Path | OnnxFile,
        *,
        classes: Sequence[Label] | None = None,
        unit: str = "",
        score_kind: ScoreKind | str | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        batch_size: int = 4096,
        name: str | None = None,
        output: str | int | None = None,
        inputs: Mapping[str, Sequence[Any]] | None = None,
        external_data: bool = False,
        regression: bool = False,
    ) -> None:
        opened = path if isinstance(path, OnnxFile) else read_onnx(Path(path), external_data)
        self.file = opened
        self.output = chosen(opened.outputs, output, opened.path.name)
        self._inputs = inputs
        regression = regression or bool(unit)
        if classes is None and not regression:
            classes = self.output.classes
            regression = self.output.regression
        if classes is None and not regression:
            raise InvalidInput(
                f"Nothing says what the output {self.output} of {opened.path.name} is.",
                "Give classes=[...], or regression=True, or rows as example=X.",
            )
        super().__init__(
            name or opened.path.name, classes=classes, unit=unit, score_kind=score_kind,
            preprocess=preprocess, batch_size=opened.batch or batch_size,
        )  # fmt: skip

    @property
    def size(self) -> str:
        """The number of weights, for tables; nothing for trees."""
        return f"{self.file.parameters:,} parameters" if self.file.parameters > 100 else ""

    def check_labels(self, X: Any, scores: NDArray[Any], classes: tuple[Label, ...]) -> None:
        """Refuse classes that contradict the labels which the file answers with beside scores.

        Parameters
        ----------
        X : rows
            Those of the scores.
        scores : ndarray of shape (n, k)
            The scores.
        classes : tuple of labels
            The classes that the file names, in the order of the scores.
        """
        labels = [o for o in self.file.outputs if not o.numbers]
        if len(labels) != 1 or scores.ndim != 2 or scores.shape[1] != len(classes):
            return
        other = OnnxTeacher(
            self.file, output=labels[0].name, preprocess=self.preprocess, inputs=self._inputs,
            regression=True,
        )  # fmt: skip
        codes = class_codes(other.look(X), classes)
        top = np.sort(scores, axis=1)
        sure = top[:, -1] - top[:, -2] > 1e-5 * np.abs(top[:, -1])
        wrong = sure & (codes != scores.argmax(axis=1))
        if wrong.any():
            row = int(wrong.argmax())
            raise InvalidInput(
                f"{self.name} answers row {row} with the label number {codes[row]}, and its largest"
                f" score is that of {classes[int(scores[row].argmax())]!r}: its classes"
                f" {list(classes)[:8]} are in another order, or it has a threshold of its own.",
                f"Give classes=[...] in the order of the scores, or output={labels[0].name!r} for"
                " its labels.",
            )

    def _ask(self, batch: Any) -> NDArray[Any]:
        feeds = feeds_of(self.file, batch, self._inputs)
        return self.file.run(feeds, self.output.fetch)

    def _call(self, batch: Any, rows: slice) -> NDArray[Any]:
        missing = (self.file.batch or 0) - (rows.stop - rows.start)
        if missing <= 0:
            return super()._call(batch, rows)
        places = np.minimum(np.arange(self.file.batch or 0), rows.stop - rows.start - 1)
        filled = batch.iloc[places] if hasattr(batch, "iloc") else batch[places]
        return super()._call(filled, slice(rows.start, rows.stop + missing))[:-missing]

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(
            f"{self.name} is asked through onnxruntime, which shows no {what}.",
            "Use a method that asks for scores only, or give the torch module itself.",
        )
