"""The types of settings list what the dataclasses take, name by name."""

from __future__ import annotations

from dataclasses import fields
from inspect import signature
from typing import get_type_hints

import pytest

pytest.importorskip("torch")

from limbeck.api import settings
from limbeck.api.distill import distill
from limbeck.api.distill_network import compress
from limbeck.methods.adaptive_wavelets import AdaptiveWavelets
from limbeck.methods.additive.method import MatchedCurves
from limbeck.methods.few_labels.method import FewLabels
from limbeck.methods.junta.method import FindJunta
from limbeck.methods.linear import MatchLinear
from limbeck.methods.rules.method import DistillRuleList, DistillRules
from limbeck.methods.scorecard import RoundToPoints
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.methods.sparse_sum import SelectTerms
from limbeck.methods.text_embeddings import DistillTextEmbeddings
from limbeck.methods.trepan.method import Trepan
from limbeck.networks.training.settings import Training

COMMON = {
    name
    for name, parameter in signature(distill).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY and name != "into"
}


@pytest.mark.parametrize(
    ("arguments", "method"),
    [
        (settings.TreeArguments, SearchAndStitch),
        (settings.JuntaArguments, FindJunta),
        (settings.WaveletArguments, AdaptiveWavelets),
        (settings.SumArguments, SelectTerms),
        (settings.SumArguments, MatchLinear),
        (settings.ScorecardArguments, RoundToPoints),
        (settings.AdditiveArguments, MatchedCurves),
        (settings.RuleListArguments, DistillRuleList),
        (settings.RulesArguments, DistillRules),
        (settings.MOfNArguments, Trepan),
    ],
)
def test_readable_students(arguments, method):
    own = {f.name for f in fields(method)}
    assert set(arguments.__annotations__) == COMMON | own


def test_students_of_texts():
    """Of all methods that lead there, and the names of several labels."""
    own = {f.name for method in (FewLabels, DistillTextEmbeddings) for f in fields(method)}
    assert set(settings.TextArguments.__annotations__) == COMMON | own | {"labels"}


def test_networks():
    shared = set(settings.Arguments.__annotations__)
    own = {n for n, p in signature(compress).parameters.items() if p.kind is p.KEYWORD_ONLY}
    training = {f.name for f in fields(Training)}
    own -= {"into", "steps"}  # the student, and what `distill` makes of it
    assert set(settings.NetworkArguments.__annotations__) == shared | own | training
    assert get_type_hints(Training)["epochs"] == int | None
