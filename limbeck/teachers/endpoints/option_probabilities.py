"""Probabilities of one-token options from the most probable tokens that a server returns.

Servers return the log-probabilities of the first 20 tokens or fewer. A spelling of an option that
is not among them has at most the probability of the last one returned, and all tokens that are not
among them have together what is left to 1. So each option lies in an interval, not at 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from limbeck.core.errors import InvalidInput

__all__ = ["OptionProbabilities", "option_probabilities", "spellings"]


@dataclass(frozen=True)
class OptionProbabilities:
    """Probabilities of k options, and between what they lie.

    Parameters
    ----------
    low, high : tuple of float, k each
        The probability of an option is in [low, high].
    first : int
        The option that the most probable token spells; -1 where it spells none.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    first: int

    def among_options(self) -> tuple[list[float], list[float], list[float]]:
        """The same given that one of the options is answered: middles, low and high ends.

        ``p_k / (p_k + sum of the others)`` grows with p_k and falls with each other, so that its
        ends are taken at the ends of the intervals. The middles share 1 as the middles of the
        intervals do.

        Examples
        --------
        >>> found = OptionProbabilities((0.6, 0.2), (0.6, 0.2), 0)
        >>> [round(p, 6) for p in found.among_options()[0]]
        [0.75, 0.25]
        """
        middle = [(a + b) / 2 for a, b in zip(self.low, self.high, strict=True)]
        low, high = [], []
        for k, (own_low, own_high) in enumerate(zip(self.low, self.high, strict=True)):
            others_low = sum(self.low) - self.low[k]
            others_high = sum(self.high) - self.high[k]
            low.append(own_low / (own_low + others_high) if own_low else 0.0)
            high.append(own_high / (own_high + others_low) if own_high else 0.0)
        whole = sum(middle)
        return [m / whole for m in middle], low, high


def spellings(option: str) -> tuple[str, ...]:
    """The tokens that are read as an option: with and without a space before, capital and small.

    Parameters
    ----------
    option : str
        One letter.

    Examples
    --------
    >>> spellings("A")
    ('A', 'a', ' A', ' a')
    """
    plain = (option.upper(), option.lower())
    return plain + tuple(f" {p}" for p in plain)


def option_probabilities(
    top: Sequence[tuple[str, float]], options: Sequence[str]
) -> OptionProbabilities:
    """The probability of each option, all its spellings summed.

    Parameters
    ----------
    top : sequence of (token, log-probability)
        The most probable tokens, at least one.
    options : sequence of str
        One letter each.

    Raises
    ------
    InvalidInput
        If log-probabilities are none: above 0, not finite, or with a sum above 1.

    Examples
    --------
    >>> import math
    >>> top = [("A", math.log(0.5)), (" A", math.log(0.2)), ("The", math.log(0.1))]
    >>> found = option_probabilities(top, ["A", "B"])
    >>> [round(p, 6) for p in found.low], [round(p, 6) for p in found.high]
    ([0.7, 0.0], [0.9, 0.2])
    """
    seen: dict[str, float] = {}
    for token, log in top:
        if not (math.isfinite(log) and log <= 1e-6) and log != -math.inf:
            raise InvalidInput(f"A log-probability is {log}.", "They are at most 0.")
        text = _as_text(token)
        seen[text] = seen.get(text, 0.0) + math.exp(min(log, 0.0))
    whole = sum(seen.values())
    if not top or whole > 1.01:
        raise InvalidInput(
            f"The probabilities of {len(top)} tokens sum to {whole:.4g}.", "They sum to 1 at most."
        )
    rest = max(0.0, 1.0 - whole)
    least = math.exp(min(min(log for _, log in top), 0.0))
    low, high = [], []
    for option in options:
        known = [seen[s] for s in spellings(option) if s in seen]
        unseen = len(spellings(option)) - len(known)
        low.append(float(sum(known)))
        high.append(min(1.0, sum(known) + min(rest, unseen * least)))
    first = _as_text(max(top, key=lambda one: one[1])[0]).strip().upper()
    place = list(options).index(first) if first in options else -1
    return OptionProbabilities(tuple(low), tuple(high), place)


def _as_text(token: str) -> str:
    """A token as the text it stands for; some servers show the space of their vocabulary."""
    return token.replace("\u0120", " ").replace("\u2581", " ")
