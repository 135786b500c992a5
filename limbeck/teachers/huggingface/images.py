"""Images as an image processor of transformers takes them: arrays, or the paths of files."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.core.images import opened_image

__all__ = ["image_batch", "processed"]


def image_batch(rows: Any) -> list[NDArray[Any]]:
    """Images of shape (h, w, 3), as whole numbers up to 255 or as fractions up to 1.

    Parameters
    ----------
    rows : array of shape (n, h, w, c), (n, c, h, w) or (n, h, w), or n paths
        c is 1 or 3.

    Raises
    ------
    InvalidInput
        If they have another shape.
    FileRefused
        If a file is no image.
    """
    if len(rows) and isinstance(rows[0], str | PathLike):
        return [np.asarray(opened_image(path)) for path in rows]
    array = np.asarray(rows)
    if array.ndim == 4 and array.shape[1] in (1, 3) and array.shape[3] not in (1, 3):
        array = np.moveaxis(array, 1, 3)
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3):
        raise InvalidInput(
            f"The images have shape {np.asarray(rows).shape}.",
            "Give (n, h, w, 3), (n, 3, h, w), (n, h, w), or the paths of files.",
        )
    return list(np.repeat(array, 3, axis=3) if array.shape[3] == 1 else array)


def processed(processor: Any, images: list[NDArray[Any]]) -> Any:
    """The tensors that the model takes; fractions are not divided by 255 again.

    Parameters
    ----------
    processor : BaseImageProcessor
        As transformers loads it.
    images : list of ndarray of shape (h, w, 3)
        The images.
    """
    fractions = all(i.dtype.kind == "f" and i.max(initial=0) <= 1 for i in images)
    more = {"do_rescale": False} if fractions else {}
    return processor(images=images, return_tensors="pt", input_data_format="channels_last", **more)[
        "pixel_values"
    ]
