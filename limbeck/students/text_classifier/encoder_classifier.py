"""A fine-tuned small encoder as an ONNX graph with 8-bit weights; predicts without torch."""

from __future__ import annotations

import base64
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.students import files
from limbeck.students.static_embedding.static_embedding import tokenizer_of
from limbeck.students.targets import TaskLike
from limbeck.students.text_classifier.search import TextData
from limbeck.students.text_classifier.text import Deciding
from limbeck.students.text_classifier.text_student import TextStudent

__all__ = ["EncoderClassifier"]

_BATCH = 64


@STUDENTS.register("encoder_classifier")
class EncoderClassifier(TextStudent):
    """An encoder with a head, in ONNX; needs onnxruntime and tokenizers alone.

    It is made by ``distill(..., into="text_classifier", encoder="hf:folder")``. A text beyond
    ``max_tokens`` is cut there.

    Parameters
    ----------
    task : Task, "classes" or "value", optional
        What is predicted.

    Attributes
    ----------
    graph_ : bytes
        The ONNX file: ``ids`` and ``mask`` of shape (n, t) to ``logits`` (n, k).
    max_tokens_ : int
        Tokens that are read.
    features_, task_, classes_, n_features_in_
        As in :class:`limbeck.students.tree.tree.Tree`.
    """

    size_unit = "bytes"

    def __init__(self, task: TaskLike = None) -> None:
        self.task = task

    def _fitted(self, data: TextData, features: Features, task: Task) -> Self:
        raise InvalidInput(
            "An encoder is not fitted by itself.",
            'Call limbeck.distill(teacher, texts, into="text_classifier", encoder="hf:folder").',
        )

    def take(
        self, graph: bytes, tokenizer: str, max_tokens: int, features: Features, task: Task
    ) -> Self:
        """The student itself, as training made it.

        Parameters
        ----------
        graph : bytes
            The ONNX file.
        tokenizer : str
            The content of a tokenizer.json.
        max_tokens : int
            Tokens that are read.
        features : Features
            The column of texts.
        task : Task
            What is predicted.
        """
        self._hold(features, task)
        self.graph_, self.tokenizer_, self.max_tokens_ = graph, tokenizer, max_tokens
        self._tokenizer = tokenizer_of(tokenizer)
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.enable_padding()
        self._session = _session(graph)
        self._importances = np.full(len(features), 1 / len(features))  # not told apart
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_session", "_tokenizer")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "graph_" in state:
            kept = self._importances
            self.take(self.graph_, self.tokenizer_, self.max_tokens_, self.features_, self.task_)
            self._importances = kept

    @property
    def size(self) -> int:
        """Bytes of the graph."""
        return len(self.graph_)

    def _sums(self, texts: NDArray[Any]) -> NDArray[np.float64]:
        outputs = len(self.task_.classes) if len(self.task_.classes) > 2 else 1
        out = np.empty((len(texts), outputs))
        order = np.argsort([len(text) for text in texts], kind="stable")
        for start in range(0, len(order), _BATCH):
            at = order[start : start + _BATCH]
            read = self._tokenizer.encode_batch(texts[at].tolist())
            given = {
                "ids": np.array([r.ids for r in read], dtype=np.int64),
                "mask": np.array([r.attention_mask for r in read], dtype=np.int64),
            }
            out[at] = self._session.run(None, given)[0]
        return out

    def explain(self, text: str) -> list[tuple[str, float]]:
        """By how much the sum of the answer falls where a word is left out, the largest first.

        Parameters
        ----------
        text : str
            One text.
        """
        words = text.split()
        every = [text, *(" ".join(words[:i] + words[i + 1 :]) for i in range(len(words)))]
        total = self._answered(self._sums(np.array(every, dtype=object)))
        order = np.argsort(-np.abs(total[0] - total[1:]), kind="stable")
        return [(words[i], float(total[0] - total[1 + i])) for i in order]

    def _deciding(self) -> Deciding:
        return {}

    def text(self) -> str:
        """What it is: it has no words that decide for all texts; `explain` has those of one."""
        return (
            f"An encoder in ONNX of {len(self.graph_) / 1e6:.1f} MB, which reads up to"
            f" {self.max_tokens_:,} tokens of a text. It cannot be read; explain(text) says what"
            " each word of one text adds."
        )

    def _plot(self, ax: Any = None) -> Any:
        from limbeck.students.readable import Readable

        return Readable._plot(self, ax)

    def to_dict(self) -> dict[str, Any]:
        """All that it is, ready for JSON; the graph in base64."""
        return {
            **self._head("encoder_classifier"),
            "tokenizer": self.tokenizer_,
            "max_tokens": self.max_tokens_,
            "graph": base64.b64encode(self.graph_).decode("ascii"),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """What `to_dict` wrote.

        Raises
        ------
        FileRefused
            If it is malformed.
        """
        features, task = files.read_head(data, "encoder_classifier")

        def read(given: dict[str, Any]) -> Any:
            most = given["max_tokens"]
            if type(most) is not int or not 2 <= most <= 100_000:
                raise ValueError(f"max_tokens is {most!r}")
            graph = base64.b64decode(given["graph"], validate=True)
            try:
                return cls(task=task).take(graph, given["tokenizer"], most, features, task)
            except InvalidInput as error:
                raise ValueError(str(error)) from None

        made: Self = files.parsed(data, read)._recall(data)
        return made


def _session(graph: bytes) -> Any:
    """A session on one thread, of a graph without weights in other files."""
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtra("Encoders need onnxruntime.", "pip install 'limbeck[onnx]'") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # whatever onnxruntime raises
        raise FileRefused(
            f"The graph cannot be run: {str(error).splitlines()[0]}", "Save the student again."
        ) from None
    names = ([i.name for i in session.get_inputs()], [o.name for o in session.get_outputs()])
    if names != (["ids", "mask"], ["logits"]):
        raise FileRefused(f"The graph is from {names[0]} to {names[1]}.", "Save the student again.")
    return session
