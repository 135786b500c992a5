"""The objective without one of its parts: each term, and each pair of layers, in turn."""

from __future__ import annotations

from dataclasses import replace

from limbeck.core.errors import InvalidInput
from limbeck.networks.losses.layers import OnLayers
from limbeck.networks.losses.loss import Objective, Weighted

__all__ = ["without_each"]


def without_each(objective: Objective) -> dict[str, Objective]:
    """The objectives of an ablation.

    A pair of layers is dropped where its term has several; the only pair is the term itself.
    Weights of what is left stay as they are.

    Parameters
    ----------
    objective : Objective
        The whole.

    Returns
    -------
    dict of str to Objective
        By the name of what is missing: a term's, or ``"HiddenStates: encoder.5 → encoder.2"``.

    Raises
    ------
    InvalidInput
        If there is nothing to drop.

    Examples
    --------
    >>> from limbeck.networks import GoldLabels, HiddenStates
    >>> list(without_each(GoldLabels() + HiddenStates({"a": "x", "b": "y"})))
    ['GoldLabels', 'HiddenStates', 'HiddenStates: a → x', 'HiddenStates: b → y']
    """
    out: dict[str, Objective] = {}
    parts = objective.parts
    for i, (name, part) in enumerate(zip(objective.names, parts, strict=True)):
        if len(parts) > 1:
            out[name] = replace(objective, parts=parts[:i] + parts[i + 1 :])
        term = part.term
        if not isinstance(term, OnLayers) or len(term.pairs) < 2:
            continue
        for teacher, student in term.pairs.items():
            rest = {t: s for t, s in term.pairs.items() if t != teacher}
            fewer = Weighted(replace(term, pairs=rest), part.weight)
            changed = (*parts[:i], fewer, *parts[i + 1 :])
            out[f"{name}: {teacher} → {student}"] = replace(objective, parts=changed)
    if not out:
        raise InvalidInput(
            f"The objective is {parts[0].term.name} alone: there is nothing to drop.",
            "Give a sum of terms, or several pairs of layers.",
        )
    return out
