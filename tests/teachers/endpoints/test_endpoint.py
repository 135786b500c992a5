from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck import LimbeckError
from limbeck.core.errors import TeacherFailed
from limbeck.teachers import Endpoint
from limbeck.teachers.endpoints.retries import Retries

X = np.random.default_rng(0).random((200, 2))
QUICK = Retries(3, base=0.01)


def made(service: Any, tmp_path: Any, **settings: Any) -> Endpoint:
    settings = {"classes": [0, 1], "batch": 16, "retries": QUICK, **settings}
    return Endpoint(service.url, store=tmp_path / "answers.sqlite", **settings)


def test_one_bad_row_spoils_no_other(service, reply, tmp_path):
    def respond(body: Any, n: int) -> Any:
        rows = body["instances"]
        if [13.0, 0.0] in rows:
            return reply({"error": "cannot read a row"}, status=422)
        return reply({"predictions": [0.25] * len(rows)})

    service.respond = respond
    rows = X[:16].copy()
    rows[5] = 13.0, 0.0
    teacher = made(service, tmp_path)
    found = teacher.answers(rows)
    assert [m.row for m in found.missing] == [5]
    assert "422" in found.missing[0].reason
    assert np.isnan(found.scores[5]).all()
    assert found.answered.sum() == 15
    assert found.to_frame()["row"].tolist() == [5]
    with pytest.raises(TeacherFailed, match="positions 5"):
        teacher.scores(rows)


@pytest.mark.parametrize(
    "answer",
    [[0.5, 0.9], [0.5], "yes", {"p": 1}, None, [[0.1, 0.9]], [0.1, float("nan")], [0.2, 0.3, 0.5]],
)
def test_nonsense_is_never_an_answer(service, reply, tmp_path, answer):
    service.respond = lambda body, n: reply({"predictions": [[0.3, 0.7], answer]})
    if answer == [0.5]:  # one probability is that of the second class
        assert made(service, tmp_path).scores(X[:2])[1].tolist() == [0.5, 0.5]
        return
    found = made(service, tmp_path).answers(X[:2])
    assert len(found.missing) == 2
    assert np.isnan(found.scores).all()


def test_a_label_outside_the_classes_is_listed_and_not_asked_again(service, reply, tmp_path):
    service.respond = lambda body, n: reply({"predictions": ["no", "maybe", "yes"]})
    teacher = made(service, tmp_path, classes=["no", "yes"], score_kind="label")
    found = teacher.answers(X[:3])
    assert [(m.row, m.outside) for m in found.missing] == [(1, True)]
    assert "'maybe' is none of the classes" in str(found)
    assert teacher.answers(X[:3]).asked == 0


@pytest.mark.parametrize(
    ("format_", "request_", "reply_"),
    [
        ("instances", {"instances": [[1, 0.5]]}, {"predictions": [3.5]}),
        ("instances_named", {"instances": [{"a": 1, "b": 0.5}]}, {"predictions": [3.5]}),
        (
            "dataframe_split",
            {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 0.5]]}},
            {"predictions": [3.5]},
        ),
        ("inputs", {"inputs": [[1, 0.5]]}, {"predictions": [[3.5]]}),
        (
            "kserve_v2",
            {
                "inputs": [
                    {"name": "input-0", "shape": [1, 2], "datatype": "FP64", "data": [1, 0.5]}
                ]
            },
            {"outputs": [{"name": "y", "shape": [1, 1], "datatype": "FP64", "data": [3.5]}]},
        ),
    ],
)
def test_the_common_forms(service, reply, tmp_path, format_, request_, reply_):
    service.respond = lambda body, n: reply(reply_)
    frame = pd.DataFrame({"a": [1], "b": [0.5]})
    teacher = made(service, tmp_path, classes=None, format=format_)
    assert teacher.scores(frame).tolist() == [[3.5]]
    assert service.requests[0][1] == request_


def test_kserve_tensors_of_several_columns_are_rows(service, reply, tmp_path):
    flat = [0.1, 0.9, 0.8, 0.2]
    service.respond = lambda body, n: reply({"outputs": [{"data": flat}]})
    found = made(service, tmp_path, format="kserve_v2").scores(X[:2])
    assert found.tolist() == [[0.1, 0.9], [0.8, 0.2]]


def test_fields_are_named(service, reply, tmp_path):
    answers = [{"proba": {"1": 0.75, "0": 0.25}}] * 2
    service.respond = lambda body, n: reply({"result": {"rows": answers}})
    teacher = made(service, tmp_path, field="result.rows", answer_field="proba")
    assert teacher.scores(X[:2]).tolist() == [[0.25, 0.75]] * 2


def test_a_service_that_gives_no_answer_is_named_before_labels_are_compared(tmp_path):
    teacher = Endpoint(
        "http://127.0.0.1:9/", classes=[0, 1], store=tmp_path / "a", retries=Retries(0)
    )
    with pytest.raises(LimbeckError, match=r"gave no usable answer|without an answer"):
        limbeck.distill(teacher, X[:60], (X[:60, 0] > 0).astype(int))


def test_json_is_what_is_sent(service, reply, tmp_path):
    service.respond = lambda body, n: reply({"predictions": [1.0, 2.0]})
    frame = pd.DataFrame(
        {"t": pd.to_datetime(["2026-01-02", None]), "c": pd.Categorical(["a", None]), "x": [1, 2]}
    )
    made(service, tmp_path, classes=None).scores(frame)
    rows = service.requests[0][1]["instances"]
    assert json.dumps(rows) == '[["2026-01-02T00:00:00", "a", 1], [null, null, 2]]'
