"""What a column is, and how rows of any kind become one matrix and go back.

Methods and students work on an encoded matrix of float64, shape (n, d): numbers as they are,
booleans as 0 and 1, categories as codes, missing values as NaN. Teachers get rows back in the
form in which the user gave them. Of texts the matrix holds hashes; see `limbeck.core.texts`.
Dictionaries and pairs of texts are tables (`limbeck.core.records`); paths of images are read at the
size at which the student sees them (`limbeck.core.images`), and teachers get the paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.column import (
    Feature,
    Kind,
    decode_column,
    dtype_name,
    encode_column,
    kind_of,
    typed_column,
)
from limbeck.core.errors import InvalidInput, did_you_mean, list_of_names
from limbeck.core.given_tables import as_matrix, check_names, check_not_empty, is_frame
from limbeck.core.images import are_image_paths, image_matrix, image_shape
from limbeck.core.records import as_table
from limbeck.core.texts import are_texts, as_texts, text_codes, written

__all__ = ["Features", "Rows"]


@dataclass(frozen=True)
class Features:
    """The columns of a data set, in order; knows how to encode rows and to decode them.

    Parameters
    ----------
    columns : tuple of Feature
        The columns, d of them, with different names.
    frame : bool
        Whether rows are handed to the teacher as a pandas DataFrame (else as an array).
    dtypes : tuple of str
        The dtype of every column (one for all, for an array), restored on decoding.
    shape : tuple of int
        The shape of one row, (t, c) or (c, h, w), where rows are no table but signals or images;
        they are encoded as d columns, named by position, and decoded to this shape.
    numbers : tuple of int
        The whole numbers by which a DataFrame made of an array names its columns; they are
        called ``x0, x1, ...`` here. Empty where names are text.
    """

    columns: tuple[Feature, ...]
    frame: bool = False
    dtypes: tuple[str, ...] = ("float64",)
    shape: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(c.name for c in self.columns)

    @property
    def text(self) -> bool:
        """Whether rows are read as texts: a list, array or Series, or all columns of a table."""
        return all(column.kind == "text" for column in self.columns)

    @property
    def written(self) -> bool:
        """Whether a row is several columns that are read as one text."""
        return self.text and len(self) > 1

    @classmethod
    def of(cls, X: Any, names: Sequence[str] | None = None) -> Features:
        """Read the columns of a data set.

        A DataFrame gives names, kinds by dtype, and units, either from ``X.attrs["units"]``
        (a dict from name to unit) or from a name such as ``"radius [mm]"``.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n, d), or array-like of shape (n, ...)
            The rows; signals (n, t, c) and images (n, c, h, w) in their own shape; or n texts.
        names : sequence of str, optional
            Names for the columns of an array; ``x0 ... x{d-1}`` otherwise, and ``x[3, 1]`` for
            the numbers at those places of a signal or image.

        Raises
        ------
        InvalidInput
            If X is not a table, has no rows or columns, duplicate names, or columns of a kind
            that cannot be encoded (dates, lists, complex numbers).
        """
        X = as_table(X)
        if is_frame(X):
            return _features_of_frame(X)
        if isinstance(X, Rows):
            return X.features
        if are_image_paths(X):
            size = image_shape(X)
            pixels = tuple(Feature(f"x{list(place)}") for place in np.ndindex(size))
            return cls(pixels, dtypes=("float32",), shape=size)
        if are_texts(X):
            as_texts(X)  # refuses missing ones
            name = str(names[0]) if names else str(getattr(X, "name", None) or "text")
            return cls((Feature(name, "text"),), dtypes=("str",))
        A, shape = as_matrix(X)
        d = A.shape[1]
        places = (f"x{list(place)}" for place in np.ndindex(shape))
        own = tuple(places) if shape else tuple(f"x{j}" for j in range(d))
        labels = own if names is None else tuple(map(str, list_of_names("names", names)))
        if len(labels) != d:
            raise InvalidInput(
                f"There are {len(labels)} names for {d} columns.", "Give one name per column."
            )
        check_names(labels)
        kind: Kind = "boolean" if A.dtype == np.bool_ else "numeric"
        columns = tuple(Feature(n, kind, "" if labels is own else _unit_in(n)) for n in labels)
        return cls(columns, dtypes=(str(A.dtype),), shape=shape)

    @classmethod
    def of_written(cls, X: Any) -> Features:
        """The columns of a table whose rows are read as one text each, with names and values.

        Parameters
        ----------
        X : DataFrame
            Texts, and what lies beside them. The teacher gets the table as it is.
        """
        read = _features_of_frame(X)
        columns = tuple(Feature(c.name, "text", c.unit, c.levels) for c in read.columns)
        return cls(columns, True, read.dtypes, numbers=read.numbers)

    def encode(self, X: Any) -> NDArray[np.float64]:
        """Encode rows as a float64 matrix of shape (n, d); see the module's first lines.

        A category that was not seen when the columns were read is encoded as missing.

        Raises
        ------
        InvalidInput
            If a column is lacking, the number of columns differs, or a number is infinite.
        """
        if isinstance(X, Rows):
            return X.values if X.features.columns == self.columns else self.encode(X.native())
        X = as_table(X)
        if self.text:
            return text_codes(self.texts(X))
        out = self._encode_frame(X) if is_frame(X) else self._matrix(X).astype(np.float64)
        self._check_infinite(out)
        return out

    def blocks(self, X: Any, size: int | None = None) -> Iterator[NDArray[np.float64]]:
        """Encoded rows, at most ``size`` at a time: by default 4 MiB, which stays in cache.

        The same numbers as :meth:`encode`, with no copy of the whole. A block may share memory
        with X: do not write to it.

        Parameters
        ----------
        X : table of n rows
            Rows in the user's form.
        size : int, optional
            Most rows in a block.

        Raises
        ------
        InvalidInput
            As :meth:`encode`; for an infinite number when its block is reached.
        """
        size = size or max(1, min(2**14, 2**19 // len(self)))
        X = as_table(X)
        if isinstance(X, Rows) or is_frame(X) or self.text:
            values = self.encode(X)
            yield from (values[i : i + size] for i in range(0, len(values), size))
            return
        A = self._matrix(X)
        for i in range(0, len(A), size):
            block = A[i : i + size].astype(np.float64, copy=False)
            self._check_infinite(block)
            yield block

    def decode(self, values: NDArray[np.float64]) -> Any:
        """Rows in the user's own form (array or DataFrame) from an encoded matrix (n, d).

        Raises
        ------
        InvalidInput
            If the rows are texts, which their hashes do not tell.
        """
        if self.text:
            raise InvalidInput(
                "Texts cannot be made from numbers.", "Ask about the texts themselves: queries=0."
            )
        if not self.frame:
            dtype = np.dtype(self.dtypes[0])
            if dtype.kind in "iub":
                values = np.round(values)
                if np.isnan(values).any():  # whole numbers have no missing value
                    dtype = np.dtype(np.float64)
            return values.astype(dtype).reshape(len(values), *(self.shape or (len(self),)))
        import pandas as pd

        block = _alike(self.columns, self.dtypes, values)
        if block is not None:  # one block, where a column at a time takes most of a small question
            frame = pd.DataFrame(block, columns=list(self.names))
        else:
            frame = pd.DataFrame({
                c.name: decode_column(c, values[:, j], t)
                for j, (c, t) in enumerate(zip(self.columns, self.dtypes, strict=True))
            })  # fmt: skip
        if self.numbers:
            frame.columns = pd.Index(self.numbers)
        return frame

    def table_of(self, cells: NDArray[Any]) -> Any:
        """The DataFrame of cells (n, d) as they were given, with its dtypes.

        Parameters
        ----------
        cells : ndarray of shape (n, d), object
            The values.
        """
        import pandas as pd

        data: dict[Any, Any] = {}
        for j, (c, dtype) in enumerate(zip(self.columns, self.dtypes, strict=True)):
            data[c.name] = typed_column(c, cells[:, j], dtype)
        frame = pd.DataFrame(data)
        if self.numbers:
            frame.columns = pd.Index(self.numbers)
        return frame

    def in_order(self, X: Any) -> Any:
        """A DataFrame's columns in this order, and no others; other rows as they are.

        Of a column of texts, the texts as an array.
        """
        if self.text and not self.written:
            return self.texts(X)
        X = as_table(X)
        if not (self.frame and is_frame(X)):
            return X
        return X[list(self.numbers or self.names)]

    def rows(self, X: Any) -> Rows:
        """Encode ``X`` and keep it together with its columns, and with its texts."""
        X = as_table(X)
        given = X if self.shape and are_image_paths(X) else None
        if self.written:
            given = X.native() if isinstance(X, Rows) else X
            given = given[list(self.numbers or self.names)].to_numpy(dtype=object)
        elif self.text:
            given = self.texts(X)
        return Rows(self, self.encode(X), None if given is None else np.asarray(given, object))

    def texts(self, X: Any) -> NDArray[Any]:
        """The texts of rows, of shape (n,), where rows are read as texts.

        Parameters
        ----------
        X : list, array or Series of n texts, DataFrame or Rows
            A DataFrame has a column of this name, or a single one.

        Raises
        ------
        InvalidInput
            If there is no such column, or a text is missing.
        """
        X = as_table(X.native() if isinstance(X, Rows) else X)
        if self.written:
            self._check_lacking(X, self.numbers or self.names)
            return written(X[list(self.numbers or self.names)])
        if is_frame(X):
            name = self.names[0]
            if name not in X.columns and len(X.columns) > 1:
                raise InvalidInput(
                    f"Column {name!r} is not in the rows.", did_you_mean(name, map(str, X.columns))
                )
            X = X[name] if name in X.columns else X.iloc[:, 0]
        if isinstance(X, str):
            raise InvalidInput("One text was given as X.", "Give a list of texts: [text].")
        return as_texts(X)

    def index(self, name: str) -> int:
        """The position of a column.

        Raises
        ------
        InvalidInput
            If there is no such column.
        """
        if name not in self.names:
            raise InvalidInput(f"There is no column {name!r}.", did_you_mean(name, self.names))
        return self.names.index(name)

    def _matrix(self, X: Any) -> NDArray[Any]:
        if self.shape and are_image_paths(X):
            return image_matrix(X, self.shape)
        A, shape = as_matrix(X)
        if shape and self.shape and shape != self.shape:
            raise InvalidInput(
                f"The rows have shape {shape} each, and {self.shape} was expected.",
                "Give rows in the shape in which they were when the student was made.",
            )
        if A.shape[1] != len(self):
            raise InvalidInput(
                f"The rows have {A.shape[1]} columns, and {len(self)} were expected.",
                f"Give these columns in this order: {', '.join(self.names[:8])}"
                + (", ..." if len(self) > 8 else "."),
            )
        return A

    def _check_lacking(self, X: Any, wanted: Sequence[Any]) -> None:
        known = list(getattr(X, "columns", ()))
        lacking = [n for n in wanted if n not in known]
        if not lacking:
            return
        if not known:
            raise InvalidInput(
                f"The rows are a {type(X).__name__}, and {len(self)} columns were expected.",
                f"Give a table with the columns {', '.join(map(repr, wanted[:8]))}.",
            )
        raise InvalidInput(
            f"Column {lacking[0]!r} is not in the rows.",
            did_you_mean(str(lacking[0]), map(str, known)),
        )

    def _check_infinite(self, values: NDArray[np.float64]) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            if np.isfinite(values.sum()):  # no NaN and no infinity: the common, cheap case
                return
        infinite = np.isinf(values).any(axis=0)
        if infinite.any():
            raise InvalidInput(
                f"Column {self.names[int(infinite.argmax())]!r} holds an infinite value.",
                "Replace it by a number, or by NaN for missing.",
            )

    def _encode_frame(self, X: Any) -> NDArray[np.float64]:
        names = self.names
        if self.numbers:
            X = X.rename(columns=dict(zip(self.numbers, names, strict=True)))
        lacking = [n for n in names if n not in X.columns]
        if lacking and not self.frame and X.shape[1] == len(self):
            return self.encode(X.to_numpy())  # names were never known: order decides
        self._check_lacking(X, names)
        known = set(names)  # names are many for images and signals
        check_names([str(n) for n in X.columns if n in known])
        out = np.empty((len(X), len(self)), dtype=np.float64)
        for j, c in enumerate(self.columns):
            out[:, j] = encode_column(c, X[c.name])
        return out


@dataclass(frozen=True, eq=False)
class Rows:
    """Encoded rows and what their columns mean.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d), float64
        The encoded rows.
    given : ndarray of shape (n,) or (n, d), object, optional
        The texts, where rows are read as texts: ``values`` holds their hashes, (n, 3). The paths,
        where rows are images in files.
    """

    features: Features
    values: NDArray[np.float64]
    given: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Rows:
        given = None if self.given is None else self.given[index]
        return Rows(self.features, self.values[index], given)

    def native(self) -> Any:
        """The rows in the form that the teacher expects."""
        if self.given is None:
            return self.features.decode(self.values)
        return self.features.table_of(self.given) if self.features.written else self.given


def _unit_in(name: str) -> str:
    found = re.search(r"\[([^\[\]]+)\]\s*$", name)
    return found.group(1) if found else ""


def _features_of_frame(X: Any) -> Features:
    check_not_empty(X.shape)
    numbered = all(isinstance(c, Integral) and not isinstance(c, bool) for c in X.columns)
    numbers = tuple(map(int, X.columns)) if numbered else ()
    names = tuple(f"x{c}" for c in numbers) or tuple(map(str, X.columns))
    check_names(names)
    strange = [c for c in X.columns if not isinstance(c, str)]
    if strange and not numbered:
        raise InvalidInput(
            f"Column names must be text, or all whole numbers, and one is {strange[0]!r}.",
            "Rename with X.rename(columns=str).",
        )
    units = X.attrs.get("units", {})
    columns = []
    for label, name in zip(X.columns, names, strict=True):
        kind, levels = kind_of(X[label], name)
        columns.append(Feature(name, kind, str(units.get(label, _unit_in(name))), levels))
    dtypes = tuple(map(dtype_name, X.dtypes))
    return Features(tuple(columns), frame=True, dtypes=dtypes, numbers=numbers)


def _alike(
    columns: Sequence[Feature], dtypes: Sequence[str], values: NDArray[np.float64]
) -> NDArray[Any] | None:
    """All cells as a copy of one type, where every column holds numbers of that type."""
    kind = dtypes[0]
    plain = kind.startswith(("float", "int", "uint")) and set(dtypes) == {kind}
    if not plain or any(c.kind != "numeric" for c in columns):
        return None
    if kind.startswith("float"):
        return values.astype(kind)
    return None if np.isnan(values).any() else np.round(values).astype(kind)
