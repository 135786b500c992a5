"""A local folder of transformers as a teacher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput, did_you_mean, plural, whole_number
from limbeck.core.task import Label, Task, TaskKind
from limbeck.core.texts import as_texts
from limbeck.data.labels import as_classes
from limbeck.teachers.closed import Closed
from limbeck.teachers.huggingface.chunks import averaged, chunks_of
from limbeck.teachers.huggingface.folder import Folder, read_folder
from limbeck.teachers.huggingface.images import image_batch, processed
from limbeck.teachers.huggingface.loading import load_model
from limbeck.teachers.huggingface.options import check_prompt, option_scores, prompts_of
from limbeck.teachers.huggingface.tokenized import (
    Tokenized,
    context_length,
    marks,
    text_inputs,
)

__all__ = ["HuggingFaceTeacher"]

_CLOSE = 1e-5
_GENERATES = ("text2text-generation", "text-generation")


class HuggingFaceTeacher(Closed):
    """A model of transformers, from safetensors or GGUF: no network, no pickles, no own code.

    What is asked of it follows from its architecture: logits of the classes of ``id2label`` for
    classifiers of texts and images; logits of every token, (n, t, k), for token classifiers; the
    vector of each text for sentence encoders; the log-probability of each class as the
    continuation of a prompt for causal and sequence-to-sequence models.

    Parameters
    ----------
    folder : str or path
        ``hf:folder``, or the folder.
    pipeline : str, optional
        Such as ``"feature-extraction"``; by default what the architecture is for.
    classes : sequence of labels, optional
        In the order of the outputs; by default those of ``id2label``. A generating model needs
        them.
    prompt : str
        For generating models, with ``{text}``; no chat template is applied. After it a causal
        model reads a space and the class.
    truncation : bool or "chunks"
        Whether texts that are longer than the context are cut, counted and noted; refused
        otherwise. With ``"chunks"`` a longer text is answered piece by piece, and probabilities,
        numbers or vectors are averaged by the tokens of the pieces.
    max_length : int, optional
        Tokens at most; by default what model and tokenizer allow.
    batch_size : int
        Rows in a batch; texts are sorted by length within windows of 4,096.
    device : str, optional
        By default a GPU where there is one.
    name : str, optional
        By default the folder's name.

    Attributes
    ----------
    answer_notes : tuple of str
        What was met while it answered: texts that were cut.

    Raises
    ------
    FileRefused
        If weights are pickled or lacking, the folder needs code of its own, or cannot be loaded.
    InvalidInput
        If options do not fit the model.

    Examples
    --------
    >>> teacher = limbeck.as_teacher("hf:./my-classifier")           # doctest: +SKIP
    >>> teacher.scores(["good film"]).shape                          # doctest: +SKIP
    (1, 2)
    """

    def __init__(
        self,
        folder: Any,
        *,
        pipeline: str | None = None,
        classes: Sequence[Label] | int | None = None,
        prompt: str = "{text}",
        truncation: bool | Literal["chunks"] = True,
        max_length: int | None = None,
        batch_size: int = 32,
        device: str | None = None,
        name: str | None = None,
    ) -> None:
        self.folder: Folder = read_folder(folder, pipeline)
        self.pipeline = self.folder.pipeline
        whole_number("batch_size", batch_size, 1)
        check_prompt(prompt)
        loaded = load_model(self.folder, device)
        self.module, self._reader, self.prompt = loaded.module, loaded.reader, prompt
        self.name: str = name or self.folder.path.resolve().name
        self.batch_size = batch_size
        self.access = Access.SCORES | Access.QUERIES
        if self.pipeline not in _GENERATES:
            self.access |= Access.ACTIVATIONS
        self.task, self.score_kind, self.note = self._what(classes)
        self._texts: Tokenized | None = None
        self._chunks = self._in_chunks(truncation)
        if self.pipeline != "image-classification":
            longest = max_length or self.folder.pooling.max_length
            most = context_length(self._reader, self.module.config, longest)
            if self.pipeline in _GENERATES and self.pipeline != "text2text-generation" and most:
                most = max(most - self._longest_option(), 1)
            if self._reader.pad_token_id is not None and not self.module.config.pad_token_id:
                self.module.config.pad_token_id = self._reader.pad_token_id
            padded = self._reader.pad_token_id is not None or self.pipeline == "text-generation"
            self._texts = Tokenized(self._reader, most, bool(truncation), batch_size, padded)
            if self.pipeline == "text-generation":
                self._reader.truncation_side = "left"  # the end of the prompt asks the question

    @property
    def answer_notes(self) -> tuple[str, ...]:
        """What was met while it answered: texts that were cut."""
        if self._texts is None:
            return ()
        if not self._in_pieces:
            return self._texts.notes
        count, most = plural(len(self._in_pieces), "different text"), self._texts.max_length
        said = f"{count} of more than {most:,} tokens answered in chunks, which were averaged."
        return (said, *self._texts.notes)

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Scores of shape (n, k), or (n, t, k) with NaN after the last token of a text.

        Parameters
        ----------
        X : n texts, or images as `limbeck.teachers.huggingface.images.image_batch` takes them
            The rows; a text classifier also reads pairs of texts, as two columns.

        Raises
        ------
        InvalidInput
            If rows are no texts or images, or too long where they are not to be cut.
        """
        if self.pipeline in _GENERATES and self.task.classes:
            options = [str(c) for c in self.task.classes]
            encoder = self.pipeline == "text2text-generation"
            return option_scores(
                self.module, self._tokens(), prompts_of(as_texts(X), self.prompt),
                options if encoder else [f" {option}" for option in options], encoder,
            )  # fmt: skip
        if self._chunks is not None:
            return self._chunked(X, self._chunks)
        return self._one_by_one(X)

    def _one_by_one(self, X: Any) -> NDArray[np.float64]:
        """Scores of rows as they are, cut where they are too long."""
        parts: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        for rows, inputs in self._batches(X):
            out = self._forward(inputs)
            parts.append((rows, self._scored(out, inputs).double().cpu().numpy()))
        return _joined(parts, len(X))

    def _chunked(self, X: Any, kind: str) -> NDArray[np.float64]:
        """Scores of texts, of which the long ones are answered piece by piece."""
        texts, tokens = text_inputs(X), self._tokens()
        if tokens.max_length is None or isinstance(texts[0], tuple):
            return self._one_by_one(X)
        before, after = marks(self._reader)
        found = chunks_of(self._reader, texts, tokens.max_length - len(before) - len(after))
        self._in_pieces.update(hash(texts[i]) for i in np.unique(found.owner[1:][
            np.diff(found.owner) == 0]))  # fmt: skip
        return averaged(self._one_by_one(found.pieces), found, kind)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of transformers; None of images."""
        return None if self._texts is None else self._reader

    def token_vectors(self, ids: Iterable[int]) -> NDArray[np.float64]:
        """The vector of each token alone, between the marks around a text, shape (v, m).

        Parameters
        ----------
        ids : iterable of int
            Numbers of tokens.

        Raises
        ------
        AccessDenied
            If it is no sentence encoder.
        """
        if self.pipeline != "feature-extraction":
            raise self._denied("vectors of tokens")
        before, after = marks(self._reader)
        tensor = torch.tensor([[*before, i, *after] for i in ids])
        inputs = {"input_ids": tensor, "attention_mask": torch.ones_like(tensor)}
        inputs = {n: v.to(next(self.module.parameters()).device) for n, v in inputs.items()}
        return np.asarray(self._scored(self._forward(inputs), inputs).double().cpu().numpy())

    def layers(self) -> tuple[str, ...]:
        """The hidden states, from the embedding on; none of generating models."""
        if Access.ACTIVATIONS not in self.access:
            return ()
        sizes = getattr(self.module.config, "num_hidden_layers", 0) or len(
            getattr(self.module.config, "depths", ())
        )
        return tuple(f"hidden state {i}" for i in range(sizes + 1))

    def activations(self, X: Any, layers: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Hidden states (n, m), each the mean over the tokens of a text or the places of an image.

        Parameters
        ----------
        X : table of n rows
            Texts or images.
        layers : sequence of str
            Some of `layers`.

        Raises
        ------
        AccessDenied
            If it is a generating model.
        InvalidInput
            If there is no such layer.
        """
        known = self.layers()
        if not known:
            raise self._denied("activations")
        for layer in layers:
            if layer not in known:
                raise InvalidInput(f"There is no layer {layer!r}.", did_you_mean(layer, known))
        found: dict[str, list[Any]] = {layer: [] for layer in layers}
        for rows, inputs in self._batches(X):
            states = self._forward(inputs, output_hidden_states=True).hidden_states
            for layer in layers:
                mean = _mean(states[known.index(layer)], inputs.get("attention_mask"))
                found[layer].append((rows, mean.double().cpu().numpy()))
        return {layer: _joined(p, len(X)).astype(np.float32) for layer, p in found.items()}

    def _what(self, classes: Any) -> tuple[Task, ScoreKind, str]:
        """Task, kind of scores, and what was guessed."""
        config, note = self.module.config, self.folder.pooling.note
        if self.pipeline == "feature-extraction":
            return Task.of("regression", int(config.hidden_size)), ScoreKind.VALUE, note
        if self.pipeline in _GENERATES:
            if classes is None:
                raise InvalidInput(
                    f"{self.name} generates text, and its classes are not named.",
                    'Give classes=["no", "yes"] and prompt="Is this positive? {text} Answer:".',
                )
            return Task(as_classes(classes)), ScoreKind.LOGIT, ""
        k = int(config.num_labels)
        problem = getattr(config, "problem_type", None)
        if self.pipeline == "text-classification" and (k == 1 or problem == "regression"):
            return Task.of("regression", k), ScoreKind.VALUE, ""
        names: tuple[Label, ...] = tuple(str(config.id2label[i]) for i in range(k))
        if names == tuple(f"LABEL_{i}" for i in range(k)):
            names, note = tuple(range(k)), "Its classes have no names; they are called 0, 1, ..."
        if classes is not None:
            names = as_classes(classes)
            if len(names) != k:
                raise InvalidInput(f"{len(names)} classes were given for {k} outputs.", "Name all.")
        if problem == "multi_label_classification":
            return Task(names, kind="multilabel"), ScoreKind.LOGIT, note  # type: ignore[arg-type]
        if self.pipeline == "token-classification":
            return Task(names, kind="tokens"), ScoreKind.LOGIT, note  # type: ignore[arg-type]
        return Task(names), ScoreKind.LOGIT, note

    def _in_chunks(self, truncation: Any) -> str | None:
        """What is averaged over chunks; None where texts are cut or refused."""
        self._in_pieces: set[int] = set()
        if truncation in (True, False):
            return None
        if truncation != "chunks":
            raise InvalidInput(f"truncation is {truncation!r}.", "Give True, False or 'chunks'.")
        if self.pipeline not in ("text-classification", "feature-extraction"):
            raise InvalidInput(
                f"truncation is 'chunks', and {self.name} is asked for {self.pipeline}.",
                "Give True or False; chunks are for classifiers of texts and sentence encoders.",
            )
        if not getattr(self._reader, "is_fast", False):
            raise InvalidInput(
                f"truncation is 'chunks', and the tokenizer of {self.name} does not say where its"
                " tokens begin.",
                "Give a folder with tokenizer.json.",
            )
        if self.pipeline == "feature-extraction":
            return "unit vectors" if self.folder.pooling.normalize else "values"
        if not self.task.classifies and self.task.kind is not TaskKind.MULTILABEL:
            return "values"
        return "labels" if self.task.kind is TaskKind.MULTILABEL else "classes"

    def _longest_option(self) -> int:
        return max(
            len(self._reader(f" {c}", add_special_tokens=False)["input_ids"])
            for c in self.task.classes
        )

    def _tokens(self) -> Tokenized:
        assert self._texts is not None  # noqa: S101  (text pipelines have it)
        return self._texts

    def _batches(self, X: Any) -> Iterator[tuple[NDArray[np.int64], dict[str, Any]]]:
        device = next(self.module.parameters()).device
        if self.pipeline == "image-classification":
            for start in range(0, len(X), self.batch_size):
                part = X[start : start + self.batch_size]
                pixels = processed(self._reader, image_batch(part)).to(device)
                yield np.arange(start, start + len(part)), {"pixel_values": pixels}
            return
        tokens = self._tokens()
        texts = self._pairs_allowed(text_inputs(X))
        for batch in tokens.batches(texts):
            inputs = {n: v.to(device) for n, v in batch.inputs.items()}
            if tokens.padded and not self._pads_exactly(inputs):
                tokens.padded = False  # a model that padding changes is asked by equal lengths
                yield from self._again(batch.rows, texts, tokens)
                continue
            yield batch.rows, inputs

    def _pairs_allowed(self, texts: NDArray[Any]) -> NDArray[Any]:
        if isinstance(texts[0], tuple) and self.pipeline != "text-classification":
            raise InvalidInput(
                f"The rows are pairs of texts, and {self.name} is asked for {self.pipeline}.",
                "Give one text for each row; pairs are read by text classifiers.",
            )
        return texts

    def _again(
        self, rows: NDArray[np.int64], texts: NDArray[Any], tokens: Tokenized
    ) -> Iterator[tuple[NDArray[np.int64], dict[str, Any]]]:
        device = next(self.module.parameters()).device
        for batch in tokens.batches(texts[rows]):
            yield rows[batch.rows], {n: v.to(device) for n, v in batch.inputs.items()}

    def _pads_exactly(self, inputs: dict[str, Any]) -> bool:
        """Whether the shortest text of a batch is answered as it is alone; looked at once."""
        if getattr(self, "_padding_checked", False) or self.pipeline == "text-generation":
            return True
        lengths = inputs["attention_mask"].sum(dim=1)
        at = int(lengths.argmin())
        short = int(lengths[at])
        if short == int(lengths.max()):
            return True
        self._padding_checked = True
        alone = {n: v[at : at + 1, :short] for n, v in inputs.items()}
        both = {n: v[[at, int(lengths.argmax())]] for n, v in inputs.items()}
        one = self._scored(self._forward(alone), alone)[0]
        two = self._scored(self._forward(both), both)[0]
        if two.ndim == 2:
            two = two[:short]
        return bool(torch.allclose(one, two, rtol=_CLOSE, atol=_CLOSE))

    def _forward(self, inputs: dict[str, Any], **more: Any) -> Any:
        with torch.inference_mode():
            return self.module(**inputs, **more)

    def _scored(self, out: Any, inputs: dict[str, Any]) -> torch.Tensor:
        if self.pipeline == "token-classification":
            hidden = inputs["attention_mask"] == 0
            found: torch.Tensor = out.logits.masked_fill(hidden[:, :, None], float("nan"))
            return found
        if self.pipeline != "feature-extraction":
            logits: torch.Tensor = out.logits
            return logits
        states, pooling = out.last_hidden_state, self.folder.pooling
        vector = states[:, 0] if pooling.mode == "cls" else _mean(states, inputs["attention_mask"])
        return torch.nn.functional.normalize(vector, dim=1) if pooling.normalize else vector

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(
            f"{self.name}, asked for {self.pipeline}, has no {what}.",
            "Use a method that asks for scores only.",
        )


def _mean(states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Means over the tokens that are no padding, or over the places of an image."""
    if states.ndim == 4:  # of a convolution: (n, m, h, w)
        return states.mean(dim=(2, 3))
    if mask is None:
        return states.mean(dim=1)
    kept = mask[:, :, None].to(states.dtype)
    return (states * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)


def _joined(
    parts: list[tuple[NDArray[np.int64], NDArray[np.float64]]], n: int
) -> NDArray[np.float64]:
    """Batches in the order of the rows; tokens up to the longest text."""
    shape = [max(part.shape[i] for _, part in parts) for i in range(1, parts[0][1].ndim)]
    out = np.full((n, *shape), np.nan)
    for rows, part in parts:
        where: Any = (rows, *(slice(s) for s in part.shape[1:]))
        out[where] = part
    return out
