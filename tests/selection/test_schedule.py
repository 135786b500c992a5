from __future__ import annotations

import pickle
import time

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from limbeck.core.columns import Features, Rows
from limbeck.selection.race import Route, Run, Stopped, folds_of
from limbeck.selection.routes import students
from limbeck.selection.schedule import Race, raced
from limbeck.selection.shared_rows import shared_rows
from limbeck.teachers import as_teacher

X = np.random.default_rng(0).normal(size=(90, 3)).round(2)
Y = X[:, 0] + (X[:, 1] > 0.5) > 0.3
ROWS = Rows(Features.of(X), X)
TEACHER = as_teacher(LogisticRegression().fit(X, Y), Y)
FOLD = folds_of(np.arange(90), np.random.default_rng(1))
PARTS = shared_rows(TEACHER, ROWS, FOLD, 0)
ROUTES = [
    Route(into, name, students()[into][name].from_settings({}).limited(8))
    for into, name in (("linear", "dense"), ("sparse_sum", "sparse_sum"), ("tree", "greedy"))
]


def race(seconds=300.0):
    return Race(PARTS, FOLD, (4, 8), 0, time.time() + seconds)


def told(runs):
    return [
        (
            [s.fingerprint() for s in run.students.values()],
            [losses.tobytes() for losses in run.losses.values()],
            [[s.fingerprint() for s in refits] for refits in run.refits.values()],
            run.queries,
        )
        for run in runs
    ]


@pytest.fixture(scope="module")
def runs():
    found = raced(race(), ROUTES, 1)
    assert all(isinstance(run, Run) for run in found)
    return found


@pytest.fixture(scope="module")
def alone(runs):
    return told(runs)


def test_two_processes_give_the_same_students_bit_for_bit(alone):
    assert told(raced(race(), ROUTES, 2)) == alone


def test_a_parallel_config_of_the_caller_is_respected(alone):
    with joblib.parallel_config("threading", n_jobs=2):
        assert told(raced(race(), ROUTES, None)) == alone


@pytest.mark.slow
def test_two_workers_of_dask_give_the_same(alone):
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster), joblib.parallel_config("dask"):
        assert told(raced(race(), ROUTES, None)) == alone


@pytest.mark.slow
def test_two_workers_of_ray_give_the_same(alone):
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        register_ray()
        with joblib.parallel_config("ray", n_jobs=2):
            assert told(raced(race(), ROUTES, None)) == alone
    finally:
        ray.shutdown()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_time_that_is_over_is_told_in_every_process(n_jobs):
    found = raced(race(seconds=-1.0), ROUTES, n_jobs)
    assert [run.reason for run in found if isinstance(run, Stopped)] == ["no time was left"] * 3


def test_every_method_and_student_can_be_sent_to_another_process(runs):
    for methods in students().values():
        for name, method in methods.items():
            if name == "encoder":  # has no default; tests/methods/test_text_encoder.py pickles it
                continue
            made = method.from_settings({})
            assert pickle.loads(pickle.dumps(made)) == made
    for run in runs:
        for student in run.students.values():
            again = pickle.loads(pickle.dumps(student))
            assert again.fingerprint() == student.fingerprint()
