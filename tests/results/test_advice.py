from __future__ import annotations

import math

import pytest

from limbeck.core.measured import Measured
from limbeck.results.advice import Advice
from limbeck.results.advice_record import Outlook, PilotPoint

UNKNOWN = Measured(0.1, math.nan, math.nan)


def outlook(gain, name="these data", doublings=0.0):
    return Outlook(name, 100, 10, Measured(0.9, 0.85, 0.95), Measured(0.85, 0.8, 0.9), gain,
                   doublings, 1.5)  # fmt: skip


def advice(*outlooks, teacher=0.95, **settings):
    point = PilotPoint("student", 50, 20, 3, *[Measured(0.8, 0.7, 0.9)] * 2,
                       Measured(0.0, -0.1, 0.1), 0.5)  # fmt: skip
    settings = {
        "teacher": "Net", "student": "Sequential", "later_seeds": 3, "enough": 300.0, "pairs": 7,
        "seconds": 9.0, "budget": 60.0, "measured_rows": 500, "updates_per_epoch": 4.0,
        "call": {"epochs": 10, "lr": 0.01, "optimizer": "adam"}, **settings,
    }  # fmt: skip
    points = (point, PilotPoint("student", 100, 20, *[getattr(point, n) for n in (
        "seeds", "student", "control", "gain", "seconds")]),
              PilotPoint("student", 100, 40, *[getattr(point, n) for n in (
        "seeds", "student", "control", "gain", "seconds")]))  # fmt: skip
    return Advice(outlooks, points, Measured(teacher, 0.9, 1.0), "accuracy", 0.9, ("A note.",),
                  settings)  # fmt: skip


GAIN = Measured(0.05, 0.01, 0.09)
NONE = Measured(0.01, -0.02, 0.04)
LOSS = Measured(-0.05, -0.08, -0.01)


@pytest.mark.parametrize(
    ("found", "said", "code"),
    [
        (advice(outlook(GAIN)), "Distil: the forecast is +0.050",
         "limbeck.distill(teacher, data, into=student, epochs=10, lr=0.01, optimizer='adam',"
         " seeds=3)"),
        (advice(outlook(NONE)), "No evidence that distilling pays here",
         "limbeck.distill(teacher, data, into=student, epochs=10, lr=0.01, optimizer='adam',"
         " seeds=3, objective=limbeck.networks.GoldLabels())"),
        (advice(outlook(NONE, doublings=2.0)), "cannot tell yet",
         "limbeck.advise(teacher, data, into=student, epochs=10, lr=0.01, optimizer='adam',"
         " budget='5 min')"),
        (advice(outlook(NONE, doublings=2.0), teacher=0.8), "knows no more than",
         "GoldLabels())"),
        (advice(outlook(LOSS)), "Do not distil here", "GoldLabels())"),
        (advice(outlook(UNKNOWN)), "too short to say anything", "budget='5 min')"),
        (advice(outlook(NONE), outlook(GAIN, "twice the inputs")),
         "with twice the inputs the forecast is +0.050", "teacher, more_data, into=student"),
        (advice(outlook(NONE), outlook(GAIN, "a student twice the size")),
         "with a student twice the size", "into=larger_student"),
    ],
)  # fmt: skip
def test_the_recommendation_and_the_line_to_run_next(found, said, code):
    assert said in found.sentence
    assert found.code.endswith(code) or code in found.code
    assert found.sentence in str(found).replace("\n", " ")


def test_saved_and_loaded_alike(tmp_path):
    found = advice(outlook(GAIN), outlook(UNKNOWN, "twice the inputs", 1.0))
    again = Advice.load(found.save(tmp_path / "a"))
    assert str(again) == str(found)
    assert again.to_dict() == found.to_dict()
    page = (tmp_path / "a" / "report.html").read_text()
    assert "Distil: the forecast" in page
    assert page.count("<figure>") == 2  # by rows, and by updates
    assert "its control; " in page
    assert "[&#x27;" not in page  # no list as Python writes it


def test_tables_and_plot():
    found = advice(outlook(GAIN), outlook(NONE, "four times the epochs", 2.0))
    assert found.to_frame()["gain"].tolist() == [0.05, 0.01]
    assert found.to_frame("pilot")["rows"].tolist() == [50, 100, 100]
    assert max(map(len, str(found).split("\n"))) <= 100
    assert "…" not in str(found)
    pytest.importorskip("matplotlib").use("agg")
    axes = found.plot()
    assert axes[0].get_xlabel() == "training rows"
    assert [t.get_text() for t in axes[2].get_yticklabels()] == [
        "these data", "four times the epochs",
    ]  # fmt: skip
