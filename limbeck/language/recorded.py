"""A teacher's next-token distributions on disk, read without the teacher."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbeck.core.errors import FileRefused, InvalidInput, LimbeckError
from limbeck.language.carriers.carrier import TokenLayout
from limbeck.language.carriers.named import carrier_of
from limbeck.language.carriers.signal import TeacherSignal
from limbeck.language.carriers.top import TopTokens, check_kept_mass
from limbeck.language.shards import ShardFolder

__all__ = ["RecordedLogits", "is_recorded", "text_marks", "tokenizer_marks"]

Texts = Iterable[tuple[Sequence[int], Sequence[int]]]


class RecordedLogits:
    """What `limbeck.language.record` wrote.

    Rows are prompts with the text after them, as tokens; there is a distribution for every token of
    the text after the prompt::

        recorded = RecordedLogits.open("logits/")
        prompt, completion = recorded.tokens(3)
        signal = recorded.signal([3, 7], length=logits.shape[1])   # logits (2, length, vocabulary)
        found = limbeck.language.TokenKD().loss(logits, signal, mask)

    Place t of a row stands for the prediction of its token t + 1, as the logits of a causal model
    do; only places that predict a token of the text after the prompt have a signal, and the mask
    must leave out all others (`counts`).

    Parameters
    ----------
    folder : ShardFolder
        Complete.
    """

    def __init__(self, folder: ShardFolder) -> None:
        if folder.done < folder.rows:
            raise FileRefused(
                f"{str(folder.folder)!r} holds {folder.done:,} of {folder.rows:,} texts.",
                "Call limbeck.language.record again with the same texts: it goes on.",
            )
        self._folder = folder
        self._carrier = carrier_of(folder.head["keep"])
        self._head: dict[str, Tensor] = {}
        if self._carrier.states:
            self._head = _read_head(folder)

    @classmethod
    def open(cls, folder: str | PathLike[str]) -> RecordedLogits:
        """What is in a folder.

        Raises
        ------
        FileRefused
            If there is nothing, or it is incomplete or damaged.
        """
        found = ShardFolder.open(Path(folder))
        if found is None:
            raise FileRefused(
                f"There are no recorded logits in {str(folder)!r}.",
                "Record them first: limbeck.language.record(teacher, texts, out=...).",
            )
        try:
            made = cls(found)
            repr(made)
            int(made.vocabulary)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            if isinstance(error, LimbeckError):
                raise
            raise FileRefused(
                f"The index of {str(folder)!r} is malformed: {error!r}.", "Record again."
            ) from None
        return made

    def __len__(self) -> int:
        return self._folder.rows

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._folder.folder

    @property
    def keep(self) -> str:
        """What is kept of each distribution."""
        return str(self._folder.head["keep"])

    @property
    def vocabulary(self) -> int:
        """Outputs of the teacher; its tokens where padding was cut off."""
        return int(self._folder.head["vocabulary"])

    @property
    def distributions(self) -> int:
        """How many are stored, one for each token that counts."""
        return self._folder.places

    @property
    def bytes_per_token(self) -> float:
        """Bytes on disk for each distribution, token ids included; without a shared head."""
        return self._folder.bytes / max(self.distributions, 1)

    @property
    def facts(self) -> dict[str, Any]:
        """What was measured while recording, see `limbeck.language.recording`."""
        return dict(self._folder.facts)

    @property
    def fingerprints(self) -> dict[str, Any]:
        """What the distributions depend on: teacher, tokenizer, template, texts, seed."""
        return dict(self._folder.head)

    def __repr__(self) -> str:
        mass = self.facts.get("kept_mass")
        distance = self.facts.get("total_variation")
        whose = "" if self.says_teacher else "; of a teacher that is not said"
        parts = [
            f"{len(self):,} texts, {self.distributions:,} tokens, keep={self.keep!r},"
            f" {self.bytes_per_token:.1f} bytes a token"
        ]
        if mass is not None:
            parts.append(f"kept mass {mass:.3f}, so a total variation of at most {1 - mass:.3f}")
        if distance is not None:
            parts.append(f"total variation {distance:.3f}, measured on {self.facts['measured']:,}")
        if self.keep.startswith("sampled"):
            parts[-1] += ", of one draw: it is unbiased, and averages out over tokens"
        return f"RecordedLogits({'; '.join(parts)}{whose})"

    @property
    def says_teacher(self) -> bool:
        """Whether the folder says whose distributions it holds."""
        return self._folder.head.get("teacher") is not None

    def tokens(self, row: int) -> tuple[list[int], list[int]]:
        """The prompt and the text after it, as tokens.

        Parameters
        ----------
        row : int
            From 0.
        """
        arrays = self._folder.row(row)
        ids, start = arrays["tokens"].tolist(), int(arrays["prompt"][0])
        return ids[:start], ids[start:]

    def counts(self, rows: Sequence[int], length: int) -> Tensor:
        """Which places of a batch have a signal, (rows, length) of bool.

        Parameters
        ----------
        rows : sequence of int
            Numbers of texts.
        length : int
            Places of each.
        """
        found = torch.zeros(len(rows), length, dtype=torch.bool)
        for i, row in enumerate(rows):
            arrays = self._folder.row(row)
            found[i, int(arrays["prompt"][0]) - 1 : len(arrays["tokens"]) - 1] = True
        return found

    def signal(
        self,
        rows: Sequence[int],
        length: int,
        *,
        device: torch.device | str = "cpu",
        cut: bool = False,
        rest: str = "bucket",
    ) -> TeacherSignal:
        """The teacher's distributions of some texts, padded on the right.

        Parameters
        ----------
        rows : sequence of int
            Numbers of texts, in the order of the batch.
        length : int
            Places of each, as the student's logits have.
        device : torch.device or str
            Of the student's logits.
        cut : bool
            Whether a student with more outputs is cut to the teacher's vocabulary.
        rest : str
            Of "top:k": what is taken of the tokens that are not kept, as in `TopTokens`.

        Raises
        ------
        InvalidInput
            If a text has more places.
        """
        parts, places = [], []
        for i, row in enumerate(rows):
            arrays = self._folder.row(row)
            start, end = int(arrays.pop("prompt")[0]) - 1, len(arrays.pop("tokens")) - 1
            if end > length:
                raise InvalidInput(
                    f"Text {row} has {end:,} places, and the batch {length:,}.",
                    "Give the texts as they were recorded.",
                )
            places.append(i * length + np.arange(start, end))
            parts.append(self._carrier.unpacked(arrays, self.vocabulary))
        kept = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        layout = TokenLayout(
            np.concatenate(places), len(rows) * length, self.vocabulary, cut, torch.device(device)
        )
        found = self._carrier.signal(kept, layout, self._head)
        return found.taken(rest) if isinstance(found, TopTokens) else found

    def probabilities(self, row: int) -> Tensor:
        """What is known of the distributions of one text, (tokens after the prompt, vocabulary).

        Shares of the tokens drawn, or probabilities, the rest of "top:k" spread evenly.

        Parameters
        ----------
        row : int
            From 0.
        """
        prompt, text = self.tokens(row)
        signal = self.signal([row], len(prompt) + len(text) - 1)
        return self._carrier.probabilities(signal)[len(prompt) - 1 :]

    def check(
        self,
        *,
        tokenizer: Any = None,
        teacher: Any = None,
        texts: Texts | None = None,
        rest: str = "bucket",
        least_mass: float = 0.8,
    ) -> None:
        """Refuse, before training, what these distributions are not of.

        Parameters
        ----------
        tokenizer : object, optional
            The student's: it must number tokens alike, and have the same chat template.
        teacher : nn.Module, optional
            Whose distributions they should be.
        texts : iterable of (prompt ids, completion ids), optional
            What they should be of.
        rest : str
            As in `signal`.
        least_mass : float
            Of "top:k": a smaller kept mass is refused.

        Raises
        ------
        FileRefused
            Names what differs.
        InvalidInput
            If too little mass was kept.
        """
        found: dict[str, Any] = {}
        if tokenizer is not None:
            found |= tokenizer_marks(tokenizer)
        if teacher is not None:
            from limbeck.modules.fingerprint import fingerprint

            found["teacher"] = fingerprint(teacher)
        if texts is not None:
            found["texts"] = text_marks(texts)
        for name, mark in found.items():
            if name == "teacher" and self._folder.head.get(name) is None:
                continue  # imported, and nobody said whose they are
            if self._folder.head.get(name) != mark:
                raise FileRefused(
                    f"The logits in {str(self.folder)!r} were recorded with another"
                    f" {_WORDS[name]}.",
                    "Record them again, in another folder; or take what they were recorded with.",
                )
        if "kept_mass" in self.facts:
            top = int(self.keep.partition(":")[2])
            check_kept_mass(float(self.facts["kept_mass"]), top, rest, least_mass)


_WORDS = {
    "teacher": "teacher (or another state of its weights)",
    "vocabulary_ids": "tokenizer",
    "template": "chat template",
    "texts": "texts",
}


def is_recorded(given: Any) -> bool:
    """Whether it is a folder that `limbeck.language.record` wrote, or what was read of one."""
    if isinstance(given, RecordedLogits):
        return True
    return isinstance(given, str | PathLike) and (Path(given) / "index.json").is_file()


def tokenizer_marks(tokenizer: Any) -> dict[str, str]:
    """Fingerprints of a tokenizer's ids and of its chat template."""
    ids = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    template = getattr(tokenizer, "chat_template", None)
    return {"vocabulary_ids": _digest(ids), "template": _digest(template)}


def text_marks(texts: Texts) -> str:
    """The fingerprint of prompts and the texts after them, as tokens."""
    found = hashlib.sha256(b"limbeck texts 1\n")
    for prompt, completion in texts:
        parts = [list(prompt), list(completion)]
        found.update(json.dumps(parts, allow_nan=False).encode())
    return found.hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, allow_nan=False, default=str).encode()).hexdigest()


def _read_head(folder: ShardFolder) -> dict[str, Tensor]:
    from safetensors.torch import load

    path = folder.folder / "head.safetensors"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileRefused(
            f"{str(path)!r} cannot be read: {error.strerror}.", "Record again."
        ) from None
    if hashlib.sha256(content).hexdigest() != folder.head["lm_head"]:
        raise FileRefused(
            f"{str(path)!r} is not what was written.", "Remove the folder, and record again."
        )
    tensors: dict[str, Tensor] = load(content)
    return tensors
