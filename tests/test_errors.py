from __future__ import annotations

import pickle

import pytest

from limbeck import errors


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
