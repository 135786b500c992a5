"""Samples in Parquet and Arrow files, read by place from disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused, MissingExtra
from limbeck.data.row_batches import table_files

__all__ = ["shards"]


def shards(rows: str | Path) -> Any:
    """A Hugging Face data set of the rows of files, in the order of their names.

    Row i is the i-th row of the first file, and so on, so that a training visits the same samples
    in the same order as from arrays in memory, and goes on after a stop as it does there. Files
    are mapped into memory, which the system gives back when it is short. Parquet files are written
    as Arrow once, in the cache folder of datasets (``HF_DATASETS_CACHE``).

    Parameters
    ----------
    rows : str or Path
        A file, a folder of them, or a pattern such as ``"rows/*.parquet"``.

    Returns
    -------
    datasets.Dataset
        The rows; columns that hold no numbers are left out later, and named.

    Raises
    ------
    FileRefused
        If there is no such file, one is of another kind or damaged, or their columns differ.
    MissingExtra
        If datasets is not installed.
    """
    names = table_files(rows)
    kinds = {Path(name).suffix.lower() for name in names}
    try:
        from datasets import Dataset, concatenate_datasets
        from datasets.exceptions import DatasetGenerationError
        from datasets.utils.logging import disable_progress_bar, enable_progress_bar
        from datasets.utils.logging import is_progress_bar_enabled as shown
    except ImportError:
        raise MissingExtra(
            f"Training on the rows of {names[0]!r} needs datasets.", "pip install datasets."
        ) from None
    bars = shown()
    disable_progress_bar()
    try:
        if kinds <= {".parquet", ".pq"}:
            return Dataset.from_parquet(names)
        if kinds <= {".arrow", ".feather"}:
            return concatenate_datasets([Dataset.from_file(name) for name in names])
    except (DatasetGenerationError, OSError, ValueError) as error:  # ArrowInvalid is a ValueError
        cause = error.__cause__ or error
        raise FileRefused(f"{names[0]!r} and others cannot be read: {cause}.", "Write them anew.") \
            from error  # fmt: skip
    finally:
        if bars:
            enable_progress_bar()
    raise FileRefused(
        f"{names[0]!r} and others end in {', '.join(sorted(kinds))}.",
        "Give only .parquet files, or only .arrow files.",
    )
