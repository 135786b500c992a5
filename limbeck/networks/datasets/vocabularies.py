"""Which tokens networks read, and whether the same: by their tokenizers, else by vocabularies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from limbeck.core.errors import InvalidInput

__all__ = ["pad_token", "same_tokenizers", "same_vocabularies", "vocabulary"]


def pad_token(*networks: Any) -> int:
    """The token that fills up sequences, by the first configuration that names one; else 0.

    Some networks look for it in spite of an attention mask: classifiers on decoders take the last
    token that is another one.
    """
    for network in networks:
        for part in network.modules() if isinstance(network, nn.Module) else ():
            found = getattr(getattr(part, "config", None), "pad_token_id", None)
            if isinstance(found, int) and found >= 0:
                return found
    return 0


def same_tokenizers(tokenizers: Sequence[Any]) -> None:
    """Refuse tokenizers (with ``get_vocab``, as in transformers) that number tokens differently.

    Parameters
    ----------
    tokenizers : sequence
        The teacher's, then those of the students.

    Raises
    ------
    InvalidInput
        If there are fewer than two, or one has no vocabulary; else names a token that differs.
    """
    if not isinstance(tokenizers, list | tuple) or len(tokenizers) < 2:
        raise InvalidInput(
            f"tokenizers is a {type(tokenizers).__name__}, not a pair.",
            "Give tokenizers=(teacher_tokenizer, student_tokenizer).",
        )
    for tokenizer in tokenizers:
        if not callable(getattr(tokenizer, "get_vocab", None)):
            raise InvalidInput(
                f"tokenizers holds a {type(tokenizer).__name__}, which has no get_vocab().",
                "Give tokenizers as in transformers, or leave tokenizers out.",
            )
    one = tokenizers[0].get_vocab()
    for two in (t.get_vocab() for t in tokenizers[1:]):
        for token, place in one.items():
            if two.get(token) != place:
                raise InvalidInput(
                    f"Token {token!r} is {_place(place)} to the teacher and"
                    f" {_place(two.get(token))} to the student.",
                    "Use the teacher's tokenizer for both, and a student made for it: copy its"
                    " embeddings with start=..., or make a fresh student with its vocab_size.",
                )
        if len(two) > len(one):
            extra = next(t for t in two if t not in one)
            raise InvalidInput(
                f"The student's tokenizer knows {extra!r}, the teacher's does not.",
                "Use the teacher's tokenizer for both.",
            )


@contextmanager
def vocabulary(module: nn.Module, inputs: Any) -> Iterator[set[int]]:
    """How many tokens a network knows; filled while it is called with these inputs inside.

    Rows of the embeddings that are called with the tokens: ``input_ids`` of named inputs, else
    any integers. Where none is, ``config.vocab_size``.

    Parameters
    ----------
    module : nn.Module
        The network.
    inputs : Tensor, tuple or mapping
        The inputs that it is called with inside.

    Raises
    ------
    InvalidInput
        Inside, if a token is beyond an embedding.
    """
    held = inputs.get("input_ids") if isinstance(inputs, Mapping) else inputs
    tokens = [t for t in (held if isinstance(held, tuple | list) else [held])
              if isinstance(t, Tensor) and not t.is_floating_point()]  # fmt: skip
    sizes: set[int] = set()

    def see(embedding: nn.Module, called: tuple[Any, ...]) -> None:
        if called and any(_same(called[0], t) for t in tokens):
            size, largest = int(embedding.num_embeddings), int(called[0].max())  # type: ignore[arg-type]
            if largest >= size:
                raise InvalidInput(
                    f"There is a token {largest}, and {type(module).__name__} knows {size}: 0 to"
                    f" {size - 1}.",
                    "Tokenize with the tokenizer that it was made with; teacher and student need"
                    " the same one.",
                )
            sizes.add(size)

    read = [m for m in module.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)]
    hooks = [m.register_forward_pre_hook(see) for m in read]
    try:
        yield sizes
    finally:
        for hook in hooks:
            hook.remove()
    known = getattr(getattr(module, "config", None), "vocab_size", None)
    if not sizes and known is not None:
        sizes.add(int(known))


def same_vocabularies(teacher: set[int], student: set[int]) -> None:
    """Refuse networks that know different numbers of tokens; see `vocabulary`.

    Parameters
    ----------
    teacher, student : set of int
        Sizes of the vocabularies; an empty set is not compared.

    Raises
    ------
    InvalidInput
        With both numbers, and what can be done.
    """
    if teacher and student and teacher != student:
        one, two = (" and ".join(map(str, sorted(s))) for s in (teacher, student))
        raise InvalidInput(
            f"The teacher's vocabulary has {one} tokens, the student's {two}.",
            "Both read the same tokens: make the student with the teacher's tokenizer and"
            " vocab_size. Where an embedding was only filled up, show that the tokens are the"
            " same with tokenizers=(teacher_tokenizer, student_tokenizer), or say how many are:"
            f" vocabulary={min(min(teacher), min(student))}.",
        )


def _same(called: Any, tokens: Tensor) -> bool:
    same = isinstance(called, Tensor) and called.shape == tokens.shape
    return same and bool((called == tokens.to(called.device)).all())


def _place(found: int | None) -> str:
    return "unknown" if found is None else str(found)
