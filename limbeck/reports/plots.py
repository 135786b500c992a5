"""What all plots are made of, on matplotlib axes; names are drawn as they are, never as formulas.

Colours are those of Okabe and Ito (2008), told apart by nearly everyone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.core.measured import Measured
from limbeck.reports.charts import Panel

__all__ = ["BLUE", "GREY", "ORANGE", "axes_of", "bars", "curves", "grid_of", "intervals", "legend"]

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#7d7d7d"
_MARKS = ("o", "s", "D", "^")


def axes_of(ax: Any = None, size: tuple[float, float] = (6.4, 4.8)) -> Any:
    """The axes that were given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes, optional
        Where to draw.
    size : tuple of float
        Width and height of a new figure, in inches.

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    InvalidInput
        If ``ax`` is something else.
    """
    plt = _pyplot()
    if ax is None:
        return plt.subplots(figsize=size, layout="constrained")[1]
    if not hasattr(ax, "plot") or not hasattr(ax, "figure"):
        raise InvalidInput(f"ax is {ax!r}.", "Give axes, as plt.subplots() returns them.")
    return ax


def grid_of(
    n: int, ax: Any = None, columns: int = 3, size: tuple[float, float] = (3.6, 2.9)
) -> Any:
    """So many axes, in a new figure or in the place of the axes that were given.

    Parameters
    ----------
    n : int
        How many, at least 1.
    ax : matplotlib Axes or sequence of n Axes, optional
        Single axes are divided, as scikit-learn's displays do.
    columns : int
        At most so many side by side.
    size : tuple of float
        Of each of them in a new figure, in inches.

    Returns
    -------
    ndarray of Axes, shape (n,)

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    InvalidInput
        If another number of axes is given.
    """
    plt = _pyplot()
    high = -(-n // columns)
    wide = -(-n // high)  # four of at most three side by side are two and two
    if ax is None:
        shape = (size[0] * wide, size[1] * high)
        figure = plt.figure(figsize=shape, layout="constrained")
        places = figure.add_gridspec(high, wide)
    elif isinstance(ax, Sequence | np.ndarray):
        given = np.ravel(np.asarray(ax, dtype=object))
        if len(given) != n:
            raise InvalidInput(f"There are {len(given)} axes.", f"Give {n}, or one to divide.")
        return np.array([axes_of(a) for a in given], dtype=object)
    else:
        figure = axes_of(ax).figure
        ax.set_axis_off()
        places = ax.get_subplotspec()
        if places is None:
            raise InvalidInput(
                "These axes have no place in a grid that could be divided.",
                "Give axes that plt.subplots() returned.",
            )
        places = places.subgridspec(high, wide)
    return np.array([figure.add_subplot(places[i // wide, i % wide]) for i in range(n)],
                    dtype=object)  # fmt: skip


def intervals(
    ax: Any,
    names: Sequence[str],
    measured: Mapping[str, Sequence[Measured | None]],
    strong: Sequence[bool] = (),
) -> None:
    """A line per name, from top to bottom: a point with its interval for each measure.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    names : sequence of str
        Of the lines.
    measured : mapping from str to sequence of Measured
        By measure, one for each name; None where it was not measured.
    strong : sequence of bool
        Which lines stand out.
    """
    drawn = {}
    for k, (what, values) in enumerate(measured.items()):
        shift = 0.16 * (k - (len(measured) - 1) / 2)
        shown = [(i + shift, m) for i, m in enumerate(values) if m is not None]
        y, m = [y for y, _ in shown], [m for _, m in shown]
        away = np.array([[v.value - v.low for v in m], [v.high - v.value for v in m]])
        drawn[what] = ax.errorbar(
            [v.value for v in m], y, xerr=np.maximum(away, 0.0), label=what, linestyle="none",
            marker=_MARKS[k % len(_MARKS)], color=(BLUE, ORANGE, GREY)[k % 3], capsize=3,
            markerfacecolor="white" if k else None,
        )  # fmt: skip
    _name(ax, names, strong)
    if len(measured) > 1:
        legend(ax, drawn, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def bars(ax: Any, names: Sequence[str], values: ArrayLike, strong: Sequence[bool] = ()) -> None:
    """A bar per name, from top to bottom.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    names : sequence of str
        A name per bar.
    values : array-like of shape (n,)
        Lengths of the bars.
    strong : sequence of bool
        Which bars are emphasised.
    """
    colours = [BLUE if i >= len(strong) or strong[i] else GREY for i in range(len(names))]
    ax.barh(range(len(names)), values, color=colours, height=0.7)
    _name(ax, names, ())


def curves(ax: Any, panel: Panel) -> None:
    """Lines over sizes or epochs; a dotted line at the one that was chosen.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    panel : Panel
        The lines.
    """
    drawn = {}
    for line in panel.lines:
        x, y = zip(*line.points, strict=True)
        (drawn[line.name],) = ax.plot(
            x, y, label=line.name, color=BLUE if line.main else ORANGE,
            linestyle="-" if line.main else "--", marker="o" if len(x) <= 12 else None,
            markersize=3,
        )  # fmt: skip
    ax.axvline(panel.chosen, color=GREY, linestyle=":", linewidth=1)
    ax.set_title(panel.heading, parse_math=False)
    ax.set_ylabel(panel.unit, parse_math=False)
    ax.set_xlabel(panel.sizes)
    if len(panel.lines) > 1:
        legend(ax, drawn)


def legend(ax: Any, drawn: Mapping[str, Any], **settings: Any) -> None:
    """Name what is drawn, as it is: names are no formulas, nor hidden where they begin with ``_``.

    Parameters
    ----------
    ax : matplotlib Axes
        Where it stands.
    drawn : mapping from str to matplotlib artist
        What is named.
    **settings
        Of `matplotlib.axes.Axes.legend`.
    """
    made = ax.legend(list(drawn.values()), list(drawn), frameon=False, **settings)
    for text in made.get_texts():
        text.set_parse_math(False)


def _name(ax: Any, names: Sequence[str], strong: Sequence[bool]) -> None:
    ax.set_yticks(range(len(names)), labels=list(names), parse_math=False)
    for i, label in enumerate(ax.get_yticklabels()):
        if i < len(strong) and strong[i]:
            label.set_fontweight("bold")
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.spines[["top", "right"]].set_visible(False)


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise MissingExtra(
            "Plots need the package matplotlib.", "pip install 'limbeck[plot]'."
        ) from None
    return plt
