from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from limbeck.core.errors import InvalidInput


def test_best_is_by_size_nearness_and_kind(tournaments):
    found = tournaments()
    asked = [{}, {"max_numbers": 8}, {"max_numbers": 3}, {"within": 0.0}, {"within": 0.06},
             {"within": 1}, {"kind": "linear"}, {"kind": "tree"},
             {"kind": "tree", "max_numbers": 8}, {"max_numbers": 8, "within": 0.2}]  # fmt: skip
    places = [found.finalists.index(found.best(**one)) for one in asked]
    assert places == [1, 1, 0, 2, 1, 0, 1, 2, 0, 0]


def test_what_is_not_on_the_front_is_refused(tournaments):
    found = tournaments()
    for asked, told in [
        ({"max_numbers": 2}, r"No finalist holds 2 numbers or fewer\. The smallest holds 3\."),
        ({"max_numbers": 4, "kind": "linear"}, r"The smallest holds 5\."),
        ({"kind": "tre"}, r"No 'tre' is on the front\..*tree"),
        ({"within": float("nan")}, "within is nan"),
        ({"within": -0.1}, r"within is -0\.1"),
    ]:
        with pytest.raises(InvalidInput, match=told):
            found.best(**asked)


def test_numbers_are_kept(tournaments):
    found = tournaments()
    kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert kept["sentence"] == found.sentence
    assert [c["numbers"] for c in kept["candidates"]] == [3, 5, 7, 9]
    assert kept["unfinished"][0]["reason"] == "needs <b>queries</b>"
    assert {"finalists", "students"}.isdisjoint(kept)


def test_a_terminal_does_not_obey_names_of_columns(tournaments):
    found = tournaments()
    own = [replace(c, columns={"a\x1b[2Jge": 6}) for c in found.candidates]
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(replace(found, candidates=tuple(own)))
    assert r"it used a\x1b[2Jge each time" in console.file.getvalue()
