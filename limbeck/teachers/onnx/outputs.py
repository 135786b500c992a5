"""What an ONNX model returns: scores, labels or a dictionary of scores, and of which classes.

The converters of scikit-learn, LightGBM and XGBoost give labels beside scores, and may pack the
scores into one dictionary per row (ZipMap). The numbers that go into it are taken instead, with the
classes that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.task import Label

__all__ = ["OnnxOutput", "chosen", "outputs_of"]

_CLASSIFIERS = ("TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier")
_REGRESSORS = ("TreeEnsembleRegressor", "LinearRegressor", "SVMRegressor")
_MOVES = (
    "Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Concat", "Slice", "Gather",
    "ArrayFeatureExtractor", "Transpose", "Clip",
)  # fmt: skip
_FLOATS = (1, 10, 11)  # TensorProto.FLOAT, FLOAT16, DOUBLE


@dataclass(frozen=True)
class OnnxOutput:
    """An output of a model.

    Parameters
    ----------
    name : str
        As the model has it.
    fetch : str
        The name by which its numbers are asked for: that of what goes into a ZipMap.
    numbers : bool
        Whether it is a table of floating point numbers; labels are whole numbers or text.
    shape : tuple of int or None
        Its sizes, where they are known.
    classes : tuple of labels, optional
        Those that the file names for its columns.
    sigmoid : bool
        Whether its last operation is a sigmoid or softmax.
    regression : bool
        Whether it comes from a regressor and no sigmoid is between.
    """

    name: str
    fetch: str
    numbers: bool
    shape: tuple[int | None, ...] | None = None
    classes: tuple[Label, ...] | None = None
    sigmoid: bool = False
    regression: bool = False

    def __str__(self) -> str:
        sizes = "" if self.shape is None else f" {tuple(s or 'n' for s in self.shape)}"
        return f"{self.name!r}{sizes}".replace("'n'", "n")


def outputs_of(model: Any) -> tuple[OnnxOutput, ...]:
    """The outputs of a model, in its order.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed in place: what goes into a ZipMap becomes an output too.
    """
    import onnx

    made = {name: node for node in model.graph.node for name in node.output}
    named = [
        c for c in map(_classes, model.graph.node) if c and len(c) > 1
    ]  # of the classifiers of ai.onnx.ml
    own = named[0] if len(set(named)) == 1 else None
    found = []
    for output in list(model.graph.output):
        node = made.get(output.name)
        if node is not None and node.op_type == "ZipMap":
            inner = node.input[0]
            if inner not in [o.name for o in model.graph.output]:
                value = onnx.helper.make_tensor_value_info(inner, onnx.TensorProto.FLOAT, None)
                model.graph.output.append(value)
            found.append(OnnxOutput(output.name, inner, True, None, _classes(node)))
            continue
        kind = output.type.tensor_type
        numbers = kind.elem_type in _FLOATS
        shape = (
            tuple(d.dim_value or None for d in kind.shape.dim) if kind.HasField("shape") else None
        )
        last = _last_operation(made, output.name)
        fits = own if numbers and not (shape and shape[-1] not in (None, len(own or ()))) else None
        found.append(
            OnnxOutput(
                output.name, output.name, numbers, shape, fits,
                sigmoid=last in ("Sigmoid", "Softmax"), regression=last in _REGRESSORS,
            )
        )  # fmt: skip
    return tuple(found)


def chosen(outputs: tuple[OnnxOutput, ...], output: str | int | None, name: str) -> OnnxOutput:
    """The output that holds the scores; labels where there are no scores.

    Parameters
    ----------
    outputs : tuple of OnnxOutput
        Those of the file.
    output : str, int or None
        The one that was asked for, by name or position.
    name : str
        The file's, for messages.

    Raises
    ------
    InvalidInput
        If there is no such output, or several may be meant.
    """
    names = [o.name for o in outputs]
    if isinstance(output, int) and not isinstance(output, bool):
        if not -len(names) <= output < len(names):
            raise InvalidInput(
                f"{name} has no output {output}.", f"Give one of 0 to {len(names) - 1}."
            )
        return outputs[output]
    if output is not None:
        if output not in names:
            raise InvalidInput(
                f"{name} has no output {output!r}.", did_you_mean(str(output), names)
            )
        return outputs[names.index(output)]
    scores = [o for o in outputs if o.numbers]
    logits = [o for o in scores if o.name == "logits"]
    for few in (scores, logits, outputs):
        if len(few) == 1:
            return few[0]
    raise InvalidInput(
        f"{name} returns {', '.join(map(str, outputs))}, and which of them are the scores is not"
        " said.",
        f"Give output={names[0]!r} or another of them.",
    )


def _classes(node: Any) -> tuple[Label, ...] | None:
    """The classes that a ZipMap or a classifier of ai.onnx.ml names."""
    if node.op_type not in ("ZipMap", *_CLASSIFIERS):
        return None
    for held in node.attribute:
        if held.name in ("classlabels_strings", "classlabels_ints", "classlabels_int64s"):
            text = tuple(s.decode("utf-8", "replace") for s in held.strings)
            if text or held.ints:
                return text or tuple(held.ints)
    return None


def _last_operation(made: dict[str, Any], name: str) -> str:
    """The operation that computed an output, but for those that only move or copy numbers."""
    for _ in range(len(made)):
        node = made.get(name)
        if node is None:
            return ""
        if node.op_type not in _MOVES:
            return str(node.op_type)
        name = node.input[0]
    return ""
