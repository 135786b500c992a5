"""A wavelet student drawn: how much each band of its coefficients moves the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limbeck.reports.markup import Html
from limbeck.reports.numbers import count, percent
from limbeck.reports.table import Column, Drawing, Table

__all__ = ["shares", "weights"]


def weights(student: Any) -> Html:
    """How much each band adds to the answers of a wavelet student."""
    found = student.importances()
    says = (
        f"{count(student.size)} coefficients: how much those of each band move the answers, by"
        " their weights and by how much they vary."
    )
    total = sum(found.values()) or 1.0
    return shares(says, {band.name: found[band.name] / total for band in student.bands})


def shares(caption: str, by_band: Mapping[str, float]) -> Html:
    """A row per band: its share, and a bar filled by the largest.

    Parameters
    ----------
    caption : str
        What the shares are of.
    by_band : mapping of str to float
        The share of each band.
    """
    columns: list[Column[tuple[str, float]]] = [
        Column("band", lambda row: row[0]),
        Column("share", lambda row: row[1], format=percent, drawing=Drawing("bar")),
    ]
    return Table(caption, columns, list(by_band.items())).to_html()
