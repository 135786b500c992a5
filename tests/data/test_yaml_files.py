from __future__ import annotations

import sys

import pytest

from limbeck.core.errors import MissingExtra
from limbeck.data.yaml_files import read_yaml

pytest.importorskip("yaml")


def test_numbers_are_those_of_yaml_1_2() -> None:
    assert read_yaml("[1e-3, 2E+5, -1.e2, 1e5x, 0.5, 3]") == [1e-3, 2e5, -100.0, "1e5x", 0.5, 3]


@pytest.mark.parametrize(
    ("words", "held"),
    [(False, [True, False, True, True]), (True, ["yes", "no", "on", True])],
)
def test_yes_and_no_may_be_classes(words: bool, held: list[object]) -> None:
    assert read_yaml("[yes, no, on, true]", words=words) == held


@pytest.mark.parametrize("text", ["a: [", "!!python/object/apply:os.system [ls]", "a: b: c"])
def test_what_is_no_yaml_is_refused_and_not_run(text: str) -> None:
    with pytest.raises(ValueError, match="is no YAML"):
        read_yaml(text)


def test_a_missing_package_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtra, match="endpoints"):
        read_yaml("a: 1", extra="endpoints")
