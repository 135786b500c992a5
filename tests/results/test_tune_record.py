from __future__ import annotations

from limbeck.results.tune_record import Trial, TuningRecord

STUDENT = (
    Trial("student", 0, {"lr": 0.012345, "epochs": 3}, 1, 2, 1_000, 600, 0.81234, 0.5, chosen=True),
    Trial("student", 1, {"lr": 0.5}, 2, 1, 400, 400, float("nan"), float("nan"), "not finite"),
)
CONTROL = (Trial("control", 0, {}, 3, 1, 300, 300, 0.75, 0.6, chosen=True),)


def record(*trials, rows=1_500):
    return TuningRecord(None, trials, {"validation_rows": rows})


def test_trials_are_by_role():
    found = record(*STUDENT, *CONTROL)
    assert found.of("student") == list(STUDENT)
    assert found.chosen("control") is CONTROL[0]
    assert record(*STUDENT).chosen("control") is None
    assert record(*STUDENT[::-1]).chosen("student") is STUDENT[0]


def test_how_settings_were_chosen_is_told():
    student = (
        "Of 2 trials of the student, 1 of which failed, lr=0.01235, epochs=3 did best: 0.8123 on"
        " the validation rows; 1,400 updates in all."
    )
    end = (
        " chosen by 1,500 validation rows, whose scores are optimistic for what they chose; table"
        " and verdict are of test rows that chose nothing, after trainings from fresh seeds."
    )
    assert record(*STUDENT).selection == f"{student} It was{end}"
    assert record(*STUDENT, *CONTROL).selection == (
        f"{student} Of 1 trial of the control, a seed, since nothing that was searched over"
        " concerns it did best: 0.75 on the validation rows; 300 updates in all."
        f" Both were{end}"
    )
