"""What is drawn of a tree with many leaves: the part that most rows reach.

A drawing of thousands of leaves is megabytes of markup that nobody reads. So branches are opened
from the root, the one that most rows reach first, until as many leaves stand there as asked for;
what was not opened is a box that says how many leaves it holds.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import plural, whole_number
from limbeck.students.tree.layout import Piece
from limbeck.students.tree.nodes import Nodes
from limbeck.students.tree.text import percent, shares

__all__ = ["CLOSED", "MOST_DRAWN", "Drawn", "folded"]

MOST_DRAWN = 300  # leaves; some 20,000 pixels from top to bottom
CLOSED = "#6b6b6b"  # the frame of questions and of closed branches


@dataclass(frozen=True)
class Drawn:
    """What is drawn of a tree.

    Parameters
    ----------
    nodes : Nodes
        The m nodes.
    texts : list of m lists of Piece
        What is written in each.
    titles : list of m str
        The same in full, for who points at it.
    colours : list of m str
        The colour of each, for leaves.
    note : str
        What is not drawn; empty where all is.
    """

    nodes: Nodes
    texts: list[list[Piece]]
    titles: list[str]
    colours: list[str]
    note: str = ""


def folded(shown: Drawn, most: int | None = MOST_DRAWN) -> Drawn:
    """The same with at most so many leaves; those that most rows reach are kept.

    Parameters
    ----------
    shown : Drawn
        What would be drawn of the whole tree.
    most : int or None
        The most leaves and closed branches; None for all.

    Returns
    -------
    Drawn
        What was given, if it has no more leaves; else its part, with a sentence that says so.

    Raises
    ------
    InvalidInput
        If ``most`` is no whole number from 1.
    """
    if most is None:
        return shown
    whole_number("max_drawn", most, 1)
    nodes = shown.nodes
    if nodes.size <= most:
        return shown
    opened, parents = _opened(nodes, most), _parents(nodes)
    kept = [i for i in nodes.preorder() if i == 0 or opened[parents[i]]]
    return _part(shown, np.array(kept), opened)


def _opened(nodes: Nodes, most: int) -> NDArray[np.bool_]:
    """Which questions are drawn, shape (m,): by weight, then depth, then place."""
    depths, opened = nodes.depths, np.zeros(len(nodes), dtype=np.bool_)
    heap: list[tuple[float, int, int]] = []

    def meet(i: int) -> None:
        if nodes.feature[i] >= 0:
            heapq.heappush(heap, (-float(nodes.weight[i]), int(depths[i]), i))

    meet(0)
    for _ in range(most - 1):  # each opened question adds one leaf
        _, _, i = heapq.heappop(heap)
        opened[i] = True
        meet(int(nodes.left[i]))
        meet(int(nodes.right[i]))
    return opened


def _parents(nodes: Nodes) -> NDArray[np.int64]:
    out = np.zeros(len(nodes), dtype=np.int64)
    inner = np.flatnonzero(~nodes.is_leaf)
    out[nodes.left[inner]] = out[nodes.right[inner]] = inner
    return out


def _leaves_below(nodes: Nodes) -> NDArray[np.int64]:
    out = nodes.is_leaf.astype(np.int64)
    for i in reversed(nodes.preorder()):
        if nodes.feature[i] >= 0:
            out[i] = out[nodes.left[i]] + out[nodes.right[i]]
    return out


def _part(shown: Drawn, kept: NDArray[np.int64], opened: NDArray[np.bool_]) -> Drawn:
    nodes, below = shown.nodes, _leaves_below(shown.nodes)
    place = np.full(len(nodes), -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    inner = opened[kept]
    part = replace(
        nodes,
        **{n: getattr(nodes, n)[kept] for n in ("op", "threshold", "missing_left", "value",
                                                "weight")},
        feature=np.where(inner, nodes.feature[kept], -1),
        left=np.where(inner, place[nodes.left[kept]], -1),
        right=np.where(inner, place[nodes.right[kept]], -1),
        seen=None,
    )  # fmt: skip
    texts, titles, colours = [], [], []
    weighed = shares(nodes) if nodes.weight[0] > 0 else None
    closed = 0
    for i in kept.tolist():
        text, title, colour = shown.texts[i], shown.titles[i], shown.colours[i]
        if nodes.feature[i] >= 0 and not opened[i]:
            said = f"… {plural(int(below[i]), 'leaf', 'leaves')}"
            text, title, colour = [Piece(said, "soft")], f"{said}, from: {title}", CLOSED
            if weighed is not None:
                text.append(Piece(percent(weighed[i]).replace(" ", "\u00a0"), "soft"))
            closed += 1
        texts.append(text)
        titles.append(title)
        colours.append(colour)
    alone = part.size - closed
    note = (
        f"Drawn are {plural(alone, 'leaf', 'leaves')} of {nodes.size:,}, where most rows are, and"
        f" {plural(closed, 'branch', 'branches')} that are not opened (…). The whole tree is in the"
        " text: print(student.text())."
    )
    return Drawn(part, texts, titles, colours, note)
