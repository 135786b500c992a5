from __future__ import annotations

from tests.results.test_advice import GAIN, LOSS, NONE, UNKNOWN, advice, outlook


def test_verdicts():
    verdicts = [outlook(g).verdict for g in (GAIN, NONE, LOSS, UNKNOWN)]
    assert verdicts == ["pays", "no evidence", "hurts", "not known"]


def test_the_advice_is_of_these_data_unless_it_pays_elsewhere_alone():
    surer = outlook(GAIN, "four times the epochs")
    twice = outlook(type(GAIN)(0.2, 0.005, 0.4), "twice the inputs")
    assert advice(outlook(NONE), twice, surer).best.name == "four times the epochs"
    for now in (GAIN, LOSS, UNKNOWN):
        assert advice(outlook(now), surer).best.name == "these data"
    assert advice(outlook(NONE), outlook(NONE, "twice the inputs")).best.name == "these data"


def test_what_a_forecast_rests_on():
    assert [outlook(GAIN, doublings=d).basis for d in (0.0, 1.0, 1.5)] == [
        "measured", "x2 beyond", "x2.83 beyond",
    ]  # fmt: skip
    assert [advice(outlook(GAIN), teacher=t).hopeless for t in (0.85, 0.86)] == [True, False]
