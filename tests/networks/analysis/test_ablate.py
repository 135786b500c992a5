from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.analysis.ablate import without_each  # noqa: E402
from limbeck.networks.losses.hidden import HiddenStates  # noqa: E402
from limbeck.networks.losses.interchange import Interchange  # noqa: E402
from limbeck.networks.losses.labels import GoldLabels  # noqa: E402
from limbeck.networks.losses.loss import Objective  # noqa: E402
from limbeck.networks.losses.probabilities import SoftTargets  # noqa: E402

pytestmark = pytest.mark.torch


def test_each_term_and_each_pair_is_dropped_once():
    hidden = HiddenStates({"a": "x", "b": "y"}, distance="cosine")
    swaps = Interchange({"a": "x"}, part=slice(0, 2))
    whole = 0.5 * SoftTargets(temperature=4.0) + GoldLabels() + 0.2 * hidden + swaps
    found = without_each(whole)
    assert list(found) == [
        "SoftTargets", "GoldLabels", "HiddenStates", "HiddenStates: a → x",
        "HiddenStates: b → y", "Interchange",
    ]  # fmt: skip
    assert found["GoldLabels"].names == ("SoftTargets", "HiddenStates", "Interchange")
    assert [p.weight for p in found["GoldLabels"].parts] == [0.5, 0.2, 1.0]
    one = found["HiddenStates: a → x"]
    assert one.names == whole.names
    assert one.parts[2].term == HiddenStates({"b": "y"}, distance="cosine")
    assert one.parts[2].weight == 0.2
    assert whole.parts[2].term.pairs == {"a": "x", "b": "y"}


def test_balance_is_kept():
    whole = Objective((GoldLabels() + SoftTargets()).parts, balanced=True)
    assert all(v.balanced for v in without_each(whole).values())


def test_pairs_of_a_single_term():
    found = without_each(Objective.of(HiddenStates({"a": "x", "b": "y"})))
    assert list(found) == ["HiddenStates: a → x", "HiddenStates: b → y"]


def test_nothing_to_drop_is_refused():
    with pytest.raises(InvalidInput, match="GoldLabels alone"):
        without_each(Objective.of(GoldLabels()))
    with pytest.raises(InvalidInput, match="HiddenStates alone"):
        without_each(Objective.of(HiddenStates({"a": "x"})))
