"""A paid service answers few rows of a table: what is asked, counted by a server on loopback."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.teachers import Endpoint
from limbeck.teachers.endpoints.spending import Price

X = np.random.default_rng(0).random((1200, 3))


def test_no_row_beyond_the_budget_is_asked_about(sums, tmp_path):
    rows = X[:600].copy()
    rows[:, 2] = 0.0  # so that the sum is that of two columns
    run = {
        "into": "tree",
        "method": "greedy",
        "max_leaves": 6,
        "budget": 150,
        "epsilon": 0.2,
        "batch": 40,
        "progress": False,
    }

    def made() -> Endpoint:
        return Endpoint(
            sums.url, store=tmp_path / "a.sqlite", classes=[0, 1], batch=1, concurrency=16,
            price=Price(per_request=0.01),
        )  # fmt: skip

    found = limbeck.distill(made(), rows, rows.sum(axis=1) > 1, **run)
    asked = [tuple(row) for _, body in sums.requests for row in body["instances"]]
    assert len(set(asked)) == len(asked) <= 150
    assert found.certificate.n + found.trace["labels"] <= len(asked)
    assert "Bill" in " ".join(found.notes)
    assert "control" in str(found)
    again = limbeck.distill(made(), rows, rows.sum(axis=1) > 1, **run)
    assert len(sums.requests) == len(asked)  # all of it is in the store
    assert again.student.fingerprint() == found.student.fingerprint()


def test_a_table_and_a_service_that_guesses(service, reply, tmp_path):
    def respond(body, n):  # a guess of the row, in whatever order requests come
        seeds = [[int(1e9 * value) for value in row] for row in body["instances"]]
        return reply({"predictions": [np.random.default_rng(s).random() for s in seeds]})

    service.respond = respond
    teacher = Endpoint(service.url, store=tmp_path / "a.sqlite", classes=["no", "yes"], batch=20)
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    y = np.where(table.a > 0.5, "yes", "no")
    with pytest.raises(InvalidInput, match="no better than chance"):
        limbeck.distill(teacher, table, y, budget=300, progress=False)
    assert len(service.requests) <= 6  # a hundred rows, twenty at a time
