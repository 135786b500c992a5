from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from limbeck.core import errors


def test_message_is_problem_and_remedy() -> None:
    error = errors.InvalidInput("x is 3.", "Give 4.")
    assert str(error) == "x is 3. Give 4."
    assert (error.problem, error.remedy) == ("x is 3.", "Give 4.")


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.InvalidInput, ValueError),
        (errors.FileRefused, ValueError),
        (errors.TeacherFailed, RuntimeError),
        (errors.MissingExtra, ImportError),
        (errors.AccessDenied, Exception),
    ],
)
def test_family(kind: type[errors.LimbeckError], builtin: type[Exception]) -> None:
    assert issubclass(kind, errors.LimbeckError)
    assert issubclass(kind, builtin)


def test_errors_cross_processes() -> None:
    error = pickle.loads(pickle.dumps(errors.FileRefused("Bad.", "Fix.")))
    assert (type(error), error.problem, error.remedy) == (errors.FileRefused, "Bad.", "Fix.")


def test_did_you_mean() -> None:
    assert errors.did_you_mean("radus", ["radius", "texture"]) == "Did you mean 'radius'?"
    assert errors.did_you_mean("zzz", ["a", "b"]) == "Known: 'a', 'b'."
    assert "'11', ..." in errors.did_you_mean("zzz", map(str, range(20)))
    assert errors.did_you_mean("zzz", []) == "There is none."


def test_counts_with_their_nouns() -> None:
    assert errors.plural(1, "leaf", "leaves") == "1 leaf"
    assert errors.plural(1200, "leaf", "leaves") == "1,200 leaves"
    assert [errors.plural(n, "row") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_of_any_kind(value: Any) -> None:
    found = errors.whole_number("seed", value)
    assert (found, type(found)) == (3, int)


def test_whole_numbers_may_have_a_limit() -> None:
    assert errors.whole_number("seeds", 3, 1, 3) == 3
    with pytest.raises(errors.InvalidInput, match=r"seeds is 4.*at most 3"):
        errors.whole_number("seeds", 4, 1, 3)


@pytest.mark.parametrize("value", [True, np.True_, 3.0, "3", None, -1, np.int64(-1)])
def test_what_is_no_whole_number(value: Any) -> None:
    with pytest.raises(errors.InvalidInput, match=r"seed is .*Give a whole number of 0 or more"):
        errors.whole_number("seed", value)
