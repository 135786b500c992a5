"""Speculative decoding: the student drafts, the teacher accepts, and the text is the teacher's own.

Both models keep what they have read. A student or a teacher with recurrent layers
(`limbeck.networks.Hybrid`) goes back to an earlier state where a draft is not accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, whole_number
from limbeck.language.models import LanguageModel
from limbeck.language.rewinding import RewindingReader
from limbeck.modules.capture import modes_kept
from limbeck.modules.outputs import reading_of
from limbeck.networks.conversion.student import HybridModel
from limbeck.networks.datasets.seeding import mixed

__all__ = ["Speculation", "corrected", "speculate"]


@dataclass(frozen=True)
class Speculation:
    """A text that was drafted by the student and is distributed as the teacher's.

    Parameters
    ----------
    tokens : tuple of int
        The text.
    drafted, accepted : int
        Tokens that the student drafted, up to the first that was not accepted in each block, and
        those of them that were.
    blocks : int
        Passes of the teacher. With recurrent layers it reads what was accepted apart from the
        next draft, so that there is a state to go back to; these passes count, too.
    """

    tokens: tuple[int, ...]
    drafted: int
    accepted: int
    blocks: int

    @property
    def acceptance(self) -> float:
        """Share of the tokens that were looked at which were accepted."""
        return self.accepted / self.drafted if self.drafted else float("nan")

    @property
    def tokens_per_pass(self) -> float:
        """Tokens for each pass of the teacher; 1 without speculation."""
        return len(self.tokens) / self.blocks


def speculate(
    teacher: LanguageModel | HybridModel,
    student: LanguageModel | HybridModel,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int = 64,
    *,
    draft: int = 4,
    seed: int = 0,
) -> list[Speculation]:
    """Write after prompts by speculative decoding at temperature 1.

    Leviathan et al. 2023, algorithm 1: a drafted token x is accepted with probability
    min(1, p(x) / q(x)); where it is not, another one is drawn from max(0, p - q), normalised; and
    where all of a block are accepted, one more from p. So the text is distributed as the teacher's.

    Parameters
    ----------
    teacher, student : LanguageModel or HybridModel
        Of one vocabulary.
    prompts : sequence of sequence of int
        Tokens of each.
    max_new_tokens : int
        Tokens at most.
    draft : int
        Tokens that the student drafts in a block.
    seed : int
        Of what is drawn, for each prompt apart.

    Raises
    ------
    InvalidInput
        If a number has no meaning, a prompt is empty, or the models differ in how many tokens
        they predict.

    Examples
    --------
    >>> from limbeck.language.speculative import Speculation
    >>> Speculation((5, 6, 7), drafted=4, accepted=2, blocks=2).tokens_per_pass
    1.5
    """
    whole_number("max_new_tokens", max_new_tokens, 1)
    whole_number("draft", draft, 1)
    if not all(len(p) for p in prompts):
        raise InvalidInput("A prompt is empty.", "Give at least one token to go on from.")
    teacher, student = _opened(teacher), _opened(student)
    outputs = [reading_of(m.module).first or m.outputs for m in (teacher, student)]
    if outputs[0] != outputs[1]:
        raise InvalidInput(
            f"The teacher predicts {outputs[0]:,} tokens and the student {outputs[1]:,}.",
            "Give models of one vocabulary; limbeck.language.models.share_vocabulary cuts what was"
            " only filled up.",
        )
    with modes_kept(teacher.module, student.module), torch.no_grad():
        teacher.module.eval()
        student.module.eval()
        return [
            _one(teacher, student, list(p), max_new_tokens, draft, mixed(seed, i))
            for i, p in enumerate(prompts)
        ]


def corrected(
    p: NDArray[np.float64], q: NDArray[np.float64], token: int, rng: np.random.Generator
) -> tuple[int, bool]:
    """The token that stands in the text for a drafted one, and whether it is that one.

    Parameters
    ----------
    p, q : ndarray of shape (vocabulary,)
        Probabilities of teacher and student.
    token : int
        Drawn from q.
    rng : numpy.random.Generator
        Of the choice.
    """
    if rng.random() * q[token] < p[token]:
        return token, True
    rest = np.maximum(p - q, 0.0)
    return int(rng.choice(len(p), p=rest / rest.sum())), False


def _one(
    teacher: LanguageModel,
    student: LanguageModel,
    text: list[int],
    most: int,
    draft: int,
    seed: int,
) -> Speculation:
    rng, start, ends = np.random.default_rng(seed), len(text), set(teacher.ends)
    drafted = accepted = 0
    reader, drafter = (RewindingReader(m.module, draft + 2) for m in (teacher, student))
    while len(text) - start < most and not (len(text) > start and text[-1] in ends):
        ahead, proposals = list(text), []
        for _ in range(min(draft, most - (len(text) - start))):
            q = _probabilities(student, drafter, ahead, 1)[0]
            token = int(rng.choice(len(q), p=q))
            proposals.append((token, q))
            ahead.append(token)
            if token in ends:
                break
        given = _probabilities(teacher, reader, ahead, len(proposals) + 1)
        whole = True
        for (proposed, q), p in zip(proposals, given, strict=False):
            token, same = corrected(p, q, proposed, rng)
            text.append(token)
            drafted, accepted, whole = drafted + 1, accepted + same, same
            if not same or token in ends:
                break
        if whole and text[-1] not in ends and len(text) - start < most:
            text.append(int(rng.choice(len(given[-1]), p=given[-1])))
    return Speculation(tuple(text[start:]), drafted, accepted, reader.passes)


def _opened(model: LanguageModel | HybridModel) -> LanguageModel:
    if isinstance(model, HybridModel):
        return LanguageModel(model.model, model.tokenizer, "converted")
    return model


def _probabilities(
    model: LanguageModel, reader: RewindingReader, text: Sequence[int], last: int
) -> NDArray[np.float64]:
    """Of what follows each of the last places, (last, vocabulary)."""
    logits = reader.logits(text, last)
    p = logits[:, : reading_of(model.module).first].double().softmax(-1).cpu().numpy()
    found: NDArray[np.float64] = p / p.sum(-1, keepdims=True)
    return found
