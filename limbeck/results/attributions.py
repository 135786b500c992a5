"""What ``limbeck.trim`` found, as a table in the terminal and in a notebook."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from limbeck.reports.heat import heat
from limbeck.reports.markup import Html, box, tag
from limbeck.reports.numbers import count, decimal, percent
from limbeck.reports.plots import axes_of, bars
from limbeck.reports.style import FRAGMENT
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.wavelet_sections.signals import picture_map
from limbeck.results.wavelet_sections.style import BARS, HEAT

__all__ = ["FEW", "attribution_fragment", "attribution_table", "band_table", "plot_bands"]

FEW, _DRAWN = 12, 24  # bands in a table and in a plot, the strongest
_INVERTS = 1e-6  # more lost than this is worth a warning
_MOSTLY = 0.5  # of the rows, by a step that is too small


def attribution_table(found: Any) -> Group:
    """The strongest bands, and what the inverse loses.

    Parameters
    ----------
    found : Attribution
        What :func:`limbeck.trim` returned.
    """
    warned = found.inverse_error > _INVERTS
    parts: list[RenderableType] = [
        Text(_title(found), style="bold"),
        Text(),
        band_table(found, FEW).to_rich(),
    ]
    more = _left_out(found)
    if more:
        parts.append(Text(more, style="dim"))
    parts += [Text(), Text(_inverse(found), style="yellow" if warned else "")]
    if said := _small_step(found):
        parts.append(Text(said, style="yellow"))
    return Group(*parts)


def attribution_fragment(found: Any) -> Html:
    """The same for a notebook, with a picture where bands run along the signal."""
    return tag(
        "div",
        tag("style", Html(FRAGMENT + BARS + HEAT)),
        tag("p", tag("strong", _title(found))),
        band_table(found, FEW).to_html(),
        _picture(found),
        tag("p", " ".join(filter(None, (_left_out(found), _inverse(found), _small_step(found))))),
        class_="limbeck",
    )


def _title(found: Any) -> str:
    n, m = found.scores.shape
    way = found.attribution.replace("_", " ")
    return f"{found.model} in {found.transform!r}: {way} of {m} coefficients, {count(n)} rows"


def band_table(found: Any, most: int | None = None) -> Table[Any]:
    """A row per band, in the order of the transform; of more than ``most`` the strongest.

    Parameters
    ----------
    found : Attributions
        The result.
    most : int, optional
        Most bands in the table.
    """
    sizes = list(found.by_band().values())
    total = sum(sizes) or 1.0
    shown = range(len(sizes)) if most is None else sorted(_strongest(found, most))

    def width(i: int) -> int:
        return int(found.bands[i].stop - found.bands[i].start)

    columns: list[Column[int]] = [
        Column("band", lambda i: found.bands[i].name, wrap=True),
        Column("coefficients", width, align="right"),
        Column("attribution", lambda i: sizes[i], format=_figures, align="right"),
        Column("share", lambda i: sizes[i] / total, format=percent, align="right",
               drawing=Drawing("bar")),
        Column("each", lambda i: sizes[i] / width(i), format=_figures, align="right"),
    ]  # fmt: skip
    caption = "Attribution: sum of absolute values in the band, mean over the rows."
    return Table(caption, columns, list(shown))


def plot_bands(found: Any, ax: Any = None) -> Any:
    """Draw a bar per band, of the strongest 24; returns the axes.

    Parameters
    ----------
    found : Attributions
        The result.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    """
    sizes, names = list(found.by_band().values()), [b.name for b in found.bands]
    shown = sorted(_strongest(found, _DRAWN))
    ax = axes_of(ax, (6.4, 1.2 + 0.3 * len(shown)))
    bars(ax, [names[i] for i in shown], [sizes[i] for i in shown])
    ax.set_xlabel("sum of absolute attributions, mean over the rows")
    ax.set_title(_title(found), parse_math=False, wrap=True, fontsize="medium")
    return ax


def _strongest(found: Any, most: int) -> list[int]:
    sizes = list(found.by_band().values())
    return sorted(range(len(sizes)), key=lambda i: -sizes[i])[:most]


def _figures(value: float) -> str:
    """Four figures; powers of ten where a decimal would be long."""
    return decimal(value, 4) if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.3e}"


def _left_out(found: Any) -> str:
    rest = len(found.bands) - FEW
    return f"The strongest {FEW} of {len(found.bands)} bands." if rest > 0 else ""


def _inverse(found: Any) -> str:
    if found.inverse_error <= _INVERTS:
        return "The inverse gives the rows back."
    return (
        f"The inverse does not give the rows back: it misses {percent(found.inverse_error, 2)} of"
        " their size (root mean square). What it misses stays in the model's input as it was, so"
        " the answers are exact, and gets no attribution."
    )


def _small_step(found: Any) -> str:
    """A warning where most answers did not change, as those of a forest by small steps."""
    if found.still <= _MOSTLY:
        return ""
    return (
        f"The step of {found.step:g} is small for this model: moving a coefficient that it reads"
        f" did not change the answer for {percent(found.still)} of the rows. Give a larger step,"
        f" such as step={max(1.0, 10 * found.step):g}, and compare."
    )


def _picture(found: Any) -> Html | None:
    """Where in the signal or picture the strongest bands lie; channels added up."""
    spread = found.by_place()
    if spread is None:
        return None
    shape = found.transform.shape
    space = shape[1:] if len(shape) > 1 else shape
    along = spread.reshape(len(spread), -1, *space).sum(axis=1)
    first = sorted(_strongest(found, FEW))
    names, along = [found.bands[i].name for i in first], along[first]
    what = "over the picture" if len(shape) == 3 else "along the signal"
    says = f"Absolute attribution {what}, mean over the rows; stronger colour is more."
    if len(shape) < 3:
        drawn = box(heat(names, list(along), "sample"), says)
    else:
        top = float(along.max()) or 1.0
        maps = [
            tag("div", name, picture_map(own, top, name))
            for name, own in zip(names, along, strict=True)
        ]
        drawn = tag("div", *maps, class_="maps")
    return tag("figure", drawn, tag("figcaption", says))
