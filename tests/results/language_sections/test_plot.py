from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import pytest

from limbeck.core.measured import Measured
from limbeck.results.language_sections.plot import plot_texts


def test_all_but_the_teacher_are_drawn(languages):
    found = languages()
    real = {**found.facts["student"].measured, "real_overlap": Measured(0.6, 0.5, 0.7)}
    facts = {**found.facts, "student": replace(found.facts["student"], measured=real)}
    found = replace(found, facts=facts, comparison=replace(found.comparison, level=0.999))
    _, ax = plt.subplots()
    assert plot_texts(found, ax) is ax
    assert [text.get_text() for text in ax.get_yticklabels()] == ["student", "control"]
    own, theirs = ax.containers
    assert [own.get_label(), theirs.get_label()] == ["own texts", "real texts"]
    assert list(own.lines[0].get_xdata()) == pytest.approx([0.812, 0.812])
    assert list(theirs.lines[0].get_xdata()) == pytest.approx([0.6])
    assert ax.get_xlabel() == "overlap with the teacher, 99.9% intervals"
    plt.close(ax.figure)
