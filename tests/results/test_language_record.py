from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limbeck.evaluation.comparison import Difference
from limbeck.language.certified_texts import CertifiedTexts

OTHER = "Against the same student trained with cross-entropy on the teacher's own texts: "


def test_what_the_second_control_says(languages):
    told = languages(second=(
        Difference("overlap", 0.02, 0.01, 0.03), Difference("coverage", -0.2, -0.3, -0.1),
        Difference("length", 0.0, -0.1, 0.1), Difference("match", 0.0004, 0.0002, 0.0006),
    )).second_sentence  # fmt: skip
    assert told == (
        f"{OTHER}More overlap: +0.020 (95% interval +0.010 to +0.030);"
        " Less coverage: -0.200 (95% interval -0.300 to -0.100);"
        " No evidence of more length: +0.000 (95% interval -0.100 to +0.100);"
        " More match, by less than 0.001: +0.0004 (95% interval +0.0002 to +0.0006)."
    )
    assert languages(second=()).second_sentence == ""


@pytest.mark.parametrize(("level", "told"), [(0.9, "90%"), (0.999, "99.9%"), (0.995, "99.5%")])
def test_no_level_is_said_to_be_certainty(languages, level, told):
    found = languages()
    found = replace(found, comparison=replace(found.comparison, level=level))
    assert f"({told} interval" in found.second_sentence
    assert f"({told} interval" in found.comparison.sentence


def test_the_verdict_begins_with_the_certificate(languages):
    found = languages()
    assert found.verdict == f"It is near. {found.comparison.sentence} {found.second_sentence}"
    bare = languages(certificate=None, second=())
    assert bare.verdict == f"There is no certificate. {bare.comparison.sentence}"


def test_losses_are_those_of_the_judged_texts(languages):
    losses = {"real texts": np.array([0.25, 0.5])}
    assert languages(judged=CertifiedTexts(losses)).losses is losses
