"""Labels that are text inside a data set: in a column, in a list of items, or item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, default_collate

from limbeck.networks.datasets.collate import label_names
from limbeck.networks.datasets.opening import text_column
from limbeck.networks.datasets.seeding import restored
from limbeck.networks.datasets.text_labels import first_text

__all__ = ["Inside", "text_inside"]

_LOOKED = 16  # items of a data set that are drawn to see whether their labels are text


@dataclass(frozen=True, eq=False)
class Inside:
    """Text labels of a data set.

    Parameters
    ----------
    labels : sequence
        One per row, as they are there.
    whole : bool
        Whether these are all, rather than those of some items.
    data : Any
        The data set, which may name its ``classes``.
    """

    labels: Sequence[Any]
    whole: bool
    data: Any

    @property
    def classes(self) -> tuple[Any, ...]:
        """What the data set, or that of which it is a part, says its classes are."""
        parts = (self.data, getattr(self.data, "dataset", None))
        found = next((c for p in parts if (c := getattr(p, "classes", None)) is not None), ())
        return tuple(found) if isinstance(found, list | tuple) else ()


def text_inside(side: Any) -> Inside | None:
    """The text labels inside a data set; None where there are none, or the data is no data set.

    Columns of Hugging Face data sets and lists of items are read whole. Of other data sets, whose
    items may be costly, some are drawn.

    Parameters
    ----------
    side : Any
        Rows as they were given.
    """
    if isinstance(side, DataLoader):
        return text_inside(side.dataset) if side.collate_fn in (default_collate, None) else None
    if side is None or isinstance(side, tuple | str) or hasattr(side, "to_numpy"):
        return None
    if hasattr(side, "column_names"):
        return _column(side)
    if isinstance(side, Mapping) or not (hasattr(side, "__getitem__") and hasattr(side, "__len__")):
        return None
    whole, n = isinstance(side, list), len(side)
    places = range(n) if whole else range(0, n, max(n // _LOOKED, 1))
    try:
        with restored():
            if not n or not _labelled(side[0]):
                return None
            found = [_label(side[i]) for i in places]
    except Exception:  # what is wrong with items is told where they are opened
        return None
    return None if first_text(found) is None else Inside(found, whole, side)


def _column(data: Any) -> Inside | None:
    if isinstance(data, Mapping) or not (own := label_names(data.column_names)):
        return None
    if not text_column(data, own[0]):
        return None
    labels = data.select_columns([own[0]]).with_format(None)[:][own[0]]
    return Inside(list(labels), True, data)


def _labelled(item: Any) -> bool:
    if isinstance(item, Mapping):
        return bool(label_names(item))
    return isinstance(item, tuple | list) and len(item) > 1


def _label(item: Any) -> Any:
    return item[label_names(item)[0]] if isinstance(item, Mapping) else item[-1]
