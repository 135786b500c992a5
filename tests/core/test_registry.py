"""Names: limbeck's own, and a user's; tests/test_fresh_process.py has those of a package."""

from __future__ import annotations

from pathlib import Path

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import (
    BOUNDS,
    LOSSES,
    METHODS,
    SAMPLERS,
    STUDENTS,
    Registry,
)
from limbeck.students.tree.tree import Tree

PLUGIN = Path(__file__).parents[1] / "plugin"


def test_limbecks_own_are_known_without_an_import():
    assert {"additive", "junta", "tree", "wavelet"} <= set(STUDENTS.names())
    assert {"adaptive_wavelets", "junta", "search_and_stitch"} <= set(METHODS.names())
    assert list(STUDENTS.names()) == sorted(STUDENTS.names())
    assert {"gaussian_copula", "jitter", "marginals", "munge"} <= set(SAMPLERS.names())
    assert STUDENTS.get("tree") is Tree
    assert STUDENTS.name_of(Tree) == "tree"
    assert STUDENTS.name_of(dict) is None


def test_every_student_by_name_has_a_method():
    into = {method.into for _, method in METHODS.items()}
    assert into <= set(STUDENTS.names())


def test_losses_and_bounds_have_names_too(monkeypatch):
    pytest.importorskip("torch")
    assert BOUNDS.names() == ("betting", "empirical-bernstein")
    assert {"SoftTargets", "GoldLabels", "HiddenStates"} <= set(LOSSES.names())
    monkeypatch.syspath_prepend(PLUGIN)
    found = Registry("limbeck.networks.losses", "loss")
    assert found.get("QuietLabels")().label_smoothing == 0


def test_unknown_and_taken_names_are_refused():
    with pytest.raises(InvalidInput, match=r"no student 'tre'\. Did you mean 'tree'"):
        STUDENTS.get("tre")
    own = Registry("limbeck.samplers", "sampler")

    @own.register("mine")
    class One: ...

    assert own.register("mine")(One) is One  # the same class, as when a module is reloaded

    class Two: ...

    with pytest.raises(InvalidInput, match=r"There is a sampler 'mine' already: .*One"):
        own.register("mine")(Two)
