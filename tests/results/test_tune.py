from __future__ import annotations

import json
import re
from html import unescape

import matplotlib.pyplot as plt
import pytest

from limbeck.results.tune import Tuning
from limbeck.results.tune_record import Trial


def trial(role, place, score, *, rounds=1, chosen=False, **settings):
    failed = "loss was not finite" if score is None else ""
    score = float("nan") if score is None else score
    return Trial(role, place, settings, 0, rounds, 100, 100 * rounds, score, 0.5, failed, chosen)


TRIALS = (
    trial("control", 0, 0.5, lr=0.1), trial("control", 1, 0.6, lr=0.2, chosen=True),
    trial("student", 0, None, lr=9.0), trial("student", 1, 0.7, lr=0.125),
    trial("student", 2, 0.9, lr=0.3), trial("student", 3, 0.8, rounds=2, lr=0.4),
    trial("student", 4, 0.85, rounds=3, lr=0.2, chosen=True, width=8),
)  # fmt: skip


@pytest.fixture
def searched(networks):
    def make(trials=TRIALS, notes=()):
        return Tuning(networks(), trials, {"validation_rows": 60}, notes)

    return make


def test_the_chosen_trial_is_first_and_the_failed_last(searched):
    page = searched()._repr_html_()
    order = re.findall(r'<th scope="row">(\w+)</th><td data-label="trial"[^>]*>(\d)<', page)
    assert order == [
        ("student", "4"), ("student", "3"), ("student", "2"), ("student", "1"), ("student", "0"),
        ("control", "1"), ("control", "0"),
    ]  # fmt: skip


def test_trials_have_every_setting_and_their_outcome(searched):
    frame = searched().to_frame()
    assert list(frame["lr"]) == [0.1, 0.2, 9.0, 0.125, 0.3, 0.4, 0.2]
    assert frame["width"].isna().sum() == 6
    assert frame["score"].isna().tolist() == [i == 2 for i in range(7)]
    assert list(frame["outcome"])[1:3] == ["chosen", "loss was not finite"]


@pytest.mark.parametrize(
    ("more", "told"), [(0, ""), (4, "1 more trial: to_frame()."), (5, "2 more trials: to_frame().")]
)
def test_a_terminal_shows_eight_of_each_role(searched, more, told):
    trials = (*TRIALS, *(trial("student", 5 + i, 0.1, lr=0.7) for i in range(more)))
    last = str(searched(trials)).splitlines()[-1]
    assert last == told if told else "more trial" not in last


def test_a_page_has_notes_where_there_are_any(searched, tmp_path):
    with_notes = searched(notes=("A <b>note</b>.",)).report(tmp_path / "page.html").read_text()
    assert "<h2>Notes</h2>" in with_notes
    assert "A &lt;b&gt;note&lt;/b&gt;." in with_notes
    assert searched().selection in unescape(with_notes)
    assert "Notes" not in searched().report(tmp_path / "page.html").read_text()


def test_failed_trials_are_not_drawn_and_kept_as_missing(searched):
    _, ax = plt.subplots()
    assert searched().plot(ax) is ax
    drawn = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert drawn == {"student": [0.7, 0.9, 0.8, 0.85], "control": [0.5, 0.6]}
    plt.close(ax.figure)
    kept = json.loads(json.dumps(searched().to_dict(), allow_nan=False))
    assert kept["trials"][2]["score"] is None
    assert "result" not in kept
