"""Rows that are the paths of image files: teachers get the paths, students the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra

__all__ = ["are_image_paths", "image_matrix", "image_shape", "images_of", "opened_image"]

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_LARGEST, _SMALL = 64, 32
_LOOKED_AT = 100


def are_image_paths(X: Any) -> bool:
    """Whether rows are the paths of image files, by their suffix; the first must be there.

    Parameters
    ----------
    X : object
        Rows in the user's form.

    Examples
    --------
    >>> are_image_paths(["good", "bad"]), are_image_paths([[1.0, 2.0]])
    (False, False)
    """
    if not isinstance(X, list | tuple) and getattr(X, "ndim", 0) != 1:
        return False
    if getattr(getattr(X, "dtype", None), "kind", "O") in "biufcmM" or not len(X):
        return False
    some = list((X.iloc if hasattr(X, "iloc") else X)[:_LOOKED_AT])
    paths = all(
        isinstance(one, str | PathLike) and str(one).lower().endswith(_SUFFIXES) for one in some
    )
    return paths and Path(some[0]).is_file()


def image_shape(paths: Any) -> tuple[int, int, int]:
    """The shape (3, h, w) at which a student sees images.

    That of the files where all have one size of at most 64 x 64 pixels; else 32 x 32.

    Parameters
    ----------
    paths : n paths
        The files.
    """
    sizes = {_size(path) for path in paths}
    if len(sizes) == 1 and max(next(iter(sizes))) <= _LARGEST:
        w, h = next(iter(sizes))
        return (3, h, w)
    return (3, _SMALL, _SMALL)


def image_matrix(paths: Any, shape: Sequence[int]) -> NDArray[np.float64]:
    """The pixels of images as fractions of 1, shape (n, 3 h w), by channel, row and column.

    Parameters
    ----------
    paths : n paths
        The files.
    shape : (3, h, w)
        To which each is reduced, by the mean over the pixels that fall together.
    """
    _, h, w = shape
    out = np.empty((len(paths), 3 * h * w))
    for i, path in enumerate(paths):
        image = opened_image(path)
        if image.size != (w, h):
            image = image.resize((w, h), _pillow().Resampling.BOX)
        out[i] = np.moveaxis(np.asarray(image, dtype=np.float32) / 255, 2, 0).ravel()
    return out


def images_of(paths: Any) -> NDArray[np.float32]:
    """Images of one size as an array of shape (n, 3, h, w), fractions of 1.

    Parameters
    ----------
    paths : n paths
        The files.

    Raises
    ------
    InvalidInput
        If they have different sizes.
    """
    sizes = sorted({_size(path) for path in paths})
    if len(sizes) > 1:
        raise InvalidInput(
            f"The images have {len(sizes)} sizes, such as {sizes[0]} and {sizes[-1]} pixels.",
            "Resize them to one size, or give a data set that does.",
        )
    w, h = sizes[0]
    return image_matrix(paths, (3, h, w)).reshape(-1, 3, h, w).astype(np.float32)


def opened_image(path: Any) -> Any:
    """An image file as an RGB image of pillow.

    Parameters
    ----------
    path : str or path
        The file.

    Raises
    ------
    FileRefused
        If it is no image.
    MissingExtra
        If pillow is not installed.
    """
    pillow = _pillow()
    try:
        with pillow.open(fspath(path)) as image:
            return image.convert("RGB")
    except (OSError, pillow.DecompressionBombError) as error:
        raise FileRefused(f"{str(path)!r} is no image: {error}.", "Check the path.") from None


def _size(path: Any) -> tuple[int, int]:
    """Width and height, from the head of the file."""
    pillow = _pillow()
    try:
        with pillow.open(fspath(path)) as image:
            return (int(image.size[0]), int(image.size[1]))
    except (OSError, pillow.DecompressionBombError) as error:
        raise FileRefused(f"{str(path)!r} is no image: {error}.", "Check the path.") from None


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra(
            "Images from files need pillow.", "pip install 'limbeck[huggingface]'"
        ) from None
    return Image
