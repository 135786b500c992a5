"""A tree as nested lists that fit a page of any width; each branch can be folded away."""

from __future__ import annotations

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.reports.markup import Child, Html, join, tag
from limbeck.students.tree.drawing import drawn
from limbeck.students.tree.folding import MOST_DRAWN, folded
from limbeck.students.tree.layout import Piece
from limbeck.students.tree.nodes import Nodes

__all__ = ["outline"]


def outline(
    nodes: Nodes,
    features: Features,
    task: Task,
    missing: bool | None = None,
    digits: int | None = None,
    exact: bool = False,
    max_drawn: int | None = MOST_DRAWN,
) -> Html:
    """The tree as HTML; parameters as in :func:`limbeck.students.tree.drawing.svg`.

    Parameters
    ----------
    nodes : Nodes
        The tree.
    features : Features
        The columns.
    task : Task
        What is predicted.
    missing, digits, exact, max_drawn
        As in :func:`limbeck.students.tree.drawing.svg`.
    """
    shown = folded(drawn(nodes, features, task, missing, digits, exact), max_drawn)
    nodes = shown.nodes
    answer = {int(nodes.left[i]): "yes" for i in (~nodes.is_leaf).nonzero()[0]}
    made: dict[int, Html] = {}
    for i in reversed(shown.nodes.preorder()):
        way = tag("i", answer.get(i, "no")) if i else None
        text = join([way, *map(_written, shown.texts[i])], " ")
        if shown.nodes.feature[i] < 0:
            made[i] = tag("span", text, class_="leaf", style=f"border-color:{shown.colours[i]}",
                          title=shown.titles[i])  # fmt: skip
            continue
        below = (tag("li", made.pop(int(c))) for c in (nodes.left[i], nodes.right[i]))
        made[i] = tag("details", tag("summary", text, title=shown.titles[i]), tag("ul", *below),
                      open="")  # fmt: skip
    note = tag("p", shown.note) if shown.note else None
    return tag("div", made[0], note, class_="outline")


def _written(piece: Piece) -> Child:
    if piece.look == "bold":
        return tag("strong", piece.text)
    return tag("span", piece.text, class_="range") if piece.look else piece.text
