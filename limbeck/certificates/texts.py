"""A certificate of what a language model writes: bounded losses of whole texts, a prompt each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import wording
from limbeck.certificates.binomial import check_share
from limbeck.certificates.wording import in_percent
from limbeck.core.certificate import Certificate, GroupBound
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import BOUNDS

__all__ = [
    "CHUNK_LOSS",
    "LOSS",
    "TEXT_LOSSES",
    "assumptions_of_texts",
    "certify_texts",
    "statement_of_texts",
]

LOSS = "total variation per token, mean of a text"
CHUNK_LOSS = "one less the ratio of chunk likelihoods, mean of a text"
TEXT_LOSSES = (LOSS, CHUNK_LOSS)
"""Between models with one tokenizer, and with two."""
_DIFFER = {
    LOSS: "the next-token distributions of student and teacher differ (total variation, mean over a"
    " text)",
    CHUNK_LOSS: "the likelihoods of student and teacher of the chunks of text that both tokenizers"
    " share differ (one less their ratio, that of the other model to the writer's, at least 0, mean"
    " over a text)",
}
_MIN_PROMPTS = 10


def certify_texts(
    losses: Mapping[str, NDArray[np.float64]],
    *,
    delta: float,
    asked: float | None,
    student: str,
    rows: str,
    bound: str = "betting",
    loss: str = LOSS,
    settings: Mapping[str, Any] | None = None,
) -> Certificate:
    """Certify how far a student's next-token distributions are from its teacher's, on texts.

    The loss of a prompt is the mean over the tokens of one text of TV(p, q) = 1 - sum min(p, q),
    in [0, 1]. Tokens of a text depend on each other, and prompts do not: so the prompts are the
    draws, and each kind of text gets the bound for means of bounded losses at an equal share of
    delta. All hold at once.

    Parameters
    ----------
    losses : mapping of str to ndarray of shape (n,)
        By whose texts they are (``"the student's texts"``, ...), the main one first: a loss in
        [0, 1] for each prompt, in the order in which prompts were drawn.
    delta : float
        Probability that any of the bounds is wrong; in (0, 1).
    asked : float or None
        What was asked for of the first.
    student, rows : str
        Fingerprints of the student and of the prompts.
    bound : str
        ``betting`` or ``empirical-bernstein``.
    loss : str
        `LOSS`, or `CHUNK_LOSS` between different tokenizers: with p and q the likelihoods of a
        chunk between shared boundaries, 1 - min(1, p / q) where the student wrote it,
        1 - min(1, q / p) where the teacher did, and 1 - min(p, q) / max(p, q) for others.
    settings : mapping, optional
        What else is needed to recompute.

    Raises
    ------
    InvalidInput
        If delta is outside (0, 1), or there are fewer than 10 prompts.
    """
    check_share("delta", delta)
    n = len(next(iter(losses.values())))
    if n < _MIN_PROMPTS:
        raise InvalidInput(
            f"{n} prompts were set aside for the certificate.",
            f"Give at least {_MIN_PROMPTS}: tokens of one text are not independent.",
        )
    kind, share = BOUNDS.get(bound), delta / len(losses)
    groups = tuple(
        GroupBound(name, kind.upper(x, share, 0.0, 1.0), share, len(x), float(x.mean()))
        for name, x in losses.items()
    )
    made = Certificate(
        epsilon=groups[0].epsilon, delta=delta, n=n, mean_loss=groups[0].mean_loss, loss=loss,
        bound=kind.title, statement="", assumptions=(), student=student, rows=rows, asked=asked,
        groups=groups,
        settings={
            "bound": bound, "level": share, "loss_range": [0.0, 1.0], "rows": n,
            **(settings or {}), "versions": wording.versions(),
        },
    )  # fmt: skip
    return replace(made, statement=statement_of_texts(made), assumptions=assumptions_of_texts(made))


def statement_of_texts(c: Certificate) -> str:
    """The statement that the numbers of a certificate of texts make."""
    parts = [
        f"{wording.upward(g.epsilon)} on {g.group} ({g.mean_loss:.3f} on these)" for g in c.groups
    ]
    share = in_percent(1 - c.delta)
    out = (
        f"With probability at least {share} over {c.n:,} fresh prompts, {_DIFFER[c.loss]}"
        f" by at most {', '.join(parts)}; all at once."
    )
    if c.asked is None:
        return out
    goal = f"{c.asked:.6g}"
    return f"{out} At most {goal} was asked for." if c.reached else (
        f"{out} The {goal} that was asked for is not reached on {c.groups[0].group}."
    )  # fmt: skip


def assumptions_of_texts(c: Certificate) -> tuple[str, ...]:
    """What must be true for the statement of a certificate of texts."""
    out = [
        "The prompts are independent draws from those that the student will meet; the tokens of a"
        " text may depend on each other.",
        "The student was made and chosen without these prompts; they are used this once.",
        "Each text was drawn as it is said (temperature 1, nothing cut off), with a seed fixed"
        " before.",
        "The loss never leaves [0, 1].",
    ]
    if len(c.groups) > 1:
        out.append(f"The probability of error is shared equally by the {len(c.groups)} bounds.")
    if c.bound == wording.BETTING:
        out.append("The prompts stand in the order in which they were drawn.")
    return tuple(out)
