"""``limbeck budget``: how many rows before any work."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import Share

__all__ = ["budget"]


def budget(
    epsilon: Share,
    delta: Share,
    into: Annotated[
        str,
        typer.Option(
            help="The student: tree, oblique_tree, junta, rules, rule_list, m_of_n, "
            "scorecard, sparse_sum, linear or additive."
        ),
    ] = "tree",
    features: Annotated[int, typer.Option(help="Number of columns.")] = 10,
    depth: Annotated[
        int | None, typer.Option(help="Of the tree; or the most literals in a rule or an item.")
    ] = None,
    leaves: Annotated[
        int | None, typer.Option(help="Of the tree; or the most rules or regions.")
    ] = None,
    k: Annotated[
        int | None,
        typer.Option(help="Variables of the junta, literals of m-of-n, items of a sum."),
    ] = None,
    thresholds: Annotated[int, typer.Option(help="Tests per feature; 1 for booleans.")] = 1,
    classes: Annotated[int, typer.Option(help="Number of classes.")] = 2,
    points: Annotated[int | None, typer.Option(help="The most points of a scorecard item.")] = None,
    pairs: Annotated[int, typer.Option(help="Pairs of features in the additive model.")] = 0,
    disagreement: Annotated[
        float | None,
        typer.Option(help="The best student disagrees with the teacher at most at this rate."),
    ] = None,
    frontier: Annotated[
        int | None, typer.Option(help="Students on the Pareto frontier for this teacher.")
    ] = None,
    frontier_vc: Annotated[
        int | None, typer.Option(help="VC dimension of the Pareto frontier.")
    ] = None,
    mutual_vc: Annotated[
        int | None, typer.Option(help="Mutual VC dimension of the teachers and the students.")
    ] = None,
) -> None:
    """Upper and lower bounds on the rows for distilling a teacher, and for learning instead."""
    from limbeck.certificates.budgets import budget as run

    with plain_errors():
        found = run(
            into,
            epsilon,
            delta,
            features=features,
            depth=depth,
            leaves=leaves,
            k=k,
            thresholds=thresholds,
            classes=classes,
            points=points,
            pairs=pairs,
            disagreement=disagreement,
            frontier=frontier,
            frontier_vc=frontier_vc,
            mutual_vc=mutual_vc,
        )
        Console().print(found)
