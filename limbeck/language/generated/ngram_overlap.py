"""Rows that share a long run of words with a row of the test set."""

from __future__ import annotations

from collections.abc import Sequence

from limbeck.language.generated.rouge import rouge_tokens

__all__ = ["overlaps"]


def overlaps(texts: Sequence[str], test: Sequence[str], n: int = 13) -> dict[int, int]:
    """For each text that shares a run of n tokens with a test row, the position of that row.

    A run of 13 is what the language models of GPT-3 were cleaned by (Brown et al. 2020, appendix
    C). A test row with fewer tokens counts where all of them stand in the text as one run; rows of
    fewer than 4 tokens only where the text is equal, since short phrases are everybody's.

    Parameters
    ----------
    texts : sequence of str
        The texts that are looked at.
    test : sequence of str
        The rows of the test set.
    n : int
        Tokens of a run.

    Examples
    --------
    >>> overlaps(["a very good film, they said", "dull"], ["A very good film"])
    {0: 0}
    """
    runs: dict[tuple[str, ...], int] = {}
    whole: dict[tuple[str, ...], int] = {}
    lengths = set()
    for place, text in enumerate(test):
        tokens = tuple(rouge_tokens(text, any_script=True))
        whole.setdefault(tokens, place)
        size = min(n, len(tokens))
        if size < _SHORTEST:
            continue
        lengths.add(size)
        for start in range(len(tokens) - size + 1):
            runs.setdefault(tokens[start : start + size], place)
    found: dict[int, int] = {}
    for i, text in enumerate(texts):
        tokens = tuple(rouge_tokens(text, any_script=True))
        match = whole.get(tokens) if tokens else None
        if match is None:
            match = _shared(tokens, runs, lengths)
        if match is not None:
            found[i] = match
    return found


_SHORTEST = 4


def _shared(
    tokens: tuple[str, ...], runs: dict[tuple[str, ...], int], lengths: set[int]
) -> int | None:
    """The test row of the first run that is shared."""
    for size in sorted(lengths):
        for start in range(len(tokens) - size + 1):
            place = runs.get(tokens[start : start + size])
            if place is not None:
                return place
    return None
